// SPDX-License-Identifier: Apache-2.0
//
// The inside of a driver, for its three files only: driver.c (its life, and what the subscription
// tells), outbox.c (operations become calls, and their answers), delivery.c (events
// become callbacks, one at a time). What the loop brings in enters through a function that brackets
// itself with enter() and leave(): a driver that was destroyed meanwhile is freed by the last
// leave().

#ifndef MESOS_LUA_MESOS_DRIVER_INTERNAL_H
#define MESOS_LUA_MESOS_DRIVER_INTERNAL_H

#include "mesos/acknowledgements.h"
#include "mesos/driver.h"
#include "mesos/event_queue.h"
#include "mesos/failed_tasks.h"
#include "mesos/framework.h"
#include "mesos/held_offers.h"
#include "mesos/revisions.h"

struct answer_slot {
    struct driver *driver;
    enum call_type type;
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
    bool outdated;  // the master has not seen the latest framework, roles or constraints
    bool settled;   // `finished` was called
    bool doomed;    // destroyed inside one of our functions
    unsigned depth; // of enter() and leave()

    struct framework framework;
    struct revisions revisions; // of it, as the master knows them
    struct bytes *master;       // MasterInfo, or NULL

    struct event_queue queue;
    bool paused;
    bool crowded;    // events wait until fewer calls do
    bool delivering; // a callback has not come to its end
    struct driver_event current;
    struct status told;  // of the last CALLBACK_STATUS_UPDATE
    struct bytes *fatal; // the error that aborted the driver, until its callback

    bool held;      // events wait for driver_release()
    bool repeating; // the event of the current callback is to come again
    bool has_again; // `again` is an event that comes again; we own its block
    bool greeting;  // CALLBACK_RELOADED is to come
    bool offers_again, inverse_offers_again; // the outstanding ones are to come again
    struct driver_event again;

    struct offer_table *offers, *inverse_offers;
    struct held_offers held_offers;
    struct tasks *tasks;
    struct failed_tasks failed_tasks;
    bool log_failures;
    bool unsure; // what became of a launch or a kill, and the master was not asked yet
    struct acknowledgements_kept operation_updates; // delivered, for explicit acknowledgement
    struct slice *batch;                            // the offers of the current event
    size_t batch_capacity;

    struct buffer call, message, declines, decline_filters;
    size_t in_flight; // calls without an answer
    // Calls that will have none, and were not told of yet: those that may have arrived, and those
    // that did not.
    size_t unanswered[CALL_TYPES], unsent[CALL_TYPES];
    struct answer_slot slots[CALL_TYPES];
    struct driver_counters counters;
    struct deferral turn;
    struct timer deadline;
};

void driver_free(struct driver *this); // when nobody is inside any more

static inline void enter(struct driver *this)
{
    this->depth++;
}

static inline void leave(struct driver *this)
{
    if (--this->depth == 0 && this->doomed)
        driver_free(this);
}

static inline bool running(const struct driver *this)
{
    return this->status == DRIVER_RUNNING && !this->doomed;
}

// ---- driver.c ----

void driver_end(struct driver *this, enum driver_status status);
void driver_fail_with(struct driver *this, struct slice text); // as driver_fail()
void driver_settle(struct driver *this);
bool driver_resubscribe(struct driver *this, struct slice reason);

// ---- outbox.c ----

void driver_send_update_framework(struct driver *this);
void driver_tell_unanswered(struct driver *this); // and of those that were not sent
void driver_ask_unsure(struct driver *this);
void driver_send_or_drop(struct driver *this, enum call_type type, struct slice message);
void driver_flush_declines(struct driver *this);

// ---- delivery.c ----

void driver_pump(struct driver *this);
bool driver_holds_back(struct driver *this);  // events, as the master is slow to take the calls
void driver_note_answer(struct driver *this); // to a call: events may go on
void driver_deliver_record(struct driver *this, struct bytes *record);
void driver_finish_delivery(struct driver *this, bool ok);
void driver_acknowledge_status(struct driver *this, const struct status *status);
void driver_acknowledge_operation_status(struct driver *this, struct slice status);
void driver_enqueue(struct driver *this, struct bytes *record);

#endif
