// SPDX-License-Identifier: Apache-2.0
//
// The inside of a driver, for its own files only. Each of them may call those above it in this
// list, and none below:
//
//   ending.c      the end of a driver: what is still answered, and when it is over
//   framework_operations.c   what changes the framework, until the master has taken or refused it
//   answers.c     what the master's answers to calls mean, and launches that did not reach it
//   operations.c  the operations of driver.h
//   delivery.c    events become callbacks, one at a time
//   driver.c      its life, its state, and what the subscription brings
//
// A function that the loop calls brackets itself with enter() and leave(), which hold the driver.

#ifndef MESOS_LUA_MESOS_DRIVER_INTERNAL_H
#define MESOS_LUA_MESOS_DRIVER_INTERNAL_H

#include "base/lifetime.h"
#include "mesos/acknowledgements.h"
#include "mesos/driver.h"
#include "mesos/event_queue.h"
#include "mesos/failed_tasks.h"
#include "mesos/framework.h"
#include "mesos/held_offers.h"
#include "mesos/outbox.h"
#include "mesos/revisions.h"

// Whether events are handed on. Every change goes through enter_delivery() in delivery.c.
enum delivery_state {
    DELIVERY_IDLE,       // the next event is delivered as soon as it is there
    DELIVERY_DELIVERING, // a callback has not come to its end
    DELIVERY_REPEATING,  // the same, and its event comes again if it fails
};

struct delivery {
    enum delivery_state state;
    bool held;    // after the callback that runs, events wait for driver_release()
    bool crowded; // events wait until fewer calls do
    bool paused;  // too many events wait: the stream is not read
    struct event_queue queue;
    struct driver_event current;  // while a callback runs
    struct driver_event repeated; // of QUEUED_REPEATED in the queue, which owns its block
    struct status last_status;    // of the last CALLBACK_STATUS_UPDATE
    struct slice *batch;          // the offers of the current event
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
    bool connected;  // as the callbacks told it
    bool registered; // `registered` was called once
    bool reregister; // a removed framework goes on as a new one
    bool torn_down;
    bool finished; // `finished` was called
    struct lifetime lifetime;

    struct framework framework;
    struct revisions revisions; // of it, as the master knows them
    bool outdated;        // the master has not seen the latest framework, roles or constraints
    struct bytes *master; // MasterInfo, or NULL

    struct delivery delivery;
    struct outbox outbox;

    struct offer_table *offers, *inverse_offers;
    struct held_offers held_offers;
    struct tasks *tasks;
    struct failed_tasks failed_tasks;
    bool log_failures; // in `failed_tasks`
    bool uncertain;    // the master was not asked yet what became of a launch or a kill
    struct acknowledgements_kept operation_updates; // delivered, for explicit acknowledgement

    struct buffer message;
    struct driver_counters counters;
    struct deferral turn;
    struct timer deadline;
};

void driver_free(void *data); // ending.c; for leave()

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

// Sends the call, or drops and counts it while there is no master.
static inline void driver_send_or_drop(struct driver *driver, enum call_type type,
                                       struct slice message)
{
    if (driver->connected)
        outbox_send(&driver->outbox, type, message);
    else
        outbox_drop(&driver->outbox, type);
}

// ---- ending.c ----

void driver_end(struct driver *driver, enum driver_status status);
void driver_fail_with(struct driver *driver, struct slice text); // as driver_fail()
void driver_settle(struct driver *driver); // tells the listener if all is over

// ---- framework_operations.c ----

// Sends the framework as it is now, or remembers to: SUBSCRIBE carries it as well.
void driver_send_revision(struct driver *driver);
void driver_revision_answered(struct driver *driver, enum revision_answer answer);

// A SUBSCRIBE was refused, perhaps for what the framework has changed since the master took it:
// then it goes on as what the master took. False if that is not so.
bool driver_resubscribe(struct driver *driver, struct slice reason);

// ---- answers.c ----

extern const struct outbox_events driver_outbox_events;

// The tasks of that Call.Accept come back as updates, since a script waits for updates.
void driver_lose_launches(struct driver *driver, struct slice accept, const char *why);

// Asks the master for the tasks whose launch or kill it may not have taken.
void driver_reconcile_uncertain(struct driver *driver);

// ---- operations.c ----

void driver_acknowledge_status(struct driver *driver, const struct status *status);
void driver_acknowledge_operation_status(struct driver *driver, struct slice status);

// ---- delivery.c ----

void driver_delivery_init(struct driver *driver);
void driver_delivery_end(
    struct driver *driver); // the driver is destroyed: nothing is delivered any more

// A record of the stream, and the type of its event: delivered now, or in its turn. The reference
// is handed over.
void driver_receive(struct driver *driver, struct bytes *record, int32_t type);
void driver_lose_stream(struct driver *driver); // what meant something only with the stream is void
void driver_deliver(struct driver *driver);     // whatever waits and may be delivered now

#endif
