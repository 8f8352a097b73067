// SPDX-License-Identifier: Apache-2.0
//
// The only way into Lua. Every call of Lua code from C goes through here, is protected, and ends
// with an outcome and, if it raised, with a text that holds the message and a traceback.
//
// Callbacks, timers and spawned functions run as *routines*: each in a coroutine of its own, so
// that it may wait (mesos.sleep) while the loop goes on. A routine is anchored until it ends. When
// it ends, its `on_done` is called, exactly once: inside protect_dispatch() if it never waited,
// later otherwise. Main chunks are plain calls, which cannot wait.
//
// A coroutine that the script made itself may wait too: the wait passes through it down to its
// routine (coroutines.c). A wait is a yield of a private token; the token stays on top of the
// waiting coroutine's stack until it goes on, and marks it.
//
// Values for a call are made under protection as well: by the C function that protect_dispatch() is
// given, inside the routine, or by one that protect_run() runs, for protect_call().
//
// protect.c and collector.c call each other, as they are one engine: the end of every call into a
// script wakes the collector, and a step of the collector is itself a call into the script, since
// it runs finalizers, which must be watched and must keep the script alive as other calls do.

#ifndef MESOS_LUA_SCRIPT_PROTECT_H
#define MESOS_LUA_SCRIPT_PROTECT_H

#include "script/script.h"

enum protect_outcome {
    PROTECT_DONE,    // it returned
    PROTECT_RAISED,  // it raised an error
    PROTECT_YIELDED, // it waits and will end later
    PROTECT_EXITED,  // the script asked for the end; it never returns
    PROTECT_CLOSED,  // the script was closed before it ended
};

// How a routine ended.
struct protect_end {
    enum protect_outcome outcome; // not PROTECT_YIELDED
    const char *text;             // PROTECT_RAISED: message and traceback; otherwise empty
    lua_State *L;                 // PROTECT_DONE: the values that it returned are on top of this
    int results;                  //   stack; look at them without raising, and leave them there
    uint64_t began;               // for protect_seconds(); 0: it never began
};

// How long the routine took, with its waits. Inside of protect_done.
double protect_seconds(const struct script *script, const struct protect_end *end);

// What `end` points to is valid during the call. The script may be destroyed inside it.
typedef void (*protect_done)(void *data, const struct protect_end *end);

struct routine;

// What a call is called in messages and among the times of slices, such as "callback" and
// "statusUpdate". Both texts must live as long as the call or routine does. Where a title is a
// parameter, NULL means "a call into the script".
struct title {
    const char *kind, *name; // NULL: nothing
    bool loaded;             // a main chunk or an operator's code: --load-limit holds for it
};

// ---- from C ----

// Calls the function below `arguments` values on the state of the script. On PROTECT_DONE its
// results are there (`results` of them, or all with LUA_MULTRET), on PROTECT_RAISED the text.
// PROTECT_EXITED and PROTECT_CLOSED leave nothing. // [-(arguments + 1), +results|1|0, -]
enum protect_outcome protect_call(struct script *script, const struct title *title, int arguments,
                                  int results);

// The same for the main chunk of the script, for one result. // [-(arguments + 1), +1|0, -]
enum protect_outcome protect_main(struct script *script, const struct title *title, int arguments);

// The same for a C function that is given `data` as a light userdata. // [-0, +results|1|0, -]
enum protect_outcome protect_run(struct script *script, const struct title *title,
                                 lua_CFunction function, void *data, int results);

// The text that PROTECT_RAISED left on top. Never NULL. // [-0, +0, -]
const char *protect_text(struct script *script);

// What an outcome of protect_run() means for the caller: true for PROTECT_DONE, else the error,
// with the script's path, and without the text that PROTECT_RAISED left. // [-(0|1), +0, -]
bool protect_result(struct script *script, enum protect_outcome outcome, struct error *err);

// Starts a routine that calls `function`, a C function that is given `argument` as a light userdata
// at index 1, and then what it returned: a function and its arguments. If it returns nothing, that
// is done. `on_done` may be NULL. Returns PROTECT_YIELDED if it waits. // [-0, +0, -]
enum protect_outcome protect_dispatch(struct script *script, const struct title *title,
                                      lua_CFunction function, void *argument, protect_done on_done,
                                      void *data);

// Starts a prepared routine or goes on with a waiting one. // [-0, +0, -]
enum protect_outcome protect_resume(struct routine *routine);

// Of a routine that was started with these two. The first is true if it runs now, as the outermost
// of what runs. The second ends it with PROTECT_CLOSED if it waits; no Lua code may run then.
bool protect_runs(const struct script *script, protect_done on_done, const void *data);
void protect_abandon(struct script *script, protect_done on_done, void *data); // [-0, +0, -]

// Around a loop that a C function runs inside of a call into Lua: a pause of the script.
void protect_pause(struct script *script);
void protect_continue(struct script *script);

// ---- from C functions that Lua calls ----

// Ensures that the next protect_prepare() has a coroutine, so that it raises only "too many
// arguments". // [-0, +0, m]
void protect_ready(lua_State *L);

// Makes a routine of the function below `arguments` values; protect_resume() starts it.
// [-(arguments + 1), +0, e]
struct routine *protect_prepare(lua_State *L, const struct title *title, int arguments,
                                protect_done on_done, void *data);

// The routine that a wait here would suspend. Raises if there can be none, with `what` at the
// front: "mesos.sleep cannot wait ...". // [-0, +0, e]
struct routine *protect_waiter(lua_State *L, const char *what);

// True if this runs inside a routine; false in a main chunk or another plain call. // [-0, +0, -]
bool protect_in_routine(lua_State *L);

// True if this runs inside the main chunk of a script, and not in a routine or in a finalizer that
// ran while the host was at work. // [-0, +0, -]
bool protect_in_main(lua_State *L);

// Sets what protect_abandon() calls to end the wait that follows, so protect_resume() will not
// come.
void protect_waits_for(struct routine *routine, void (*abandon)(void *data), void *data);

// Suspends the routine of protect_waiter() until protect_resume(); then `k` goes on and makes the
// results. Use it as `return protect_wait(...)`. // [-0, +0, e]
int protect_wait(lua_State *L, lua_KContext context, lua_KFunction k);

// Raises the error that may not be caught again, if the script is being stopped. Every C function
// that called Lua, ran a loop, or caught an error calls this before it returns. // [-0, +0, e]
void protect_check(lua_State *L);

// True if the script is being stopped, and so may not see what happens now.
bool protect_stopping(lua_State *L);

// Stops the script, or its slice (watchdog.h), for good. // [-0, +0, e]
void protect_unwind(lua_State *L) __attribute__((noreturn));

// lua_pcallk() for C functions. The caller decides by protect_check() what the script may see.
// [-(arguments + 1), +results|1, -]
static inline int protect_pcall(lua_State *L, int arguments, int results, int handler,
                                lua_KContext context, lua_KFunction k)
{
    return lua_pcallk(L, arguments, results, handler, context, k);
}

// ---- for attached.c ----

// What the program that owns the state runs, from now on until protect_detach(): as a main chunk.
void protect_attach(struct script *script);
void protect_detach(struct script *script);

// ---- for coroutines.c ----

// lua_resume() of a coroutine that the script made.
int protect_coroutine(lua_State *L, lua_State *coroutine, int arguments, int *results);
int protect_coroutine_close(lua_State *L, lua_State *coroutine);

bool protect_waiting(lua_State *coroutine); // True if its wait is the host's.
bool protect_in_coroutine(lua_State *L);    // True if `L` may yield to the script.

// ---- for script.c and collector.c ----

// A step of the collector, whose finalizers are watched as calls are. True if its cycle is over.
bool protect_collect(struct script *script);

void protect_settle(struct script *script); // takes back one `busy`

void protect_close(struct script *script); // ends every routine with PROTECT_CLOSED

#endif
