// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs a loop: see loop_thread.h. The thread copies what it needs at its start, so
// the struct belongs to the creator alone.

#include "loop/loop_thread.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

struct loop_thread {
    pthread_t thread;
    SLIST_ENTRY(loop_thread) link; // in `released`
};

enum { EXIT_PATIENCE = 2 }; // seconds, of the end of the process for threads

struct thread_job {
    struct loop *loop;
    bool (*done)(void *data);
    void (*ended)(void *data);
    void *data;
};

static _Thread_local const struct loop *running; // what this thread is there for

static void *on_thread(void *data)
{
    const struct thread_job task = *(struct thread_job *)data;
    free(data);
    running = task.loop;
    loop_uv_run(task.loop, task.done, task.data);
    running = NULL;
    task.ended(task.data);
    return NULL;
}

// The new thread inherits the mask.
static int create(pthread_t *thread, struct thread_job *task)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, on_thread, task);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

struct loop_thread *loop_thread_start(struct loop *loop, bool (*done)(void *data),
                                      void (*ended)(void *data), void *data, struct error *err)
{
    struct loop_thread *thread = memory_new(sizeof *thread);
    struct thread_job *task = memory_new(sizeof *task);
    *task = (struct thread_job){.loop = loop, .done = done, .ended = ended, .data = data};
    int code = create(&thread->thread, task);
    if (code == 0)
        return thread;
    error_set(err, ERROR_IO, "cannot start a thread: %s", strerror(code));
    free(task);
    free(thread);
    return NULL;
}

bool loop_thread_runs(const struct loop *loop)
{
    return running == loop;
}

void loop_thread_join(struct loop_thread *thread)
{
    pthread_join(thread->thread, NULL);
    free(thread);
}

// ---- threads that are not waited for ----

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SLIST_HEAD(, loop_thread) released = SLIST_HEAD_INITIALIZER(released);

// False: it still runs at the deadline; NULL is at once.
static bool join_by(struct loop_thread *thread, const struct timespec *deadline)
{
    int code = deadline != NULL ? pthread_timedjoin_np(thread->thread, NULL, deadline)
                                : pthread_tryjoin_np(thread->thread, NULL);
    return code == 0;
}

static void join_released(const struct timespec *deadline)
{
    struct loop_thread *thread, *next;
    pthread_mutex_lock(&lock);
    for (thread = SLIST_FIRST(&released); thread != NULL; thread = next) {
        next = SLIST_NEXT(thread, link);
        if (!join_by(thread, deadline))
            continue;
        SLIST_REMOVE(&released, thread, loop_thread, link);
        free(thread);
    }
    pthread_mutex_unlock(&lock);
}

static void on_exit_of_process(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += EXIT_PATIENCE;
    join_released(&deadline);
}

static void watch_exit(void)
{
    atexit(on_exit_of_process);
}

// Libraries free what belongs to a thread when that ends, and OpenSSL frees the same when the
// process ends. So the end of the process waits for the thread; the handler is registered behind
// OpenSSL's, and therefore runs before it.
void loop_thread_release(struct loop_thread *thread)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_exit);
    join_released(NULL);
    pthread_mutex_lock(&lock);
    SLIST_INSERT_HEAD(&released, thread, link);
    pthread_mutex_unlock(&lock);
}
