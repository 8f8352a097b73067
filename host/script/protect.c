// SPDX-License-Identifier: Apache-2.0
//
// The only way into Lua: see protect.h. Only this file resumes a coroutine or calls in protected
// mode. The circle with collector.c is explained in protect.h: collector_wake() is called here, and
// collector.c calls protect_collect() and protect_settle().
//
// A routine owns its coroutine through a registry reference that it holds for its whole life, also
// while it is idle, so no lua_State here can be one that was collected.
// Running out of Lua memory is an error like any other: what is done outside of protected calls
// allocates nothing in Lua.

#include "script/protect.h"

#include "base/log.h"
#include "base/memory.h"
#include "script/script_internal.h"
#include "script/traceback.h"

#include <lauxlib.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_ROUTINES = 16,
    TITLE_MOST = 128,
    RESERVE = 65536, // bytes above the memory limit, to describe an error
};

struct routine {
    struct script *script;
    lua_State *L;
    int reference; // keeps L
    bool waiting;
    uint64_t began; // the start of its first slice, or 0
    struct title title;
    protect_done on_done;
    void *data;
    void (*abandon)(void *data); // ends what it waits for
    void *abandon_data;
    struct routine *next, **link;
};

static const char token;    // what a wait yields
static const char sentinel; // what a script that is being stopped raises

static void *address(const char *key)
{
    return (void *)(uintptr_t)key;
}

// ---- what runs ----

// The watchdog's signal may come between any two instructions: it must find a complete frame.
static void enter(struct script *script, struct frame *frame)
{
    frame->previous = script->frame;
    frame->first = !script->watchdog.open;
    atomic_signal_fence(memory_order_seq_cst);
    script->frame = frame;
    if (frame->first)
        watchdog_begin(script, frame);
}

static void leave(struct script *script, struct frame *frame)
{
    assert(script->frame == frame);
    if (frame->first)
        watchdog_end(script, frame);
    script->frame = frame->previous;
    atomic_signal_fence(memory_order_seq_cst);
    if (frame->hooked)
        watchdog_unhook(frame);
}

void protect_attach(struct script *script)
{
    script->base = (struct frame){.L = script->L, .main = true};
    script->busy++;
    enter(script, &script->base);
}

void protect_detach(struct script *script)
{
    leave(script, &script->base);
    script->busy = 0;
}

void protect_pause(struct script *script)
{
    watchdog_pause(script);
}

void protect_continue(struct script *script)
{
    watchdog_continue(script);
}

// The end of a call into Lua. The trace of a caught error must not appear behind a later one.
static void become_idle(struct script *script)
{
    script->runs++;
    collector_wake(script);
    protect_settle(script);
}

void protect_settle(struct script *script)
{
    if (--script->busy > 0)
        return;
    if (script->traced) {
        traceback_forget(script->L);
        script->traced = false;
    }
    if (script->destroy_pending)
        deferral_queue(&script->destruction);
}

bool protect_collect(struct script *script)
{
    struct frame frame = {.L = script->L, .title = {.kind = "a finalizer", .name = "(__gc)"}};
    enter(script, &frame);
    bool done = lua_gc(script->L, LUA_GCSTEP, 0) != 0;
    leave(script, &frame);
    return done;
}

// ---- the end of a script ----

static void on_stopped(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_pushlightuserdata(L, address(&sentinel));
    lua_error(L);
}

// The hook stops code that catches errors unseen, such as a reader of load().
void protect_unwind(lua_State *L)
{
    if (!script_of(L)->exiting)
        watchdog_unwind(L);
    lua_sethook(L, on_stopped, LUA_MASKCOUNT, 1);
    lua_pushlightuserdata(L, address(&sentinel));
    lua_error(L);
    abort();
}

bool protect_stopping(lua_State *L)
{
    const struct script *script = script_of(L);
    return script->exiting || script->watchdog.stopping;
}

void protect_check(lua_State *L)
{
    if (protect_stopping(L))
        protect_unwind(L);
}

// ---- the text of an error ----

// The message handler of calls on the main state.
static int l_message(lua_State *L)
{
    lua_settop(L, 1);
    if (!protect_stopping(L))
        traceback_text(L, L, 1);
    return 1;
}

// (the failed coroutine) -> text
static int l_describe(lua_State *L)
{
    lua_State *thread = lua_touserdata(L, 1);
    if (lua_checkstack(thread, 1)) {
        lua_pushvalue(thread, -1);
        lua_xmove(thread, L, 1);
    } else {
        lua_xmove(thread, L, 1);
    }
    traceback_text(L, thread, 0);
    return 1;
}

static const char *plain_text(lua_State *L)
{
    if (lua_gettop(L) == 0 || lua_isnil(L, -1))
        return "not enough memory";
    if (lua_type(L, -1) == LUA_TSTRING)
        return lua_tostring(L, -1);
    return "(an error value that cannot be printed)";
}

const char *protect_text(struct script *script)
{
    return plain_text(script->L);
}

bool protect_result(struct script *script, enum protect_outcome outcome, struct error *err)
{
    if (outcome == PROTECT_DONE)
        return true;
    if (outcome != PROTECT_RAISED)
        return error_set(err, ERROR_SCRIPT, "%s: it ended itself", script->path);
    error_set(err, ERROR_SCRIPT, "%s: %s", script->path, protect_text(script));
    lua_pop(script->L, 1);
    return false;
}

// Pushes the text of the error of a failed coroutine, or something else, and returns it.
// [-0, +1, -]
static const char *push_failure(struct script *script, lua_State *failed)
{
    lua_State *L = script->L;
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        lua_pushnil(L);
        return plain_text(failed);
    }
    if (script->watchdog.stopped) {
        watchdog_push_text(L);
        return plain_text(L);
    }
    struct frame frame = {.L = L};
    enter(script, &frame);
    script->heap.limit += script->heap.limit ? RESERVE : 0;
    lua_pushcfunction(L, l_describe);
    lua_pushlightuserdata(L, failed);
    int status = lua_pcall(L, 1, 1, 0);
    script->heap.limit -= script->heap.limit ? RESERVE : 0;
    leave(script, &frame);
    return status == LUA_OK ? lua_tostring(L, -1) : plain_text(failed);
}

// ---- plain calls ----

// The outcome of a call into a script that is ending; PROTECT_DONE if it is not.
static enum protect_outcome refusal(const struct script *script)
{
    if (script->closing)
        return PROTECT_CLOSED;
    return script->exiting ? PROTECT_EXITED : PROTECT_DONE;
}

static enum protect_outcome call_outcome(struct script *script, int status, int base)
{
    if (script->exiting) {
        lua_settop(script->L, base - 1);
        return PROTECT_EXITED;
    }
    if (status == LUA_OK)
        return PROTECT_DONE;
    script->failures++;
    if (status == LUA_ERRMEM)
        watchdog_explain(script->L);
    if (script->watchdog.stopped) {
        lua_settop(script->L, base - 1);
        watchdog_push_text(script->L);
    }
    return PROTECT_RAISED;
}

static enum protect_outcome call(struct script *script, struct frame *frame, int arguments,
                                 int results)
{
    lua_State *L = script->L;
    int base = lua_gettop(L) - arguments;
    enum protect_outcome refused = refusal(script);
    if (refused != PROTECT_DONE) {
        lua_settop(L, base - 1);
        return refused;
    }
    script->busy++;
    enter(script, frame);
    lua_pushcfunction(L, l_message);
    lua_insert(L, base);
    int status = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    leave(script, frame);
    enum protect_outcome outcome = call_outcome(script, status, base);
    become_idle(script);
    return outcome;
}

double protect_seconds(const struct script *script, const struct protect_end *end)
{
    return watchdog_seconds(&script->watchdog, end->began);
}

static struct title title_of(const struct title *title)
{
    return title ? *title : (struct title){.kind = NULL};
}

enum protect_outcome protect_call(struct script *script, const struct title *title, int arguments,
                                  int results)
{
    struct frame frame = {.L = script->L, .title = title_of(title)};
    return call(script, &frame, arguments, results);
}

enum protect_outcome protect_main(struct script *script, const struct title *title, int arguments)
{
    struct frame frame = {.L = script->L, .title = title_of(title), .main = true};
    return call(script, &frame, arguments, 1);
}

enum protect_outcome protect_run(struct script *script, const struct title *title,
                                 lua_CFunction function, void *data, int results)
{
    lua_State *L = script->L;
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        lua_pushnil(L);
        return PROTECT_RAISED;
    }
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, data);
    return protect_call(script, title, 1, results);
}

// ---- routines ----

static void link_routine(struct routine *routine)
{
    struct script *script = routine->script;
    routine->next = script->routines;
    routine->link = &script->routines;
    if (routine->next != NULL)
        routine->next->link = &routine->next;
    script->routines = routine;
}

static void unlink_routine(struct routine *routine)
{
    *routine->link = routine->next;
    if (routine->next != NULL)
        routine->next->link = routine->link;
}

// An idle routine, if there is one, in the list of the active ones.
static struct routine *pop_idle(struct script *script)
{
    struct routine *routine = script->idle;
    if (routine == NULL)
        return NULL;
    script->idle = routine->next;
    script->idles--;
    link_routine(routine);
    return routine;
}

static void push_idle(struct routine *routine)
{
    struct script *script = routine->script;
    routine->next = script->idle;
    script->idle = routine;
    script->idles++;
}

void protect_ready(lua_State *L)
{
    struct script *script = script_of(L);
    if (script->idle != NULL)
        return;
    lua_State *thread = lua_newthread(L);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    struct routine *routine = memory_new(sizeof *routine);
    *routine = (struct routine){.script = script, .L = thread, .reference = reference};
    push_idle(routine);
}

static void free_routine(struct routine *routine)
{
    luaL_unref(routine->script->L, LUA_REGISTRYINDEX, routine->reference);
    free(routine);
}

// Logs that closing the variables was stopped; the failure of the routine itself is reported.
static void log_stopped(struct script *script, const struct title *title)
{
    watchdog_push_text(script->L);
    log_error("%s %s: %s", title->kind ? title->kind : "a call", title->kind ? title->name : "",
              protect_text(script));
    lua_pop(script->L, 1);
}

// Runs what a failed routine left to be closed.
static void close_variables(struct routine *routine)
{
    struct script *script = routine->script;
    if (refusal(script) != PROTECT_DONE)
        return;
    struct frame frame = {.L = routine->L, .title = routine->title};
    enter(script, &frame);
    lua_resetthread(routine->L);
    leave(script, &frame);
    if (script->watchdog.stopped)
        log_stopped(script, &routine->title);
}

// `clean`: its coroutine returned, and can be used again.
static void release_routine(struct routine *routine, bool clean)
{
    struct script *script = routine->script;
    if (!clean)
        close_variables(routine);
    if (!clean || script->idles >= IDLE_ROUTINES || script->closing) {
        free_routine(routine);
        return;
    }
    lua_settop(routine->L, 0);
    routine->waiting = false;
    push_idle(routine);
}

// Copies the name in its title, which may not outlive the call of on_done().
static void keep_name(struct routine *routine, char *name)
{
    if (routine->title.name == NULL)
        return;
    snprintf(name, TITLE_MOST, "%s", routine->title.name);
    routine->title.name = name;
}

static enum protect_outcome finish(struct routine *routine, struct protect_end *end)
{
    enum protect_outcome outcome = end->outcome;
    end->began = routine->began;
    char name[TITLE_MOST];
    if (outcome != PROTECT_DONE)
        keep_name(routine, name);
    unlink_routine(routine);
    if (outcome == PROTECT_RAISED)
        routine->script->failures++;
    if (routine->on_done != NULL)
        routine->on_done(routine->data, end);
    release_routine(routine, outcome == PROTECT_DONE);
    return outcome;
}

static enum protect_outcome fail(struct routine *routine, const char *text)
{
    return finish(routine, &(struct protect_end){.outcome = PROTECT_RAISED, .text = text});
}

static enum protect_outcome fail_with_error(struct routine *routine, int status)
{
    lua_State *L = routine->script->L;
    if (status == LUA_ERRMEM)
        watchdog_explain(routine->L);
    const char *text = push_failure(routine->script, routine->L);
    enum protect_outcome outcome = fail(routine, text);
    lua_pop(L, 1);
    return outcome;
}

// Looks at how a coroutine came back. One that waits stays where it is even if the script asks for
// the end, as a finalizer of it may: what it waits for knows it until the script is closed.
static enum protect_outcome settle(struct routine *routine, int status, int results)
{
    if (status == LUA_YIELD && protect_waiting(routine->L)) {
        routine->waiting = true;
        return PROTECT_YIELDED;
    }
    if (routine->script->exiting)
        return finish(routine, &(struct protect_end){.outcome = PROTECT_EXITED, .text = ""});
    if (status == LUA_OK)
        return finish(
            routine, &(struct protect_end){
                         .outcome = PROTECT_DONE, .text = "", .L = routine->L, .results = results});
    if (status != LUA_YIELD)
        return fail_with_error(routine, status);
    return fail(routine, "attempt to yield from outside a coroutine");
}

static enum protect_outcome advance(struct routine *routine, int arguments)
{
    struct script *script = routine->script;
    lua_State *from = script->frame ? script->frame->L : NULL;
    int results = 0;
    struct frame frame = {
        .L = routine->L, .routine = routine, .waits = true, .title = routine->title};
    script->busy++;
    enter(script, &frame);
    if (routine->began == 0)
        routine->began = frame.first ? script->watchdog.start : watchdog_now();
    int status = lua_resume(routine->L, from, arguments, &results);
    leave(script, &frame);
    enum protect_outcome outcome = settle(routine, status, results);
    become_idle(script);
    return outcome;
}

enum protect_outcome protect_resume(struct routine *routine)
{
    enum protect_outcome refused = refusal(routine->script);
    if (refused != PROTECT_DONE)
        return refused;
    if (!routine->waiting)
        return advance(routine, lua_gettop(routine->L) - 1);
    routine->waiting = false;
    routine->abandon = NULL;
    lua_pop(routine->L, 1);
    return advance(routine, 0);
}

static void describe(struct routine *routine, const struct title *title, protect_done on_done,
                     void *data)
{
    routine->title = title_of(title);
    routine->on_done = on_done;
    routine->data = data;
    routine->began = 0;
}

// Moves the function and its arguments from the top of `L`.
static bool load_routine(struct routine *routine, lua_State *L, int arguments)
{
    if (!lua_checkstack(routine->L, arguments + 1))
        return false;
    lua_xmove(L, routine->L, arguments + 1);
    return true;
}

struct routine *protect_prepare(lua_State *L, const struct title *title, int arguments,
                                protect_done on_done, void *data)
{
    protect_ready(L);
    struct routine *routine = pop_idle(script_of(L));
    if (!load_routine(routine, L, arguments)) {
        unlink_routine(routine);
        release_routine(routine, true);
        luaL_error(L, "too many arguments");
    }
    describe(routine, title, on_done, data);
    return routine;
}

// ---- starting from C ----

static enum protect_outcome report(protect_done on_done, void *data, enum protect_outcome outcome,
                                   const char *text)
{
    if (on_done != NULL)
        on_done(data, &(struct protect_end){.outcome = outcome, .text = text});
    return outcome;
}

// The text is on the top. // [-1, +0, -]
static enum protect_outcome report_failure(struct script *script, protect_done on_done, void *data)
{
    report(on_done, data, PROTECT_RAISED, protect_text(script));
    lua_pop(script->L, 1);
    return PROTECT_RAISED;
}

static int l_ready(lua_State *L)
{
    protect_ready(L);
    return 0;
}

// An idle or a new routine; NULL if there is none, after a call of `on_done` with the reason.
// [-0, +0, -]
static struct routine *obtain(struct script *script, const struct title *title,
                              protect_done on_done, void *data, enum protect_outcome *outcome)
{
    *outcome = script->idle ? PROTECT_DONE : protect_run(script, title, l_ready, NULL, 0);
    struct routine *routine = *outcome == PROTECT_DONE ? pop_idle(script) : NULL;
    if (routine != NULL) {
        describe(routine, title, on_done, data);
    } else if (*outcome == PROTECT_RAISED) {
        report_failure(script, on_done, data);
    } else {
        if (*outcome == PROTECT_DONE) // a finalizer has taken it
            *outcome = PROTECT_RAISED;
        report(on_done, data, *outcome, "no coroutine is left for it");
    }
    return routine;
}

// What a routine begins with if its arguments are not made yet.
struct dispatch {
    lua_CFunction function;
};

enum { DISPATCH_ARGUMENTS = 2 }; // of l_dispatch

static int on_called(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - DISPATCH_ARGUMENTS;
}

// (argument, dispatch): makes the function and its arguments, and calls it.
static int l_dispatch(lua_State *L)
{
    const struct dispatch *dispatch = lua_touserdata(L, 2);
    int values = dispatch->function(L);
    if (values == 0)
        return 0;
    lua_callk(L, values - 1, LUA_MULTRET, 0, on_called);
    return on_called(L, LUA_OK, 0);
}

static enum protect_outcome dispatch(struct script *script, const struct title *title,
                                     lua_CFunction function, void *argument, protect_done on_done,
                                     void *data)
{
    struct dispatch it = {.function = function};
    enum protect_outcome outcome;
    struct routine *routine = obtain(script, title, on_done, data, &outcome);
    if (routine == NULL)
        return outcome;
    if (!lua_checkstack(routine->L, LUA_MINSTACK))
        return fail(routine, "not enough memory");
    lua_pushcfunction(routine->L, l_dispatch);
    lua_pushlightuserdata(routine->L, argument);
    lua_pushlightuserdata(routine->L, &it);
    return advance(routine, DISPATCH_ARGUMENTS);
}

// The script stays busy until `on_done` has returned, so `on_done` may destroy the script.
enum protect_outcome protect_dispatch(struct script *script, const struct title *title,
                                      lua_CFunction function, void *argument, protect_done on_done,
                                      void *data)
{
    int top = lua_gettop(script->L);
    enum protect_outcome outcome = refusal(script);
    script->busy++;
    if (outcome == PROTECT_DONE)
        outcome = dispatch(script, title, function, argument, on_done, data);
    else
        report(on_done, data, outcome, "");
    assert(lua_gettop(script->L) == top);
    (void)top;
    become_idle(script);
    return outcome;
}

// ---- abandoning a routine ----

bool protect_runs(const struct script *script, protect_done on_done, const void *data)
{
    const struct frame *frame = script->watchdog.open ? script->frame : NULL;
    while (frame != NULL && !frame->first)
        frame = frame->previous;
    const struct routine *routine = frame ? frame->routine : NULL;
    return routine != NULL && routine->on_done == on_done && routine->data == data;
}

void protect_abandon(struct script *script, protect_done on_done, void *data)
{
    struct routine *routine = script->routines;
    while (routine != NULL && (routine->on_done != on_done || routine->data != data))
        routine = routine->next;
    if (routine == NULL || !routine->waiting || routine->abandon == NULL)
        return;
    routine->abandon(routine->abandon_data);
    script->busy++;
    finish(routine, &(struct protect_end){.outcome = PROTECT_CLOSED, .text = ""});
    become_idle(script);
}

// A Lua state of another program ends by its finalizers, in an order of its own: what the routine
// would tell of its end may be gone, its name too.
static void forget_owner(struct routine *routine)
{
    routine->title.name = NULL;
    routine->on_done = NULL;
}

void protect_close(struct script *script)
{
    while (script->routines != NULL) {
        if (script->attached)
            forget_owner(script->routines);
        finish(script->routines, &(struct protect_end){.outcome = PROTECT_CLOSED, .text = ""});
    }
    while (script->idle != NULL) {
        struct routine *routine = script->idle;
        script->idle = routine->next;
        free_routine(routine);
    }
}

// ---- waiting ----

bool protect_waiting(lua_State *coroutine)
{
    return lua_status(coroutine) == LUA_YIELD && lua_gettop(coroutine) > 0 &&
           lua_touserdata(coroutine, -1) == &token;
}

struct routine *protect_waiter(lua_State *L, const char *what)
{
    struct frame *frame = script_of(L)->frame;
    if (frame == NULL || frame->routine == NULL)
        luaL_error(L,
                   "%s cannot wait here, in a main chunk or a finalizer: call it in a callback, a "
                   "timer or a function given to mesos.spawn",
                   what);
    if (frame->L != L || !frame->waits || !lua_isyieldable(L))
        luaL_error(L,
                   "%s cannot wait inside a function that is called from C, such as one given to "
                   "table.sort or string.gsub, or a finalizer%s",
                   what,
                   script_of(L)->attached ? ", and outside of mesos-lua inside a coroutine" : "");
    return frame->routine;
}

void protect_waits_for(struct routine *routine, void (*abandon)(void *data), void *data)
{
    routine->abandon = abandon;
    routine->abandon_data = data;
}

int protect_wait(lua_State *L, lua_KContext context, lua_KFunction k)
{
    lua_pushlightuserdata(L, address(&token));
    return lua_yieldk(L, 1, context, k);
}

bool protect_in_routine(lua_State *L)
{
    struct frame *frame = script_of(L)->frame;
    return frame != NULL && frame->routine != NULL;
}

bool protect_in_main(lua_State *L)
{
    struct frame *frame = script_of(L)->frame;
    return frame != NULL && frame->main;
}

// ---- the script's own coroutines ----

bool protect_in_coroutine(lua_State *L)
{
    struct frame *frame = script_of(L)->frame;
    return frame == NULL || frame->L != L || frame->coroutine;
}

int protect_coroutine(lua_State *L, lua_State *coroutine, int arguments, int *results)
{
    struct script *script = script_of(L);
    struct frame *outer = script->frame;
    struct frame frame = {.L = coroutine, .coroutine = true};
    if (outer != NULL) {
        frame.routine = outer->routine;
        frame.main = outer->main;
        frame.waits = outer->L == L && outer->waits && lua_isyieldable(L);
    }
    enter(script, &frame);
    int status = lua_resume(coroutine, L, arguments, results);
    leave(script, &frame);
    return status;
}

int protect_coroutine_close(lua_State *L, lua_State *coroutine)
{
    struct script *script = script_of(L);
    struct frame frame = {.L = coroutine};
    enter(script, &frame);
    int status = lua_resetthread(coroutine);
    leave(script, &frame);
    return status;
}
