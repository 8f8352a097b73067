// SPDX-License-Identifier: Apache-2.0
//
// The inside of a driver, for its own files only. Each of them may call those above it in this
// list, and none below:
//
//   driver_end.c         the end of a driver: which answers are awaited, and when it is finished
//   driver_framework.c   changes of the framework, until the master has accepted or refused them
//   call_answers.c       what the master's answers to calls mean, and launches that were lost
//   driver_operations.c  the operations of driver.h
//   task_output.c        what tasks printed
//   delivery.c           events become callbacks, one at a time
//   driver.c             its life, its state, and what else the subscription brings
//
// A function that the loop calls brackets itself with enter() and leave(), which hold the driver.

#ifndef MESOS_LUA_MESOS_DRIVER_INTERNAL_H
#define MESOS_LUA_MESOS_DRIVER_INTERNAL_H

#include "base/lifetime.h"
#include "mesos/acknowledgements.h"
#include "mesos/calls.h"
#include "mesos/driver.h"
#include "mesos/event_queue.h"
#include "mesos/failed_tasks.h"
#include "mesos/framework.h"
#include "mesos/held_offers.h"
#include "mesos/revisions.h"
#include "mesos/task_output.h"
#include "offers/offer_history.h"

// Whether events are handed on. Every change goes through enter_delivery() in delivery.c.
enum delivery_state {
    DELIVERY_IDLE,       // the next event is delivered as soon as it is there
    DELIVERY_DELIVERING, // a callback is running or pending
    DELIVERY_REPEATING,  // the same, and its event comes again if it fails
};

// As the callbacks have reported it.
enum registration {
    REGISTRATION_NONE,    // CALLBACK_REGISTERED has not come, for this framework id
    REGISTRATION_LOST,    // the driver was registered, and is not connected
    REGISTRATION_CURRENT, // connected
};

struct delivery {
    enum delivery_state state;
    bool held;          // after the callback that runs, events wait for driver_release()
    bool backpressured; // events wait until fewer calls wait
    bool paused;        // too many events wait: the stream is not read
    struct event_queue queue;
    struct driver_event current;    // while a callback runs
    struct driver_event repeated;   // of QUEUED_REPEATED in the queue, which owns its block
    struct task_status last_status; // of the last CALLBACK_STATUS_UPDATE
    struct slice *batch;            // the offers of the current event
    size_t batch_capacity;
};

struct driver {
    struct loop *loop;
    const struct driver_listener *listener;
    void *data;
    struct detector *detector;
    struct transport *transport;
    struct subscription subscription;
    double backoff_max; // as it was given

    enum driver_status status;
    bool explicit_acknowledgements;
    enum registration registration;
    bool reregister; // a removed framework goes on as a new one
    bool torn_down;
    bool finished; // `finished` was called
    struct lifetime lifetime;

    struct framework framework;
    struct revisions revisions; // of it, as the master knows them
    bool outdated;        // the master has not seen the latest framework, roles or constraints
    struct bytes *master; // MasterInfo, or NULL

    struct delivery delivery;
    struct calls calls;

    struct offer_table *offers, *inverse_offers;
    struct held_offers held_offers;
    struct offer_history *history; // of `offers`
    struct tasks *tasks;
    struct failed_tasks failed_tasks;
    bool log_failures; // in `failed_tasks`
    bool uncertain;    // a launch or a kill may have been lost, and was not reconciled yet
    struct acknowledgements_kept operation_updates; // delivered, for explicit acknowledgement

    LIST_HEAD(, task_output) outputs; // that are being asked for
    struct buffer message;
    struct driver_counters counters;
    struct deferral turn;
    struct timer deadline;
};

void driver_free(void *data); // driver_end.c; for leave()

static inline void enter(struct driver *driver)
{
    lifetime_hold(&driver->lifetime);
}

static inline void leave(struct driver *driver)
{
    lifetime_release(&driver->lifetime, driver_free, driver);
}

static inline bool running(const struct driver *driver)
{
    return driver->status == DRIVER_RUNNING && !driver->lifetime.ended;
}

static inline bool connected(const struct driver *driver)
{
    return driver->registration == REGISTRATION_CURRENT;
}

// Connected no more, if it was.
static inline void disconnect(struct driver *driver)
{
    if (connected(driver))
        driver->registration = REGISTRATION_LOST;
}

// Sends the call, or drops and counts it while there is no master.
static inline void driver_send_or_drop(struct driver *driver, enum call_type type,
                                       struct slice message)
{
    if (connected(driver))
        calls_send(&driver->calls, type, message);
    else
        calls_drop(&driver->calls, type);
}

// ---- driver_end.c ----

void driver_end(struct driver *driver, enum driver_status status);
void driver_fail_with(struct driver *driver, struct slice text); // as driver_fail()
void driver_try_finish(struct driver *driver); // calls `finished` if nothing is in flight any more

// ---- driver_framework.c ----

// Sends the framework as it is now; while disconnected the next SUBSCRIBE carries it.
void driver_send_revision(struct driver *driver);
void driver_revision_answered(struct driver *driver, enum revision_answer answer);

// A SUBSCRIBE was refused. If the framework was changed since the master last accepted it, rolls
// back to what the master accepted and subscribes again. False, and nothing is done, otherwise.
bool driver_resubscribe(struct driver *driver, struct slice reason);

// ---- task_output.c ----

void task_output_end_all(struct driver *driver); // the driver is being destroyed

// ---- call_answers.c ----

extern const struct calls_events driver_calls_events;

// Queues an update for each task of that Call.Accept, as a script waits for updates.
void driver_drop_launches(struct driver *driver, struct slice accept, const char *why);

// Reconciles the tasks whose launch or kill may not have reached the master.
void driver_reconcile_uncertain(struct driver *driver);

// ---- driver_operations.c ----

void driver_acknowledge_status(struct driver *driver, const struct task_status *status);
void driver_acknowledge_operation_status(struct driver *driver, struct slice status);

// ---- delivery.c ----

void driver_delivery_init(struct driver *driver);
void driver_delivery_end(struct driver *driver); // nothing is delivered any more

// For the subscription: a record of the stream, and the type of its event, is delivered now or in
// its turn. `data` is the driver. The reference is handed over.
void driver_receive(void *data, struct bytes *record, int32_t type);
void driver_stream_lost(struct driver *driver); // drops what is void without the stream
void driver_deliver(struct driver *driver);     // all that waits and may be delivered now

#endif
