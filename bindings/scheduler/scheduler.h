// SPDX-License-Identifier: Apache-2.0
//
// A scheduler: the table of callbacks that a script wrote, on a driver. Events of the driver become
// calls of the table's methods, each in a routine of its own; how the call ends decides whether an
// update is acknowledged.
//
// The host makes the scheduler of a script that returns its table; a script that builds its own
// driver makes one with mesos.SchedulerDriver. Either way the scheduler owns the driver, and the
// object that Lua holds (scheduler_handle.h) is a handle to it.

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_H
#define MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_H

#include "base/buffer.h"
#include "bindings/scheduler/scheduler_handle.h"
#include "mesos/driver.h"
#include "net/credentials.h"
#include "script/script.h"

struct http_services;
struct scheduler;

// What the program does for schedulers. Each function is given `data`.
struct scheduler_services {
    // Sets the detector, the transport and how they are used, for a master's address and for the
    // credentials that the script gave; NULL stands for the program's own choice of either.
    bool (*connect)(void *data, const char *master, const struct credentials_options *credential,
                    struct driver_options *options, struct error *err);
    // Runs turns of the loop until `done`; for driver:run() and driver:join().
    void (*run)(void *data, bool (*done)(void *data), void *done_data);
    // The framework id that is kept over restarts (empty: none yet), and the way to keep another,
    // or none: it returns true when that is safe. Both NULL: none is kept. It is that of one
    // scheduler at a time.
    struct slice (*kept_id)(void *data);
    bool (*keep_id)(void *data, struct slice id, struct error *err);
    // A scheduler was subscribed, or is no longer; called ahead of its callback. NULL is fine.
    void (*connected)(void *data, struct scheduler *scheduler, bool connected);
    void *data;
};

// The schedulers of one program, and what it is doing.
struct scheduler_environment {
    struct loop *loop;
    const struct scheduler_services *services;

    // What mesos.serve listens with, or NULL; whether a script in the sandbox may; and more names
    // that requests to it may use, "a,b", or NULL.
    struct http_services *http_services;
    bool allow_serve;
    const char *allow_hosts;

    // Written by the program.
    bool checking;  // load and look, but contact no master; does not change
    bool testing;   // a test of a policy, which drives the scheduler itself; does not change
    bool ending;    // start no driver any more; set when the program begins to end
    bool replacing; // true while a script is loaded that shall take over a scheduler: it may start
                    //   no driver

    // Written by scheduler.c.
    struct scheduler *first; // all of them, the newest first
    struct scheduler *kept;  // whose framework id is kept, or NULL
    bool used;               // there was one, also if it is gone by now
    bool aborted;            // the driver that finished last was aborted
};

// Makes a scheduler from the settings table at `index`: { scheduler =, framework =, master =,
// implicitAcknowledgements =, suppressedRoles =, offerConstraints =, credential = }. Raises on what
// is wrong with it, naming it. The scheduler belongs to the caller. // [-0, +0, e]
struct scheduler *scheduler_create(lua_State *L, int index,
                                   struct scheduler_environment *environment);

// Legal at any time, also inside a callback.
void scheduler_destroy(struct scheduler *scheduler);

// The outstanding offer of that id, of any scheduler of the struct scheduler_environment `data`.
const struct offer *scheduler_find_offer(void *data, struct slice id);

struct driver *scheduler_driver(struct scheduler *scheduler);
struct scheduler *scheduler_next(struct scheduler *scheduler); // in its environment

// Stops it as a signal does: with failover if its framework has a failover timeout.
void scheduler_stop(struct scheduler *scheduler);

// A callback that waits (mesos.sleep) is not waited for any more: the driver goes on as if it had
// raised. It may still run to its end, or never again.
void scheduler_give_up(struct scheduler *scheduler);

bool scheduler_explicit(const struct scheduler *scheduler); // explicit acknowledgements

struct scheduler_environment *scheduler_environment(struct scheduler *scheduler);

// Pushes its driver object, the same each time. // [-0, +1, m]
void scheduler_push_driver(lua_State *L, struct scheduler *scheduler);

// Keeps the driver object at `index` from being collected until the driver has finished.
// [-0, +0, m]
void scheduler_hold(lua_State *L, struct scheduler *scheduler, int index);

// Lets a handle point to it, one of several perhaps.
void scheduler_point(struct scheduler *scheduler, struct scheduler_handle *handle);

// `script` is being closed: none of its schedulers may use it any more.
void scheduler_forget(struct scheduler_environment *environment, const struct script *script);

// Makes the scheduler of the table that the main chunk of `script` returned; `warn` is
// called for likely mistakes, such as a misspelt callback name. A script that
// returned nothing but made drivers of its own is fine as well: then `made` is NULL. False, and
// `err`, if the script returned something else or its table is wrong.
bool scheduler_adopt(struct script *script, struct scheduler_environment *environment,
                     void (*warn)(void *data, const char *text), void *data,
                     struct scheduler **made, struct error *err);

// ---- another version of the script ----

// Makes `script`, which has been loaded and returned its scheduler, the one that is called from now
// on. Only the table is replaced: the driver, its subscription and its offers stay. What the new
// table changes of the framework, its suppressed roles, constraints and acknowledgements goes to
// the driver, and is appended to `changes` with the callbacks that were added and removed. The
// driver is handed over (driver_hand_over); the caller releases it.
//
// The old script is not used any more and its driver object says so; a callback of it that is
// pending is given up and its event comes again. False, and `err`, if the new script returned
// something else, its table is wrong, or it wants to change what a framework cannot change: then
// nothing has changed.
bool scheduler_replace(struct scheduler *scheduler, struct script *script,
                       void (*warn)(void *data, const char *text), void *data,
                       struct buffer *changes, struct error *err);

// Calls `ended` whenever a callback of the script has come to its end; `text` is NULL, or why it
// failed. Returning true for one that failed makes its event come again (driver_repeat).
void scheduler_observe(struct scheduler *scheduler,
                       bool (*ended)(void *data, const char *callback, const char *text),
                       void *data);

// The name of the callback that runs or waits, or NULL.
const char *scheduler_callback(const struct scheduler *scheduler);

// How long the calls of one callback took, from the start to the end, waits included.
enum { SCHEDULER_BOUNDS = 10 };

extern const double scheduler_bounds[SCHEDULER_BOUNDS]; // seconds, ascending

struct scheduler_times {
    uint64_t within[SCHEDULER_BOUNDS]; // calls above the bound before, up to this one
    uint64_t count;                    // all of them
    double sum, longest, last;         // seconds
};

const struct scheduler_times *scheduler_times(const struct scheduler *scheduler,
                                              enum driver_callback callback);

// Pushes the table of callbacks, or nil if its script was closed. // [-0, +1, -]
void scheduler_push_table(lua_State *L, const struct scheduler *scheduler);

#endif
