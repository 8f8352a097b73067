// SPDX-License-Identifier: Apache-2.0
//
// The internals of a scheduler, for the files of this folder only: scheduler.c (its life, and how
// events become calls), callback_arguments.c (what each callback is given), scheduler_settings.c
// (what its table says), scheduler_adopt.c (the scheduler that a script returned, and that of its
// next version), submissions.c (jobs from outside).

#ifndef MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_INTERNAL_H
#define MESOS_LUA_BINDINGS_SCHEDULER_SCHEDULER_INTERNAL_H

#include "bindings/scheduler/scheduler.h"
#include "bindings/scheduler/scheduler_handle.h"
#include "mesos/roles.h"

#include <lauxlib.h>
#include <sys/queue.h>

struct callback_delivery;
struct protect_end;
struct submission;
struct view_class;

// A callback while it is being started, on the C stack: what it is given, and how it ended if that
// was at once.
struct callback_dispatch {
    struct scheduler *scheduler;
    const struct driver_event *event;
    bool missing; // the script has no such callback
    enum driver_outcome outcome;
};

// What the table said when it was adopted, for comparison with the next version's.
struct scheduler_description {
    struct bytes *framework;   // FrameworkInfo
    struct bytes *constraints; // OfferConstraints, or NULL
    struct roles suppressed;
    uint32_t callbacks; // one bit for each that it has
};

struct scheduler {
    struct scheduler_environment *environment;
    struct scheduler *next, **link; // among those of the environment
    struct script *script;          // NULL: it was closed
    struct driver *driver;
    struct scheduler_handles handles;  // that point to it
    int table, object;                 // registry references
    const struct view_class *statuses; // of the script's state; NULL: not asked for yet
    bool explicit_acknowledgements;
    bool resumes;         // came with the id that was kept, and has not registered yet
    bool destroy_pending; // destroyed while a callback is being started
    struct callback_dispatch *dispatch;   // the callback that is being started, or NULL
    struct callback_delivery *delivery;   // the callback whose end the driver waits for, or NULL
    struct callback_delivery *spare;      // for the next one, or NULL
    TAILQ_HEAD(, submission) submissions; // that have no answer yet, in their order
    size_t submission_count;
    struct scheduler_description description;
    bool (*ended)(void *data, const char *callback, const char *text);
    void *ended_data;
    struct scheduler_times times[CALLBACKS];
};

// What driver_create() needs, in memory that the Lua stack owns.
struct scheduler_settings {
    struct driver_options options;
    const char *master;
    struct credentials_options credential; // principal NULL: none was given
    uint32_t callbacks;
};

// ---- scheduler.c ----

// Drops the registry references to the table and the driver object: the script is not used again.
void scheduler_unref_script(struct scheduler *scheduler);

// Pushes the driver object that the script has, or makes one. // [-0, +1, m]
static inline void scheduler_push_object(lua_State *L, struct scheduler *scheduler)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, scheduler->object) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    scheduler_handle_link(scheduler_handle_push(L, NULL), scheduler, &scheduler->handles);
    lua_pushvalue(L, -1);
    scheduler->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

// ---- callback_arguments.c ----

// For protect_dispatch() with a struct callback_dispatch: pushes the method, the scheduler's table,
// the driver and the arguments; returns how many, 0 if there is no such method. // [-0, +n, e]
int callback_arguments_push(lua_State *L);

// ---- submissions.c ----

// The function that calls the callback submit and makes its answer. // [-0, +1, -]
void submissions_push_caller(lua_State *L);
int submissions_push_job(lua_State *L, const struct driver_event *event); // [-0, +1, e]

// The callback that was given that job has ended, and is not called for it again.
void submissions_answer(struct scheduler *scheduler, const struct bytes *job, bool missing,
                        const struct protect_end *end);
void submissions_end_all(struct scheduler *scheduler, const char *why);

// ---- scheduler_settings.c ----

// Raises if the table at `index` has an unknown setting. // [-0, +0, v]
void scheduler_settings_check(lua_State *L, int index);

// The first value that it leaves is the table of callbacks. // [-0, +many, e]
void scheduler_settings_read(lua_State *L, int index, struct scheduler_settings *settings);

void scheduler_settings_describe(struct scheduler_description *description,
                                 const struct scheduler_settings *settings);
void scheduler_settings_forget(struct scheduler_description *description);

#endif
