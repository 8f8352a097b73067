// SPDX-License-Identifier: Apache-2.0
//
// What the drivers for a program with several threads have in common. The driver itself, the core,
// lives on the thread of its loop, as everything else does; here is what may be touched from
// outside, under one mutex, and the way of operations to the loop's thread, where they are carried
// out in order. threaded_scheduler.h and threaded_executor.h derive from it: their structs begin
// with a struct threaded_driver.
//
// The status changes when stop or abort is called, not when the loop's thread carries it out, and
// no callback but `error` starts after that.
//
// The loop is the embedder's, which runs it, and creates and destroys the driver on its thread; or
// one of the driver's own, which a thread runs from start to end.

#ifndef MESOS_LUA_API_THREADED_DRIVER_H
#define MESOS_LUA_API_THREADED_DRIVER_H

#include "base/error.h"
#include "loop/loop.h"
#include "mesos/driver_status.h"

#include <pthread.h>

struct threaded_driver;
struct uv_loop_s;

enum threaded_ending {
    THREADED_NO_END,
    THREADED_ABORT,
    THREADED_STOP,
    THREADED_STOP_FAILOVER,
};

// What a kind of driver does in its own way: the first five on the loop's thread.
struct threaded_ops {
    void (*start)(void *core);
    void (*end)(void *core, enum threaded_ending ending);
    void (*destroy)(void *core);
    enum driver_status (*status)(const void *core);
    void (*act)(void *core, void *operation); // carries it out and frees it; core NULL: only frees

    // Under the mutex: an operation is about to be posted. NULL: any may be.
    bool (*accept)(struct threaded_driver *driver, void *operation, struct error *err);
    void (*free)(
        struct threaded_driver *driver); // the memory of all of it, which is no longer in use
};

struct threaded_driver {
    const struct threaded_ops *ops;
    struct loop *loop;
    bool own;         // the loop
    pthread_t home;   // of the embedder's loop: the thread that created the driver
    void *core;       // loop's thread only, like the two behind it; set by the kind of driver
    unsigned calling; // callbacks that have not returned; counted by the kind of driver
    bool finished;    // the core has called `finished`

    pthread_mutex_t mutex; // over what follows, and over what a kind of driver has behind it
    pthread_cond_t ended;
    unsigned references;
    struct mailbox *mailbox;    // NULL when it is taken down
    struct loop_thread *thread; // NULL before the start, and without a loop of its own
    enum driver_status status;
    enum threaded_ending ending; // requested of the core; the first request counts
    bool failing;                // the core has aborted itself; `error` will say why
    bool over;                   // join has nothing to wait for any more
    bool destroyed;
};

// ---- for the kinds of drivers ----

// The driver is zeroed. After init come, on the way to a driver: the mailbox by open, the core.
// Where that fails, discard frees all of it but the core.
void threaded_driver_init(struct threaded_driver *driver, const struct threaded_ops *ops,
                          struct uv_loop_s *uv); // NULL: a loop and a thread of its own
bool threaded_driver_open(struct threaded_driver *driver, struct error *err);
void threaded_driver_discard(struct threaded_driver *driver);

static inline void threaded_driver_lock(struct threaded_driver *driver)
{
    pthread_mutex_lock(&driver->mutex);
}

static inline void threaded_driver_unlock(struct threaded_driver *driver)
{
    pthread_mutex_unlock(&driver->mutex);
}

// Under the mutex: true if a callback may start; `error`: if it is the last one, with the error.
bool threaded_driver_admit(struct threaded_driver *driver, bool error);

// On the loop's thread, behind each callback: does what was asked for meanwhile. The driver may be
// destroyed in it.
void threaded_driver_apply(struct threaded_driver *driver);

// The core has finished. With a thread of the driver's own, join waits until everything is taken
// down, as the program may exit right after.
void threaded_driver_finished(struct threaded_driver *driver);

// ---- for the C interface ----

// Aborts it if it runs. With a thread of its own it waits for that thread, unless it is called on
// it; then, as inside any callback, what is left goes when the callback has returned.
void threaded_driver_destroy(struct threaded_driver *driver);

// ---- on any thread ----

enum driver_status threaded_driver_start(struct threaded_driver *driver, struct error *err);
enum driver_status threaded_driver_stop(struct threaded_driver *driver, bool failover);
enum driver_status threaded_driver_abort(struct threaded_driver *driver);

// Waits for the end. On the loop's thread, where that would block for ever: an error and the
// status.
enum driver_status threaded_driver_join(struct threaded_driver *driver, struct error *err);

// Start and join, for a driver that may be destroyed in a callback between the two.
enum driver_status threaded_driver_run(struct threaded_driver *driver, struct error *err);

enum driver_status threaded_driver_status(struct threaded_driver *driver);

// Takes the operation. With an error, for instance about an offer, nothing is done.
enum driver_status threaded_driver_submit(struct threaded_driver *driver, void *operation,
                                          struct error *err);

#endif
