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

struct loop_thread {
    pthread_t thread;
};

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

void loop_thread_detach(struct loop_thread *thread)
{
    pthread_detach(thread->thread);
    free(thread);
}
