// SPDX-License-Identifier: Apache-2.0
//
// The script host of mesos-lua for C programs: a framework written in Lua, with functions of yours
// available to it, run by your program. It does what the command line of mesos-lua does: the same
// options, the same log, reload, the stored state, and the local cluster. Signals are yours, and a
// control socket is opened only if the option `control` names one.
//
//     struct mesos_lua *host = mesos_lua_create(NULL, text, sizeof text);
//     bool good = mesos_lua_set(host, "master", "10.0.0.1:5050", text, sizeof text) &&
//                 mesos_lua_add_module(host, "shop", open_shop, &shop, text, sizeof text) &&
//                 mesos_lua_load(host, "policy.lua", NULL, text, sizeof text) &&
//                 mesos_lua_start(host, text, sizeof text);
//     if (!good) ...                                        // text says why
//     int status = mesos_lua_run(host);                     // until the script, or a stop, ends it
//     mesos_lua_destroy(host);
//
// One host is one run of one script. A process may have several.
//
// Ownership. What you pass in is copied before the function returns and stays yours, but for `data`
// and `upvalue`, which are only handed back and must live as long as the host. Functions return
// nothing that is to be freed, but mesos_lua_create(), which returns the host.
//
// Errors. A function that fails returns false or NULL and writes why, as one text that ends with a
// zero byte, to `error`, cut to `error_size` bytes; `error` may be NULL if `error_size` is 0. What
// goes wrong later is logged. Running out of memory ends the process with a message, but for the
// memory of Lua, where it is an error in the script.
//
// Threads and loops. All functions of one host belong to one thread: the one that runs its loop.
// The functions and callbacks of yours that the script or the host calls run there as well.
//
//  - Without options.loop the host has a loop of its own, which runs in mesos_lua_run().
//  - With options.loop, a libuv loop of yours, you run it, before or instead of mesos_lua_run().
//    From mesos_lua_start() until the end the host keeps uv_run() from returning. After
//    mesos_lua_destroy() let the loop run until its handles are closed (uv_run() returns) before
//    you close it.
//
// Processes. mesos.exec and the local cluster start programs through a small child of the process,
// which is forked when the first one is asked for and ends in mesos_lua_destroy(), with all that it
// has started. It shares the memory of the process as it was then; the fork takes longer the more
// that is.
//
// A function of yours that blocks holds up the framework: neither events nor answers are read
// meanwhile.

#ifndef MESOS_LUA_H
#define MESOS_LUA_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos_log.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mesos_lua;
struct lua_State; // lua_State, of Lua 5.4
struct uv_loop_s; // uv_loop_t

// ---- life ----

// Start from { .size = sizeof(struct mesos_lua_options) }: later versions add members at the end,
// whose zero means what was before.
struct mesos_lua_options {
    size_t size;

    struct uv_loop_s *loop; // yours, or NULL

    // The variables that `mesos-lua --help` lists (MESOS_MASTER and others) count, until
    // mesos_lua_set() says otherwise.
    bool environment;

    // Called once, by the loop, when a host that was started has ended, with its exit status.
    // Nothing of the script runs any more; the host may be destroyed in it.
    void (*ended)(void *data, struct mesos_lua *host, int status);

    // An attempt to reload the script has ended, with the line that was logged about it: the new
    // version runs (`swapped`), or the old one goes on or was rolled back to.
    void (*reloaded)(void *data, struct mesos_lua *host, bool swapped, const char *text);

    void *data; // for both
};

// A host without a script, with the options of the command line at their defaults. `options` may be
// NULL. The host is yours, to be destroyed with mesos_lua_destroy().
struct mesos_lua *mesos_lua_create(const struct mesos_lua_options *options, char *error,
                                   size_t error_size);

// Stops what runs, waits for it as mesos_lua_run() does, for a few seconds at most, and frees the
// host. NULL is fine. Inside a function that the script called, or in mesos_lua_load() or
// mesos_lua_run(), the end is put off until that has returned; the host is not yours any more, and
// `ended` and `reloaded` are not called.
void mesos_lua_destroy(struct mesos_lua *host);

// ---- before the script is loaded ----

// Sets an option of `mesos-lua run` by its long name: "master", "state", "no-watch". `value` is
// written as there; that of a flag is "true", "false", or NULL for true. Both are copied. The log
// level is that of the process, and counts at once.
bool mesos_lua_set(struct mesos_lua *host, const char *name, const char *value, char *error,
                   size_t error_size);

// A module that the script, and each later version of it, gets with require(name). `open` is a
// lua_CFunction: it is called with the name and returns the module, a table of your C functions for
// instance, made with luaL_newlib(). `upvalue` is its first upvalue, a light userdata. The name is
// copied; `upvalue` stays yours and must live as long as the host.
bool mesos_lua_add_module(struct mesos_lua *host, const char *name,
                          int (*open)(struct lua_State *L), void *upvalue, char *error,
                          size_t error_size);

// ---- the script ----

// Reads the script and runs its main chunk, once in the life of a host. `arguments` (which may be
// NULL) ends with NULL: they are the script's `...` and `arg`. All are copied. A script that asks
// for the end while it is loaded has loaded well. One that runs its drivers itself does so in here,
// on the host's loop. It fails if the host was destroyed meanwhile.
bool mesos_lua_load(struct mesos_lua *host, const char *path, const char *const *arguments,
                    char *error, size_t error_size);

// Starts the driver of a script that returned its scheduler, and the watch over its files. It takes
// nothing of yours.
bool mesos_lua_start(struct mesos_lua *host, char *error, size_t error_size);

// Runs the loop until the host has ended, starting it if it was not, and returns the exit status.
// Not inside a function that the script called. It returns nothing that is to be freed.
int mesos_lua_run(struct mesos_lua *host);

// Asks for a new version of the script, as soon as no callback runs: `reloaded` and the log tell
// how it went. Fails if nothing runs that can be reloaded. It takes nothing of yours.
bool mesos_lua_reload(struct mesos_lua *host, char *error, size_t error_size);

// Ends the framework in order: mesos_lua_run() returns, or `ended` is called, soon after. Legal at
// any time, also twice, and inside functions that the script called. The host stays yours.
void mesos_lua_stop(struct mesos_lua *host);

// True if it was started and has not ended yet.
bool mesos_lua_running(const struct mesos_lua *host);

// As that of the program: 0 the driver was stopped, 1 it was aborted, or the state could not be
// stored, 2 the script did not load; or what the script gave to mesos.exit(). It is final when the
// host has ended.
int mesos_lua_exit_status(const struct mesos_lua *host);

// ---- the log ----

// Where the log of the process goes from now on, that of all hosts and drivers, and from which
// level: as mesos_driver_set_log(), of which it is another name. `data` stays yours, until another
// function is set. The function must not call functions of a host.
void mesos_lua_set_log(mesos_log_function function, void *data, enum mesos_log_level level);

#ifdef __cplusplus
}
#endif

#endif
