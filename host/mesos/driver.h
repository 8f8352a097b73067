// SPDX-License-Identifier: Apache-2.0
//
// The scheduler driver: Mesos's SchedulerDriver over the v1 API, in terms of bytes. It keeps the
// subscription, remembers the outstanding offers, hands the events to its listener one at a time,
// and turns operations into calls. The public C interface (mesos_driver.h) and the Lua
// binding are thin layers over it.
//
// Messages go in and out as their wire form; ids are given as their text. Slices in an event are
// valid during the callback, and as long as a reference on the event's block is held.
//
// Everything happens on the thread of the loop. Every function may be called inside a callback,
// driver_destroy() included.

#ifndef MESOS_LUA_MESOS_DRIVER_H
#define MESOS_LUA_MESOS_DRIVER_H

#include "base/bytes.h"
#include "base/error.h"
#include "leader/detector.h"
#include "loop/loop.h"
#include "mesos/call_counters.h"
#include "mesos/driver_status.h"
#include "mesos/events.h"
#include "mesos/subscription.h"
#include "mesos/transport.h"
#include "offers/offer_table.h"
#include "tasks/tasks.h"

struct driver;

struct driver_listener {
    // An event whose callback has OUTCOME_FAILED is not acknowledged; one that has OUTCOME_PENDING
    // ends with driver_callback_finished().
    enum driver_outcome (*callback)(void *data, const struct driver_event *event);
    // The driver has finished: nothing is in flight any more and the stream is closed. Called once,
    // after stop or abort, when no callback runs.
    void (*finished)(void *data);
};

struct driver_options {
    struct slice framework;              // FrameworkInfo; copied
    struct slice framework_id;           // replaces the one in it, unless empty; copied
    struct slice offer_constraints;      // OfferConstraints, or data NULL; copied
    const char *const *suppressed_roles; // NULL at the end, or NULL; copied
    bool explicit_acknowledgements;
    bool log_failures;           // of tasks, with the message and reason of the update
    size_t task_limit;           // of the registry of tasks; 0: TASKS_MOST
    double offer_warn;           // seconds after which a held offer is logged; 0: never
    struct detector *detector;   // handed over
    struct transport *transport; // handed over
    struct subscription_options subscription;
};

// `listener` must outlive the driver. NULL if `framework` is not a FrameworkInfo; detector and
// transport are destroyed then, too.
struct driver *driver_create(struct loop *loop, const struct driver_options *options,
                             const struct driver_listener *listener, void *data, struct error *err);
void driver_destroy(struct driver *driver);

// Delivers CALLBACK_SUBMIT with the bytes of `block`, in its turn among the events of the stream
// and like one of them: it is there after driver_repeat() and driver_hand_over(), and is dropped at
// the end of the driver. Takes the reference. False, and nothing happens, if the driver does not
// run.
bool driver_submit(struct driver *driver, struct bytes *block);

// Ends a callback that was OUTCOME_PENDING.
void driver_callback_finished(struct driver *driver, bool ok);

// ---- another version of the listener ----

// Holds back all events until driver_release(); a callback that has begun goes on.
void driver_hold(struct driver *driver);
void driver_release(struct driver *driver);

// Inside a callback that fails, or while one is pending: its event is held back and delivered
// again, as if for the first time, ahead of the events that wait. Implies driver_hold().
void driver_repeat(struct driver *driver);

// The listener has changed. CALLBACK_RELOADED is delivered ahead of all events, one that
// driver_repeat() held back included; after it the outstanding offers and inverse offers are
// delivered again.
void driver_hand_over(struct driver *driver);

// What another version of a framework's description changes; all else stays as it is, changes made
// while the framework ran included.
struct driver_revision {
    struct slice framework; // FrameworkInfo, but for its id; data NULL: the same
    bool roles, constraints;
    const char *const *suppressed_roles; // if `roles`: NULL at the end, or NULL
    struct slice offer_constraints;      // if `constraints`: data NULL: none
    bool explicit_acknowledgements;
};

// Sends an UPDATE_FRAMEWORK, at once or when there is a master, if anything of that changes.
void driver_revise(struct driver *driver, const struct driver_revision *revision);

// ---- its state ----

enum driver_status driver_status(const struct driver *driver);
bool driver_finished(const struct driver *driver);  // `finished` was called, or it never ran
bool driver_connected(const struct driver *driver); // subscribed, as the callbacks have reported it
bool driver_torn_down(const struct driver *driver); // the master has confirmed TEARDOWN
struct slice
driver_framework(const struct driver *driver); // the FrameworkInfo, with its id if known
struct slice driver_framework_id(const struct driver *driver); // empty before registration
struct slice driver_master(const struct driver *driver);       // MasterInfo, or data NULL
struct offer_table *driver_offers(struct driver *driver);
struct offer_table *driver_inverse_offers(struct driver *driver);
const struct tasks *driver_tasks(const struct driver *driver);

struct driver_counters {
    uint64_t events[CALLBACKS];  // callbacks made
    uint64_t failed[CALLBACKS];  // callbacks that raised
    uint64_t launched;           // tasks, while connected
    uint64_t states[TASK_SLOTS]; // status updates given to the callback, by TaskState
};

const struct driver_counters *driver_counters(const struct driver *driver);
const struct call_counters *driver_call_counters(const struct driver *driver);

// Events that were received and wait: for the end of a callback, or for back-pressure to end.
size_t driver_events_waiting(const struct driver *driver);

// Calls that have no answer yet.
size_t driver_calls_waiting(const struct driver *driver);

// True if events are held back because too many calls wait for the master. So a listener that makes
// calls only in its callbacks cannot make too many.
bool driver_backpressured(const struct driver *driver);

// True if the waiting calls, such as those made outside of callbacks, take more than
// DRIVER_CALL_BYTES_MOST. Callers should make no more: beyond a larger limit of its own the
// transport drops calls, and reports them as not sent.
bool driver_full(const struct driver *driver);

#define DRIVER_CALL_BYTES_MOST ((size_t)128 << 20) // of memory of the calls that wait

// ---- operations ----
// All return the driver's status, and do nothing but that when it is not running.

enum driver_status driver_start(struct driver *driver);
enum driver_status driver_stop(struct driver *driver, bool failover);
enum driver_status driver_abort(struct driver *driver);

// Aborts the driver and calls the listener with CALLBACK_ERROR. All terminal errors come here.
void driver_fail(struct driver *driver, const char *text);

// `accept` is a Call.Accept. Its offers are spent. The caller has checked that they are outstanding
// (driver_offers).
enum driver_status driver_accept(struct driver *driver, struct slice accept);

// Declines are gathered and go out together at the end of the turn, or ahead of the next call.
// `filters` is a Filters message, or data NULL.
enum driver_status driver_decline(struct driver *driver, struct slice offer_id,
                                  struct slice filters);

// `status` is the TaskStatus or OperationStatus as it was received; what needs no acknowledgement
// is ignored.
enum driver_status driver_acknowledge(struct driver *driver, struct slice status);
enum driver_status driver_acknowledge_operation(struct driver *driver, struct slice status);

// `roles` ends with NULL; NULL itself means all roles.
enum driver_status driver_revive(struct driver *driver, const char *const *roles);
enum driver_status driver_suppress(struct driver *driver, const char *const *roles);

// `update` is a Call.UpdateFramework: replaces FrameworkInfo, suppressed roles and constraints.
enum driver_status driver_update_framework(struct driver *driver, struct slice update);

// KILL, SHUTDOWN, MESSAGE, REQUEST, RECONCILE, RECONCILE_OPERATIONS and the answers to inverse
// offers, with the message of the call. Dropped and counted while disconnected.
enum driver_status driver_call(struct driver *driver, enum call_type type, struct slice message);

// Gives up the subscription and takes a new one.
enum driver_status driver_reconnect(struct driver *driver);

// The master has completed the framework whose id the driver came with, and
// CALLBACK_FRAMEWORK_REMOVED asks what to do. If this was called before that callback has ended,
// and ended well, the driver goes on as a new framework, which begins with CALLBACK_REGISTERED.
// Otherwise it fails, with the master's text. Does nothing at any other time.
void driver_reregister(struct driver *driver);

#endif
