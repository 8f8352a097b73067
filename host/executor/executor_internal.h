// SPDX-License-Identifier: Apache-2.0
//
// The inside of an executor driver, for its own files only. Each of them may call those above it in
// this list, and none below:
//
//   executor_end.c         the end of a driver: what is awaited, and when it is finished
//   executor_calls.c       calls and their answers
//   executor_delivery.c    events become callbacks, one at a time
//   executor_shutdown.c    the way of an executor to its end
//   executor_operations.c  the operations of executor_driver.h
//   executor_driver.c      its life, and what the subscription brings
//
// A function that the loop calls brackets itself with enter() and leave(), which hold the driver.

#ifndef MESOS_LUA_EXECUTOR_EXECUTOR_INTERNAL_H
#define MESOS_LUA_EXECUTOR_EXECUTOR_INTERNAL_H

#include "base/buffer.h"
#include "base/lifetime.h"
#include "base/queue.h"
#include "executor/executor_driver.h"
#include "executor/unacknowledged.h"
#include "leader/detector.h"
#include "mesos/subscription.h"

// Every change goes through executor_shutdown_enter() in executor_shutdown.c.
enum executor_shutdown_state {
    EXECUTOR_NO_SHUTDOWN,
    EXECUTOR_SHUTDOWN_BEGUN,  // its callback has not ended yet; the grace period runs
    EXECUTOR_SHUTDOWN_CALLED, // tasks without a terminal update are waited for
};

struct executor_driver {
    struct loop *loop;
    const struct executor_environment *environment;
    const struct executor_listener *listener;
    void *data;
    struct detector *detector;
    struct transport *transport;
    struct subscription subscription;
    bool groups;

    enum driver_status status;
    enum executor_shutdown_state shutdown;
    bool registered; // was subscribed once
    bool connected;  // is
    bool finished;   // `finished` was called
    struct lifetime lifetime;

    struct unacknowledged unacknowledged;
    struct buffer call, message;
    size_t in_flight; // calls without an answer

    struct queue events;           // that wait for the callback before them
    struct executor_event current; // while a callback runs
    bool delivering, paused;       // a callback runs or is pending; the stream is not read

    struct deferral turn;
    struct timer recovery;  // for the agent to come back
    struct timer grace;     // of a shutdown
    struct timer deadline;  // of the end
    struct timer resend;    // updates whose call had no answer
    struct timer heartbeat; // of ours
};

void executor_end_free(void *data); // executor_end.c; for leave()

static inline void enter(struct executor_driver *driver)
{
    lifetime_hold(&driver->lifetime);
}

static inline void leave(struct executor_driver *driver)
{
    lifetime_release(&driver->lifetime, executor_end_free, driver);
}

static inline bool running(const struct executor_driver *driver)
{
    return driver->status == DRIVER_RUNNING && !driver->lifetime.ended;
}

// ---- executor_end.c ----

void executor_end(struct executor_driver *driver, enum driver_status status);
void executor_end_try(struct executor_driver *driver); // calls `finished` if nothing is awaited
void executor_end_connected(struct executor_driver *driver, bool connected); // while it ends

// ---- executor_calls.c ----

// Replaces the contents of `call`; `message` is that of the call, or data NULL.
void executor_calls_build(struct executor_driver *driver, struct buffer *call, int32_t type,
                          struct slice message);
void executor_calls_send(struct executor_driver *driver, int32_t type, struct slice message);
void executor_calls_updates(struct executor_driver *driver); // all updates that are not sent
void executor_calls_start(struct executor_driver *driver);   // subscribed
void executor_calls_stop(struct executor_driver *driver);    // not any more
void executor_calls_init(struct executor_driver *driver);

// ---- executor_delivery.c ----

// For the subscription: a record of the stream. `data` is the driver.
void executor_delivery_receive(void *data, struct bytes *record, int32_t type);

// Queues an event; takes a reference on its block.
void executor_delivery_push(struct executor_driver *driver, const struct executor_event *event);
void executor_delivery_run(struct executor_driver *driver); // all that waits and may be delivered
void executor_delivery_clear(struct executor_driver *driver);

// ---- executor_shutdown.c ----

void executor_shutdown_begin(struct executor_driver *driver);
void executor_shutdown_called(struct executor_driver *driver); // its callback has ended
void executor_shutdown_try(struct executor_driver *driver);    // stops, if no task lives
void executor_shutdown_init(struct executor_driver *driver);
void executor_shutdown_lost(struct executor_driver *driver);  // the agent is: wait, or shut down
void executor_shutdown_found(struct executor_driver *driver); // it is there again

#endif
