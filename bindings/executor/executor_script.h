// SPDX-License-Identifier: Apache-2.0
//
// An executor in Lua: the table of callbacks that a script returned, on an executor driver. Events
// become calls of the table's methods, each in a routine of its own.
//
// Callbacks are called one at a time. One that waits (mesos.exec, mesos.sleep) holds up the events
// behind it, but for launchTask and launchGroup: those may last as long as their tasks, while kills
// and further launches go on. A task whose launch raised an error fails with its message.

#ifndef MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SCRIPT_H
#define MESOS_LUA_BINDINGS_EXECUTOR_EXECUTOR_SCRIPT_H

#include "executor/executor_driver.h"
#include "script/script.h"

struct executor_script;

struct executor_script_settings {
    const struct executor_environment *environment; // outlives it
    struct transport *transport;                    // handed over
    bool tls;
    void (*expired)(void *data);                // see struct executor_listener
    void (*warn)(void *data, const char *text); // of likely mistakes, such as a misspelt name
    void *data;
};

// Makes the executor of the table that the main chunk of `script` returned. NULL, and `err`, if it
// returned something else; the transport is destroyed then, too.
struct executor_script *executor_script_create(struct script *script,
                                               const struct executor_script_settings *settings,
                                               struct error *err);

// True if the script returned a table with a callback that only executors have.
bool executor_script_is(struct script *script);

// Before its script. Legal at any time, also inside a callback. NULL is fine.
void executor_script_destroy(struct executor_script *executor);

struct executor_driver *executor_script_driver(struct executor_script *executor);

#endif
