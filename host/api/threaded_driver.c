// SPDX-License-Identifier: Apache-2.0
//
// A driver for several threads: see threaded_driver.h. `core` is touched by the loop's thread only.
// The mutex is never held while anything of the core, or of the program, is called.
//
// Other threads make requests in two ways: operations are messages in the mailbox; start, end and
// destruction are fields under the mutex (`status`, `ending`, `destroyed`), which
// threaded_driver_apply() passes to the core after the messages that were posted before them.
//
// References: one of the creator until it is destroyed, one of the thread that runs the loop until
// it ends, one of each thread that waits in join.

#include "api/threaded_driver.h"

#include "base/memory.h"
#include "loop/loop_thread.h"
#include "loop/loop_uv.h"
#include "loop/mailbox.h"

#include <stdlib.h>

enum { MESSAGES_MOST = 65536 };

static void lock(struct threaded_driver *driver)
{
    threaded_driver_lock(driver);
}

static void unlock(struct threaded_driver *driver)
{
    threaded_driver_unlock(driver);
}

// ---- references ----

static void free_all(struct threaded_driver *driver)
{
    pthread_cond_destroy(&driver->ended);
    pthread_mutex_destroy(&driver->mutex);
    driver->ops->free(driver);
}

static void unref(struct threaded_driver *driver)
{
    lock(driver);
    bool last = --driver->references == 0;
    unlock(driver);
    if (last)
        free_all(driver);
}

// ---- operations ----

struct posted {
    struct threaded_driver *driver;
    void *operation;
};

static void on_posted(void *data, bool lost)
{
    const struct posted posted = *(struct posted *)data;
    free(data);
    posted.driver->ops->act(lost ? NULL : posted.driver->core, posted.operation);
}

// ---- on the loop's thread ----

static enum driver_status core_status(const struct threaded_driver *driver)
{
    return driver->core ? driver->ops->status(driver->core) : DRIVER_NOT_STARTED;
}

// The core may have aborted, or stopped, itself.
static void notice(struct threaded_driver *driver)
{
    enum driver_status status = core_status(driver);
    if (status != DRIVER_ABORTED && status != DRIVER_STOPPED)
        return;
    lock(driver);
    if (driver->status == DRIVER_RUNNING) {
        driver->status = status;
        driver->failing = status == DRIVER_ABORTED;
    }
    unlock(driver);
}

static void destroy_core(struct threaded_driver *driver)
{
    void *core = driver->core;
    driver->core = NULL;
    driver->ops->destroy(core);
}

static void start_core(struct threaded_driver *driver, enum driver_status status)
{
    if (status != DRIVER_NOT_STARTED && core_status(driver) == DRIVER_NOT_STARTED)
        driver->ops->start(driver->core);
}

static void end_core(struct threaded_driver *driver, enum threaded_ending ending, bool destroyed)
{
    if (destroyed)
        destroy_core(driver);
    else if (ending != THREADED_NO_END)
        driver->ops->end(driver->core, ending);
}

// Carries out requests, in order: the fields are read first, since the thread that set the last of
// them posted its operations before. It may call callbacks, in which the driver may be destroyed;
// `driver` is valid even then, as it is freed only when no callback is running.
void threaded_driver_apply(struct threaded_driver *driver)
{
    lock(driver);
    enum driver_status status = driver->status;
    enum threaded_ending ending = driver->ending;
    bool destroyed = driver->destroyed;
    unlock(driver);
    if (driver->core == NULL)
        return;
    start_core(driver, status);
    mailbox_drain(driver->mailbox);
    if (driver->core != NULL)
        end_core(driver, ending, destroyed);
    notice(driver);
}

// ---- taking down ----

static void signal_over(struct threaded_driver *driver)
{
    lock(driver);
    driver->over = true;
    pthread_cond_broadcast(&driver->ended);
    unlock(driver);
}

// On the loop's thread, or, when it never had one, on any: no callback is running.
static void take_down(struct threaded_driver *driver)
{
    destroy_core(driver);
    lock(driver);
    struct mailbox *mailbox = driver->mailbox;
    driver->mailbox = NULL;
    unlock(driver);
    mailbox_destroy(mailbox);
    if (driver->own)
        loop_uv_drain(driver->loop);
    loop_destroy(driver->loop);
    signal_over(driver);
}

static bool thread_done(void *data)
{
    struct threaded_driver *driver = data;
    return driver->finished || driver->core == NULL;
}

static void on_thread_ended(void *data)
{
    struct threaded_driver *driver = data;
    take_down(driver);
    unref(driver);
}

// Between two turns of the loop. A driver on the embedder's loop that was destroyed in a callback
// goes here.
static void on_wake(void *data)
{
    struct threaded_driver *driver = data;
    lock(driver);
    bool destroyed = driver->destroyed;
    unlock(driver);
    if (!destroyed || driver->own) {
        threaded_driver_apply(driver);
    } else if (driver->calling == 0) {
        take_down(driver);
        unref(driver);
    }
}

// With a thread of the driver's own, join waits until everything is taken down, as the program may
// exit right after.
void threaded_driver_finished(struct threaded_driver *driver)
{
    notice(driver);
    driver->finished = true;
    mailbox_unref(driver->mailbox);
    if (!driver->own)
        signal_over(driver);
}

// ---- callbacks ----

// `error` starts only if the driver aborted itself, not if the program did.
bool threaded_driver_admit(struct threaded_driver *driver, bool error)
{
    bool running = driver->status == DRIVER_RUNNING;
    if (error && running)
        driver->status = DRIVER_ABORTED;
    return running || (error && driver->failing);
}

// ---- life ----

void threaded_driver_init(struct threaded_driver *driver, const struct threaded_ops *ops,
                          struct uv_loop_s *uv)
{
    driver->ops = ops;
    driver->own = uv == NULL;
    driver->home = pthread_self();
    driver->loop = loop_uv_create(uv);
    driver->references = 1;
    driver->status = DRIVER_NOT_STARTED;
    pthread_mutex_init(&driver->mutex, NULL);
    pthread_cond_init(&driver->ended, NULL);
}

bool threaded_driver_open(struct threaded_driver *driver, struct error *err)
{
    driver->mailbox = mailbox_create(driver->loop, MESSAGES_MOST, on_wake, driver);
    return driver->mailbox != NULL ||
           error_set(err, ERROR_IO, "the loop takes no more handles: too many open files?");
}

void threaded_driver_discard(struct threaded_driver *driver)
{
    if (driver->mailbox != NULL) {
        mailbox_unref(driver->mailbox);
        mailbox_destroy(driver->mailbox);
    }
    loop_destroy(driver->loop);
    free_all(driver);
}

static bool is_on_loop(struct threaded_driver *driver)
{
    return driver->own ? loop_thread_runs(driver->loop)
                       : pthread_equal(driver->home, pthread_self());
}

// Returns the thread that there is to wait for.
static struct loop_thread *mark_destroyed(struct threaded_driver *driver)
{
    lock(driver);
    driver->destroyed = true;
    if (driver->status == DRIVER_RUNNING)
        driver->status = DRIVER_ABORTED;
    if (driver->mailbox != NULL)
        mailbox_wake(driver->mailbox);
    struct loop_thread *thread = driver->thread;
    unlock(driver);
    return thread;
}

void threaded_driver_destroy(struct threaded_driver *driver)
{
    if (driver == NULL)
        return;
    bool on_loop = is_on_loop(driver);
    struct loop_thread *thread = mark_destroyed(driver);
    if (thread != NULL && on_loop) {
        destroy_core(driver);
        loop_thread_release(thread);
    } else if (thread != NULL) {
        loop_thread_join(thread);
    } else if (driver->calling > 0) {
        destroy_core(driver);
        return; // on_wake() does the rest
    } else {
        take_down(driver);
    }
    unref(driver);
}

// ---- start and end ----

static bool start_thread(struct threaded_driver *driver, struct error *err)
{
    driver->thread = loop_thread_start(driver->loop, thread_done, on_thread_ended, driver, err);
    driver->references += driver->thread != NULL;
    return driver->thread != NULL;
}

// Once the thread runs, or the mutex is free, a callback may destroy the driver: after that only
// the loop's thread may access it.
enum driver_status threaded_driver_start(struct threaded_driver *driver, struct error *err)
{
    bool on_loop = is_on_loop(driver);
    lock(driver);
    bool fresh =
        driver->status == DRIVER_NOT_STARTED && (!driver->own || start_thread(driver, err));
    if (fresh) {
        driver->status = DRIVER_RUNNING;
        mailbox_wake(driver->mailbox);
    }
    enum driver_status status = driver->status;
    unlock(driver);
    if (fresh && on_loop)
        threaded_driver_apply(driver);
    return status;
}

// What stop and abort have in common: the first of them that finds the driver running decides.
static enum driver_status end(struct threaded_driver *driver, enum driver_status status,
                              enum threaded_ending ending)
{
    bool on_loop = is_on_loop(driver);
    lock(driver);
    enum driver_status before = driver->status;
    if (before == DRIVER_RUNNING) {
        driver->status = status;
        driver->ending = ending;
        mailbox_wake(driver->mailbox);
    } else if (before == DRIVER_ABORTED && status == DRIVER_STOPPED) {
        driver->status = DRIVER_STOPPED;
    }
    unlock(driver);
    if (before == DRIVER_RUNNING && on_loop)
        threaded_driver_apply(driver);
    return before == DRIVER_RUNNING ? status : before;
}

enum driver_status threaded_driver_stop(struct threaded_driver *driver, bool failover)
{
    return end(driver, DRIVER_STOPPED, failover ? THREADED_STOP_FAILOVER : THREADED_STOP);
}

enum driver_status threaded_driver_abort(struct threaded_driver *driver)
{
    return end(driver, DRIVER_ABORTED, THREADED_ABORT);
}

static bool may_wait(bool on_loop, struct error *err)
{
    if (on_loop)
        error_set(
            err, ERROR_INVALID,
            "this is the thread that runs the driver's loop: waiting here would block for ever");
    return !on_loop;
}

enum driver_status threaded_driver_join(struct threaded_driver *driver, struct error *err)
{
    bool on_loop = is_on_loop(driver);
    lock(driver);
    driver->references++;
    if (driver->status != DRIVER_NOT_STARTED && !driver->over && may_wait(on_loop, err))
        while (!driver->over)
            pthread_cond_wait(&driver->ended, &driver->mutex);
    enum driver_status status = driver->status;
    unlock(driver);
    unref(driver);
    return status;
}

enum driver_status threaded_driver_run(struct threaded_driver *driver, struct error *err)
{
    if (!may_wait(is_on_loop(driver), err))
        return threaded_driver_status(driver);
    lock(driver);
    driver->references++;
    unlock(driver);
    enum driver_status status = threaded_driver_start(driver, err);
    if (status == DRIVER_RUNNING)
        status = threaded_driver_join(driver, err);
    unref(driver);
    return status;
}

enum driver_status threaded_driver_status(struct threaded_driver *driver)
{
    lock(driver);
    enum driver_status status = driver->status;
    unlock(driver);
    return status;
}

// ---- submitting ----

static void post(struct threaded_driver *driver, void *operation)
{
    struct posted *posted = memory_new(sizeof *posted);
    *posted = (struct posted){.driver = driver, .operation = operation};
    mailbox_post(driver->mailbox, on_posted, posted);
}

// Under the mutex: accepts the operation if it is valid. All posting is done under the mutex, so
// the mailbox cannot fill up in between; once posted, the operation belongs to the loop's thread.
static bool accept_operation(struct threaded_driver *driver, void *operation, struct error *err)
{
    if (mailbox_full(driver->mailbox))
        return error_set(err, ERROR_LIMIT,
                         "%d operations are waiting for the loop's thread: it is stuck, or does "
                         "not run",
                         MESSAGES_MOST);
    if (driver->ops->accept != NULL && !driver->ops->accept(driver, operation, err))
        return false;
    post(driver, operation);
    return true;
}

// On the loop's thread the operations are carried out at once, the new one as the last.
enum driver_status threaded_driver_submit(struct threaded_driver *driver, void *operation,
                                          struct error *err)
{
    bool on_loop = is_on_loop(driver);
    if (on_loop)
        threaded_driver_apply(driver);
    lock(driver);
    bool accepted = driver->status == DRIVER_RUNNING && accept_operation(driver, operation, err);
    enum driver_status status = driver->status;
    unlock(driver);
    if (!accepted)
        driver->ops->act(NULL, operation);
    else if (on_loop) {
        threaded_driver_apply(driver);
        status = threaded_driver_status(driver);
    }
    return status;
}
