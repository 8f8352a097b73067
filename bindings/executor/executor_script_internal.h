// SPDX-License-Identifier: Apache-2.0
//
// The internals of an executor in Lua, for the files of this folder only: executor_script.c (its
// life, and how events become calls), executor_arguments.c (what each callback is given),
// executor_methods.c (the driver object).

#ifndef MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SCRIPT_INTERNAL_H
#define MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SCRIPT_INTERNAL_H

#include "bindings/executor/executor_script.h"

#include <sys/queue.h>

// One callback, from its start to its end.
struct executor_routine {
    LIST_ENTRY(executor_routine) link;
    struct executor_script *executor; // NULL: it is gone
    struct executor_event event;      // of a launch with a reference on its block
    bool starting;                    // inside protect_dispatch()
    bool ended;                       // inside it, too
    bool missing;                     // the script has no such callback
};

struct executor_script {
    struct script *script;
    struct executor_driver *driver;
    int table, object; // registry references
    LIST_HEAD(, executor_routine) routines;
    bool destroyed; // while a callback is being started
    unsigned depth; // of callbacks that are being started
    void (*expired)(void *data);
    void *data;
};

// ---- executor_arguments.c ----

// For protect_dispatch() with a struct executor_routine: pushes the method, the table, the driver
// and the arguments; returns how many, 0 if there is no such method. // [-0, +n, e]
int executor_arguments_push(lua_State *L);

// ---- executor_methods.c ----

void executor_methods_open(lua_State *L); // makes the class of driver objects // [-0, +0, e]

// Pushes the driver object, the same each time; executor_methods_clear() ends it. // [-0, +1, m]
void executor_methods_push_driver(lua_State *L, struct executor_script *executor);

// The driver object at the top belongs to no executor any more. // [-1, +0, m]
void executor_methods_clear(lua_State *L);

#endif
