// SPDX-License-Identifier: Apache-2.0
//
// Runs as processes: see children.h. They have a loop of their own, which turns inside of run();
// its callbacks only note what happened. All that calls Lua stands between its rounds: starting the
// next process, taking the results of one that has ended, and `progress`. So a Lua error leaves no
// callback of the loop; the object, a value that is to be closed, then kills what runs.

#include "bindings/sim/children.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "bindings/core/userdata.h"
#include "bindings/message/arguments.h"
#include "loop/loop_uv.h"
#include "loop/signals.h"
#include "loop/spawner.h"
#include "loop/subprocess.h"

#include <lauxlib.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHILDREN_TYPE "sim.children run"

enum {
    JOBS_MOST = 1024,
    WORDS_MOST = 1000,        // of a request
    LIMIT_INITIAL = 64 << 20, // bytes of an output
    LOG_MOST = 4096,          // bytes of standard error that are kept
    PROGRESS_NANOSECONDS = 200000000,
};

// The stack of run().
enum { REQUESTS = 1, OPTIONS, RESULTS, OBJECT };

struct children;

struct child {
    struct children *owner;
    struct subprocess *process; // NULL: the place is free
    lua_Integer index;          // of its request
    bool ended;
    struct subprocess_end end;
    struct buffer log;
};

struct children {
    struct userdata base;
    struct loop *loop;
    struct signals *signals;
    struct timer timer;
    bool due;       // for `progress`
    bool changed;   // a child has ended
    unsigned stops; // how often it was told to stop
    size_t limit;
    char *program;
    struct child *places;
    size_t place_count, running;
    lua_Integer count, next, ended; // of requests; `next` is the next to start
};

// ---- what the loop reports ----

static void stop(struct children *children)
{
    int number = children->stops++ == 0 ? SIGINT : SIGKILL;
    for (size_t i = 0; i < children->place_count; i++)
        if (children->places[i].process != NULL && !children->places[i].ended)
            subprocess_signal(children->places[i].process, number);
    children->changed = true;
}

static void on_stop(void *data, int number)
{
    (void)number;
    stop(data);
}

static void on_hangup(void *data)
{
    stop(data);
}

static void on_ending(void *data)
{
    (void)data;
}

static void on_timer(void *data)
{
    struct children *children = data;
    children->due = true;
    timer_start(&children->timer, PROGRESS_NANOSECONDS);
}

// Keeps the end of what it writes.
static void on_output(void *data, bool err, struct slice piece)
{
    struct child *child = data;
    (void)err;
    if (piece.length > LOG_MOST) {
        piece.data += piece.length - LOG_MOST;
        piece.length = LOG_MOST;
    }
    if (child->log.length + piece.length > LOG_MOST)
        buffer_consume(&child->log, child->log.length + piece.length - LOG_MOST);
    buffer_append_slice(&child->log, piece);
}

static void on_end(void *data, const struct subprocess_end *end)
{
    struct child *child = data;
    child->end = *end;
    child->ended = true;
    child->owner->changed = true;
}

// ---- starting ----

// The words of the request at the top, with the program in front; the userdata that they lie in is
// pushed, their strings stay in the request. // [-0, +1, e]
static const char **push_words(lua_State *L, const struct children *children, lua_Integer index)
{
    if (lua_getfield(L, -1, "arguments") != LUA_TTABLE)
        luaL_error(L, "requests[%I].arguments: a list of texts expected, got %s",
                   (LUAI_UACINT)index, luaL_typename(L, -1));
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    if (count > WORDS_MOST)
        luaL_error(L, "requests[%I].arguments: more than %d", (LUAI_UACINT)index, WORDS_MOST);
    const char **words = lua_newuserdatauv(L, ((size_t)count + 2) * sizeof *words, 0);
    words[0] = children->program;
    words[count + 1] = NULL;
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, -2, i) != LUA_TSTRING ||
            strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            luaL_error(L, "requests[%I].arguments[%I]: a text without zero bytes expected",
                       (LUAI_UACINT)index, (LUAI_UACINT)i);
        words[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
    return words;
}

static struct child *free_place(struct children *children)
{
    for (size_t i = 0; i < children->place_count; i++)
        if (children->places[i].process == NULL)
            return &children->places[i];
    return NULL;
}

static void push_error(lua_State *L, const char *text) // [-0, +1, m]
{
    lua_createtable(L, 0, 2);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "error");
}

// The request is at the top. // [-0, +0, e]
static void start(lua_State *L, struct children *children, struct child *child)
{
    const char *code;
    struct error err = {0};
    struct subprocess_command command = {
        .limit = children->limit,
        .err = SUBPROCESS_PIECES,
        .on_output = on_output,
    };
    lua_Integer index = children->next++;
    command.argv = push_words(L, children, index); // request, words
    if (lua_getfield(L, -2, "input") != LUA_TNIL && lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "requests[%I].input: a text expected, got %s", (LUAI_UACINT)index,
                   luaL_typename(L, -1));
    command.input.data = (const uint8_t *)lua_tolstring(L, -1, &command.input.length);
    child->index = index;
    child->ended = false;
    child->process = subprocess_start(children->loop, &command, on_end, child, &code, &err);
    lua_pop(L, 2);
    if (child->process != NULL) {
        children->running++;
        return;
    }
    push_error(L, err.text);
    lua_rawseti(L, RESULTS, index);
    children->ended++;
}

// [-0, +0, e]
static void start_some(lua_State *L, struct children *children)
{
    struct child *child;
    while (children->stops == 0 && children->next <= children->count &&
           (child = free_place(children)) != NULL) {
        if (lua_rawgeti(L, REQUESTS, children->next) != LUA_TTABLE)
            luaL_error(L, "requests[%I]: a table expected, got %s", (LUAI_UACINT)children->next,
                       luaL_typename(L, -1));
        start(L, children, child);
        lua_pop(L, 1);
    }
}

// ---- the end of one ----

// Why it is no result, or NULL. // [-0, +0|1, m]
static const char *push_reason(lua_State *L, const struct children *children,
                               const struct subprocess_end *end)
{
    if (end->outcome == SUBPROCESS_FAILED)
        return lua_pushstring(L, end->text);
    if (end->outcome == SUBPROCESS_TOO_LOUD)
        return lua_pushfstring(L, "its output was longer than %I bytes, and it was killed",
                               (LUAI_UACINT)children->limit);
    if (end->signal != 0)
        return lua_pushfstring(L, "it was ended by signal %d (%s)", end->signal,
                               strsignal(end->signal));
    if (end->status != 0)
        return lua_pushfstring(L, "it exited with status %d", (int)end->status);
    return NULL;
}

// Of what was kept only whole lines, unless it is one line. // [-0, +1, m]
static void push_log(lua_State *L, struct child *child)
{
    const char *text = buffer_string(&child->log);
    const char *end = child->log.length == LOG_MOST ? strchr(text, '\n') : NULL;
    lua_pushstring(L, end && end[1] != '\0' ? end + 1 : text);
}

// [-0, +0, m]
static void take_result(lua_State *L, struct children *children, struct child *child)
{
    const struct subprocess_end *end = &child->end;
    lua_createtable(L, 0, 2);
    bool failed = push_reason(L, children, end) != NULL;
    if (!failed)
        lua_pushlstring(L, (const char *)end->out.data, end->out.length);
    lua_setfield(L, -2, failed ? "error" : "output");
    push_log(L, child);
    lua_setfield(L, -2, "log");
    lua_rawseti(L, RESULTS, child->index);
    subprocess_destroy(child->process);
    child->process = NULL;
    buffer_clear(&child->log);
    children->running--;
    children->ended++;
}

// [-0, +0, m]
static void take_results(lua_State *L, struct children *children)
{
    for (size_t i = 0; i < children->place_count; i++)
        if (children->places[i].process != NULL && children->places[i].ended)
            take_result(L, children, &children->places[i]);
}

// ---- all of them ----

static bool has_news(void *data)
{
    const struct children *children = data;
    return children->changed || children->due;
}

// [-0, +0, e]
static void call_progress(lua_State *L, struct children *children)
{
    children->due = false;
    if (lua_getfield(L, OPTIONS, "progress") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, children->count);
    lua_setfield(L, -2, "count");
    lua_pushinteger(L, children->ended);
    lua_setfield(L, -2, "ended");
    lua_pushinteger(L, (lua_Integer)children->running);
    lua_setfield(L, -2, "running");
    lua_call(L, 1, 1);
    if (lua_toboolean(L, -1) && children->stops == 0)
        stop(children);
    lua_pop(L, 1);
}

static void turn(lua_State *L, struct children *children) // [-0, +0, e]
{
    start_some(L, children);
    while (children->running > 0) {
        loop_uv_run(children->loop, has_news, children);
        children->changed = false;
        take_results(L, children);
        if (children->due)
            call_progress(L, children);
        start_some(L, children);
    }
}

static void add_missing(lua_State *L, const struct children *children) // [-0, +0, m]
{
    for (lua_Integer i = children->next; i <= children->count; i++) {
        lua_createtable(L, 0, 1);
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "missing");
        lua_rawseti(L, RESULTS, i);
    }
}

static void end_children(lua_State *L, struct userdata *userdata)
{
    struct children *children = (struct children *)userdata;
    (void)L;
    for (size_t i = 0; i < children->place_count; i++) {
        subprocess_destroy(children->places[i].process);
        buffer_free(&children->places[i].log);
    }
    if (children->loop != NULL) {
        timer_stop(&children->timer);
        signals_destroy(children->signals);
        spawner_close(children->loop);
        loop_destroy(children->loop);
    }
    free(children->places);
    free(children->program);
    children->places = NULL;
    children->program = NULL;
    children->place_count = 0;
    children->loop = NULL;
}

static int l_close(lua_State *L) // (object, error) [-2, +0, e]
{
    end_children(L, userdata_check(L, 1, CHILDREN_TYPE));
    return 0;
}

// [-0, +0, e]
static size_t read_jobs(lua_State *L)
{
    int given = lua_getfield(L, OPTIONS, "jobs"), whole = 1;
    lua_Integer jobs = given == LUA_TNIL ? 1 : lua_tointegerx(L, -1, &whole);
    lua_Integer count = (lua_Integer)lua_rawlen(L, REQUESTS);
    if (!whole || jobs < 1 || jobs > JOBS_MOST)
        luaL_error(L, "jobs: a number from 1 to %d expected", JOBS_MOST);
    lua_pop(L, 1);
    return (size_t)(jobs < count ? jobs : count);
}

static void open_loop(struct children *children)
{
    static const struct signals_events events = {
        .hangup = on_hangup, .stop = on_stop, .ending = on_ending};
    children->loop = loop_uv_create(NULL);
    timer_init(&children->timer, children->loop, on_timer, children);
    timer_start(&children->timer, PROGRESS_NANOSECONDS);
    children->signals = signals_create(children->loop, &events, children);
}

// Pushes the object, which ends with the function. // [-0, +1, e]
static struct children *push_children(lua_State *L)
{
    size_t jobs = read_jobs(L), limit = arguments_size(L, OPTIONS, "limit", LIMIT_INITIAL);
    struct children *children = userdata_push(L, CHILDREN_TYPE, sizeof *children, 0, end_children);
    lua_toclose(L, -1);
    const char *program = arguments_text(L, OPTIONS, "program");
    children->program =
        program ? memory_string(program) : memory_format("/proc/%ld/exe", (long)getpid());
    lua_pop(L, 1);
    children->places = memory_new(jobs * sizeof *children->places);
    children->place_count = jobs;
    for (size_t i = 0; i < jobs; i++) {
        children->places[i].owner = children;
        buffer_init(&children->places[i].log, LOG_MOST);
    }
    children->limit = limit;
    children->count = (lua_Integer)lua_rawlen(L, REQUESTS);
    children->next = 1;
    open_loop(children);
    return children;
}

static int l_run(lua_State *L) // (requests, options) [-2, +2, e]
{
    static const char *const names[] = {"jobs", "limit", "program", "progress", NULL};
    luaL_checktype(L, REQUESTS, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    if (lua_isnil(L, OPTIONS)) {
        lua_newtable(L);
        lua_replace(L, OPTIONS);
    }
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    arguments_keys(L, OPTIONS, names, "sim.children: option");
    lua_newtable(L);
    struct children *children = push_children(L);
    turn(L, children);
    add_missing(L, children);
    lua_pushvalue(L, RESULTS);
    lua_pushboolean(L, children->stops > 0);
    return 2;
}

int children_open(lua_State *L)
{
    userdata_type(L, CHILDREN_TYPE);
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_run);
    lua_setfield(L, -2, "run");
    return 1;
}
