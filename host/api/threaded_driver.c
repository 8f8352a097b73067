// SPDX-License-Identifier: Apache-2.0
//
// The driver for several threads: see threaded_driver.h. `core` is the driver of driver.h and is
// touched by the loop's thread only. The mutex is never held while anything of the core, or of the
// program, is called.
//
// Other threads make requests in two ways: operations are messages in the mailbox; start, end and
// destruction are fields under the mutex (`status`, `ending`, `destroyed`), which apply_requests()
// passes to the core after the messages that were posted before them.
//
// References: one of the creator until it is destroyed, one of the thread that runs the loop until
// it ends, one of each thread that waits in join.

#include "api/threaded_driver.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_thread.h"
#include "loop/loop_uv.h"
#include "loop/mailbox.h"
#include "mesos/transport_http.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MOST = 65536 };

enum ending { ENDING_NONE, ENDING_ABORT, ENDING_STOP, ENDING_STOP_FAILOVER };

struct threaded_driver {
    threaded_callback callback;
    void *data;
    struct loop *loop;
    bool own;            // the loop
    pthread_t home;      // of the embedder's loop: the thread that created the driver
    struct driver *core; // loop's thread only, like the two behind it
    unsigned calling;    // callbacks that have not returned
    bool finished;       // the core has called `finished`

    pthread_mutex_t mutex; // over what follows
    pthread_cond_t ended;
    unsigned references;
    struct mailbox *mailbox;    // NULL when it is taken down
    struct loop_thread *thread; // NULL before the start, and without a loop of its own
    enum driver_status status;
    enum ending ending; // requested of the core; the first request counts
    bool failing;       // the core has aborted itself; `error` will say why
    bool over;          // join has nothing to wait for any more
    bool destroyed;     // destroyed
    bool connected;
    char *framework_id;   // NULL: not known yet
    struct bytes *master; // MasterInfo, or NULL
    struct offer_table *offers, *inverse_offers;
};

static void lock(struct threaded_driver *driver)
{
    pthread_mutex_lock(&driver->mutex);
}

static void unlock(struct threaded_driver *driver)
{
    pthread_mutex_unlock(&driver->mutex);
}

// ---- references ----

static void free_all(struct threaded_driver *driver)
{
    offer_table_destroy(driver->offers);
    offer_table_destroy(driver->inverse_offers);
    bytes_unref(driver->master);
    free(driver->framework_id);
    pthread_cond_destroy(&driver->ended);
    pthread_mutex_destroy(&driver->mutex);
    free(driver);
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
    struct driver_operation *operation;
};

static void on_posted(void *data, bool lost)
{
    const struct posted posted = *(struct posted *)data;
    free(data);
    if (!lost && posted.driver->core != NULL)
        posted.operation->act(posted.driver->core, posted.operation);
    operation_destroy(posted.operation);
}

// ---- on the loop's thread ----

// The core may have aborted itself.
static void notice(struct threaded_driver *driver)
{
    if (driver->core == NULL || driver_status(driver->core) != DRIVER_ABORTED)
        return;
    lock(driver);
    if (driver->status == DRIVER_RUNNING) {
        driver->status = DRIVER_ABORTED;
        driver->failing = true;
    }
    unlock(driver);
}

static void destroy_core(struct threaded_driver *driver)
{
    struct driver *core = driver->core;
    driver->core = NULL;
    driver_destroy(core);
}

static void start_core(struct threaded_driver *driver, enum driver_status status)
{
    bool wanted = status != DRIVER_NOT_STARTED;
    if (wanted && driver_status(driver->core) == DRIVER_NOT_STARTED)
        driver_start(driver->core);
}

static void end_core(struct threaded_driver *driver, enum ending ending, bool destroyed)
{
    if (destroyed)
        destroy_core(driver);
    else if (ending == ENDING_ABORT)
        driver_abort(driver->core);
    else if (ending != ENDING_NONE)
        driver_stop(driver->core, ending == ENDING_STOP_FAILOVER);
}

// Carries out requests, in order: the fields are read first, since the thread that set the last of
// them posted its operations before. It may call callbacks, in which the driver may be destroyed;
// `driver` is valid even then, as it is freed only when no callback is running.
static void apply_requests(struct threaded_driver *driver)
{
    lock(driver);
    enum driver_status status = driver->status;
    enum ending ending = driver->ending;
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
        apply_requests(driver);
    } else if (driver->calling == 0) {
        take_down(driver);
        unref(driver);
    }
}

// ---- offers, as all threads see them ----

// Each has a block of its own here: references on the core's blocks belong to the loop's thread.
static void remember_offers(struct offer_table *offers, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        struct slice wire = event->offers[i];
        struct bytes *block = bytes_copy(wire.data, wire.length);
        offer_table_add(offers, block, slice_of(block));
        bytes_unref(block);
    }
}

static void forget_offers(struct threaded_driver *driver, const char *why)
{
    offer_table_spend_all(driver->offers, why);
    offer_table_spend_all(driver->inverse_offers, why);
}

static void remember_registration(struct threaded_driver *driver, const struct driver_event *event)
{
    forget_offers(driver, "was made void by a new registration");
    driver->connected = true;
    free(driver->framework_id);
    driver->framework_id =
        memory_text((const char *)event->framework_id.data, event->framework_id.length);
    bytes_unref(driver->master);
    driver->master =
        event->message.data ? bytes_copy(event->message.data, event->message.length) : NULL;
}

static void remember(struct threaded_driver *driver, const struct driver_event *event)
{
    switch (event->callback) {
    case CALLBACK_REGISTERED:
    case CALLBACK_REREGISTERED:
        remember_registration(driver, event);
        break;
    case CALLBACK_DISCONNECTED:
        driver->connected = false;
        forget_offers(driver, "was made void when the master was lost");
        break;
    case CALLBACK_RESOURCE_OFFERS:
        remember_offers(driver->offers, event);
        break;
    case CALLBACK_INVERSE_OFFERS:
        remember_offers(driver->inverse_offers, event);
        break;
    case CALLBACK_OFFER_RESCINDED:
        offer_table_spend(driver->offers, event->offer_id, "was rescinded");
        break;
    case CALLBACK_INVERSE_OFFER_RESCINDED:
        offer_table_spend(driver->inverse_offers, event->offer_id, "was rescinded");
        break;
    default:
        break;
    }
}

// ---- events of the core ----

// True if this callback may start. `error` starts only if the driver aborted itself, not if the
// program did.
static bool admit(struct threaded_driver *driver, const struct driver_event *event)
{
    lock(driver);
    bool running = driver->status == DRIVER_RUNNING;
    bool admitted = running;
    if (event->callback == CALLBACK_ERROR) {
        if (running)
            driver->status = DRIVER_ABORTED;
        admitted = running || driver->failing;
    } else if (running) {
        remember(driver, event);
    }
    unlock(driver);
    return admitted;
}

// What was asked for during the callback is done before the core looks whether it still runs, and
// acknowledges.
static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct threaded_driver *driver = data;
    bool ok = admit(driver, event);
    if (ok) {
        driver->calling++;
        ok = driver->callback(driver->data, event);
        driver->calling--;
    }
    apply_requests(driver);
    return ok ? OUTCOME_DONE : OUTCOME_FAILED;
}

// With a thread of the driver's own, join waits until everything is taken down, as the program may
// exit right after.
static void on_finished(void *data)
{
    struct threaded_driver *driver = data;
    driver->finished = true;
    mailbox_unref(driver->mailbox);
    if (!driver->own)
        signal_over(driver);
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- life ----

static bool connect_core(struct threaded_driver *driver,
                         const struct threaded_driver_options *options, struct error *err)
{
    struct driver_options core = options->driver;
    struct credentials *credentials = credentials_create(&(struct credentials_options){0}, err);
    const struct detector_options detection = {.credentials = credentials};
    core.detector = detector_create_with(options->master, &detection, driver->loop, err);
    const struct transport_http_options transport = {.credentials = credentials};
    if (core.detector != NULL)
        core.transport = transport_http_create(driver->loop, &transport);
    credentials_unref(credentials);
    if (core.detector == NULL)
        return error_context(err, "master");
    driver->mailbox = mailbox_create(driver->loop, MESSAGES_MOST, on_wake, driver);
    if (driver->mailbox == NULL) {
        detector_destroy(core.detector);
        transport_destroy(core.transport);
        return error_set(err, ERROR_IO, "the loop takes no more handles: too many open files?");
    }
    core.subscription = subscription_defaults;
    driver->core = driver_create(driver->loop, &core, &listener, driver, err);
    if (driver->core == NULL) {
        mailbox_unref(driver->mailbox);
        mailbox_destroy(driver->mailbox);
        return false;
    }
    struct slice id = driver_framework_id(driver->core);
    driver->framework_id = id.length > 0 ? memory_text((const char *)id.data, id.length) : NULL;
    return true;
}

struct threaded_driver *threaded_driver_create(const struct threaded_driver_options *options,
                                               threaded_callback callback, void *data,
                                               struct error *err)
{
    struct threaded_driver *driver = memory_new(sizeof *driver);
    driver->callback = callback;
    driver->data = data;
    driver->own = options->uv == NULL;
    driver->home = pthread_self();
    driver->loop = loop_uv_create(options->uv);
    driver->references = 1;
    driver->status = DRIVER_NOT_STARTED;
    driver->offers = offer_table_create();
    driver->inverse_offers = offer_table_create();
    pthread_mutex_init(&driver->mutex, NULL);
    pthread_cond_init(&driver->ended, NULL);
    if (connect_core(driver, options, err))
        return driver;
    loop_destroy(driver->loop);
    free_all(driver);
    return NULL;
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
        apply_requests(driver);
    return status;
}

// What stop and abort have in common: the first of them that finds the driver running decides.
static enum driver_status end(struct threaded_driver *driver, enum driver_status status,
                              enum ending ending)
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
        apply_requests(driver);
    return before == DRIVER_RUNNING ? status : before;
}

enum driver_status threaded_driver_stop(struct threaded_driver *driver, bool failover)
{
    return end(driver, DRIVER_STOPPED, failover ? ENDING_STOP_FAILOVER : ENDING_STOP);
}

enum driver_status threaded_driver_abort(struct threaded_driver *driver)
{
    return end(driver, DRIVER_ABORTED, ENDING_ABORT);
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

static struct slice next_id(struct slice *list)
{
    struct slice id = {.data = NULL};
    return wire_next_bytes(list, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, &id)
               ? wire_text(id)
               : (struct slice){.data = NULL};
}

static bool is_named_again(struct slice rest, struct slice id)
{
    for (struct slice other; (other = next_id(&rest)).data != NULL;)
        if (slice_equal(other, id))
            return true;
    return false;
}

// While disconnected all offers are void, and the core answers for the master.
static bool check_offers(struct threaded_driver *driver, struct offer_table *offers,
                         struct slice list, struct error *err)
{
    const char *why;
    for (struct slice id; (id = next_id(&list)).data != NULL;) {
        if (is_named_again(list, id))
            return error_set(err, ERROR_INVALID, "offer '%.*s' is named twice", SLICE_ARGS(id));
        if (offer_table_find(offers, id, &why) == NULL && driver->connected)
            return error_set(err, ERROR_INVALID, "offer '%.*s' cannot be used: %s%s",
                             SLICE_ARGS(id), why ? "it " : "",
                             why ? why : "no such offer is outstanding");
    }
    return true;
}

static void spend_offers(struct offer_table *offers, struct slice list, const char *why)
{
    for (struct slice id; (id = next_id(&list)).data != NULL;)
        offer_table_spend(offers, id, why);
}

static void post(struct threaded_driver *driver, struct driver_operation *operation)
{
    struct posted *posted = memory_new(sizeof *posted);
    *posted = (struct posted){.driver = driver, .operation = operation};
    mailbox_post(driver->mailbox, on_posted, posted);
}

// Under the mutex: accepts the operation if it is valid. All posting is done under the mutex, so
// the mailbox cannot fill up in between; once posted, the operation belongs to the loop's thread.
static bool accept_operation(struct threaded_driver *driver, struct driver_operation *operation,
                             struct error *err)
{
    struct slice message = buffer_slice(&operation->message);
    struct offer_table *offers =
        operation->offers == OPERATION_INVERSE_OFFERS ? driver->inverse_offers : driver->offers;
    if (mailbox_full(driver->mailbox))
        return error_set(err, ERROR_LIMIT,
                         "%d operations are waiting for the loop's thread: it is stuck, or does "
                         "not run",
                         MESSAGES_MOST);
    if (operation->offers != OPERATION_NO_OFFERS) {
        if (!check_offers(driver, offers, message, err))
            return false;
        spend_offers(offers, message, operation->spent);
    }
    post(driver, operation);
    return true;
}

// On the loop's thread the operations are carried out at once, the new one as the last.
enum driver_status threaded_driver_submit(struct threaded_driver *driver,
                                          struct driver_operation *operation, struct error *err)
{
    bool on_loop = is_on_loop(driver);
    if (on_loop)
        apply_requests(driver);
    lock(driver);
    bool accepted = driver->status == DRIVER_RUNNING && accept_operation(driver, operation, err);
    enum driver_status status = driver->status;
    unlock(driver);
    if (!accepted)
        operation_destroy(operation);
    else if (on_loop) {
        apply_requests(driver);
        status = threaded_driver_status(driver);
    }
    return status;
}

// ---- what it knows ----

char *threaded_driver_framework_id(struct threaded_driver *driver)
{
    lock(driver);
    char *id = memory_string(driver->framework_id);
    unlock(driver);
    return id;
}

struct bytes *threaded_driver_master(struct threaded_driver *driver)
{
    lock(driver);
    struct bytes *copy =
        driver->master ? bytes_copy(driver->master->data, driver->master->length) : NULL;
    unlock(driver);
    return copy;
}

size_t threaded_driver_offers(struct threaded_driver *driver, struct buffer *list)
{
    lock(driver);
    size_t count = 0;
    for (const struct offer *offer = offer_table_first(driver->offers); offer;
         offer = offer_table_next(offer))
        count += wire_put_bytes(list, WIRE_LIST, offer_table_wire(offer));
    unlock(driver);
    return count;
}
