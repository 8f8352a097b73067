// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a child process: see exec.h. The userdata of a run lies on the stack of the coroutine
// that waits, and owns the child: however the wait ends, the child is released at the latest when
// the userdata is collected.

#include "bindings/lib/exec.h"

#include "base/memory.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/userdata.h"
#include "bindings/message/arguments.h"
#include "loop/subprocess.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_TYPE "mesos.exec"

enum {
    RUNS = 256,                 // at the same time
    OUTPUT_LIMIT = 1024 * 1024, // bytes, of each stream
};

static const double patience = 60; // seconds

struct exec_run {
    struct userdata base;
    struct routine *routine;
    struct subprocess *child; // NULL: not started, or destroyed
    struct subprocess_end end;
    char name[64];
    double timeout;
    size_t limit;
};

static _Thread_local unsigned runs;

static void end_run(struct exec_run *run)
{
    if (run->child == NULL)
        return;
    subprocess_destroy(run->child);
    run->child = NULL;
    runs--;
}

static void abandon_run(void *data)
{
    end_run(data);
}

static void end_userdata(lua_State *L, struct userdata *userdata)
{
    (void)L;
    end_run((struct exec_run *)userdata);
}

// ---- results ----

static void push_result(lua_State *L, const struct subprocess_end *end) // [-0, +1, m]
{
    lua_createtable(L, 0, 4);
    if (end->signal != 0) {
        lua_pushinteger(L, end->signal);
        lua_setfield(L, -2, "signal");
    } else {
        lua_pushinteger(L, (lua_Integer)end->status);
        lua_setfield(L, -2, "status");
    }
    lua_pushlstring(L, (const char *)end->out.data, end->out.length);
    lua_setfield(L, -2, "stdout");
    lua_pushlstring(L, (const char *)end->err.data, end->err.length);
    lua_setfield(L, -2, "stderr");
}

static int fail(lua_State *L, const char *text, const char *code) // [-0, +3, m]
{
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushstring(L, code);
    return 3;
}

// nil, message, code, and, if it ran, what there is of a result.
static int push_failure(lua_State *L, const struct exec_run *run) // [-0, +3 or +4, m]
{
    char text[160];
    if (run->end.outcome == SUBPROCESS_FAILED)
        return fail(L, run->end.text, run->end.code);
    bool late = run->end.outcome == SUBPROCESS_TIMED_OUT;
    if (late)
        snprintf(text, sizeof text, "'%s' was killed: it had not ended after %g s (timeout)",
                 run->name, run->timeout);
    else
        snprintf(text, sizeof text,
                 "'%s' was killed: it wrote more than %zu bytes to one of its outputs (limit)",
                 run->name, run->limit);
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushstring(L, late ? "ETIMEDOUT" : "ENOBUFS");
    push_result(L, &run->end);
    return 4;
}

// The context is the stack index of the userdata of the run.
static int on_ended(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    int count = 1;
    struct exec_run *run = userdata_at(L, (int)context);
    if (run->end.outcome == SUBPROCESS_ENDED)
        push_result(L, &run->end);
    else
        count = push_failure(L, run);
    end_run(run);
    return count;
}

static void on_end(void *data, const struct subprocess_end *end)
{
    struct exec_run *run = data;
    run->end = *end;
    protect_resume(run->routine);
}

// ---- arguments ----

// A list of C strings, ended by NULL, in a userdata that keeps their Lua strings.
struct texts {
    const char **list;
    size_t count, capacity;
};

static struct texts new_texts(lua_State *L, size_t capacity) // [-0, +1, m]
{
    struct texts texts = {.capacity = capacity};
    texts.list = lua_newuserdatauv(L, (capacity + 1) * sizeof *texts.list, 1);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    texts.list[0] = NULL;
    return texts;
}

// Takes the string at the top into the texts at `index`. // [-1, +0, m]
static void add_text(lua_State *L, int index, struct texts *texts)
{
    texts->list[texts->count++] = lua_tostring(L, -1);
    texts->list[texts->count] = NULL;
    lua_getiuservalue(L, index, 1);                // text, texts
    lua_insert(L, -2);                             // texts, text
    lua_rawseti(L, -2, (lua_Integer)texts->count); // texts
    lua_pop(L, 1);
}

static void check_word(lua_State *L, const char *name, lua_Integer place) // [-0, +0, e]
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "%s[%I]: a text expected, got %s", name, (LUAI_UACINT)place,
                   luaL_typename(L, -1));
    if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        luaL_error(L, "%s[%I]: contains a zero byte", name, (LUAI_UACINT)place);
}

static const char **push_argv(lua_State *L) // [-0, +1, e]
{
    if (lua_type(L, 1) != LUA_TTABLE)
        luaL_error(L,
                   "mesos.exec: a list of the program and its arguments expected, such as { 'ls', "
                   "'-l' } or { 'sh', '-c', text }, got %s",
                   luaL_typename(L, 1));
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    if (count == 0)
        luaL_error(L, "mesos.exec: the list of the program and its arguments is empty");
    struct texts texts = new_texts(L, (size_t)count);
    int index = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        check_word(L, "argv", i);
        add_text(L, index, &texts);
    }
    return texts.list;
}

// True if the table at `index` sets or removes that variable of the host. // [-0, +0, -]
static bool is_given(lua_State *L, int index, const char *variable)
{
    const char *end = strchr(variable, '=');
    lua_pushlstring(L, variable, end ? (size_t)(end - variable) : strlen(variable));
    bool given = lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
    return given;
}

static void push_variable(lua_State *L) // (name, value) [-0, +1, e]
{
    if (lua_type(L, -2) != LUA_TSTRING || strchr(lua_tostring(L, -2), '=') != NULL)
        luaL_error(L, "env: names of variables expected as keys, got %s",
                   luaL_tolstring(L, -2, NULL));
    int type = lua_type(L, -1);
    const char *name = lua_tostring(L, -2);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "env.%s: a text, or false to take it away, expected, got %s", name,
                   luaL_typename(L, -1));
    lua_pushvalue(L, -1);
    lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static size_t count_environment(lua_State *L, int index) // [-0, +0, e]
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    lua_pushnil(L);
    for (; lua_next(L, index) != 0; lua_pop(L, 1))
        count++;
    return count;
}

// The host's environment with the changes of options.env, or NULL if there are none.
static const char **push_environment(lua_State *L) // [-0, +2, e]
{
    int type = lua_getfield(L, 2, "env");
    if (type == LUA_TNIL) {
        lua_pushnil(L);
        return NULL;
    }
    if (type != LUA_TTABLE)
        luaL_error(L, "env: a table of variables expected, got %s", luaL_typename(L, -1));
    int env = lua_gettop(L);
    struct texts texts = new_texts(L, count_environment(L, env));
    for (size_t i = 0; environ[i] != NULL; i++)
        if (!is_given(L, env, environ[i])) {
            lua_pushstring(L, environ[i]);
            add_text(L, env + 1, &texts);
        }
    lua_pushnil(L);
    for (; lua_next(L, env) != 0; lua_pop(L, 1)) {
        if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
            continue;
        push_variable(L);
        add_text(L, env + 1, &texts);
    }
    return texts.list;
}

static struct slice input_of(lua_State *L) // [-0, +1, e]
{
    size_t length = 0;
    int type = lua_getfield(L, 2, "stdin");
    if (type == LUA_TNIL)
        return (struct slice){.data = NULL};
    if (type != LUA_TSTRING)
        luaL_error(L, "stdin: a text expected, got %s", luaL_typename(L, -1));
    const char *text = lua_tolstring(L, -1, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

// [-0, +many, e]
static void read_command(lua_State *L, struct subprocess_command *command, struct exec_run *run)
{
    static const char *const names[] = {"timeout", "limit", "stdin", "env", "cwd", NULL};
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (lua_isnoneornil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    arguments_keys(L, 2, names, "mesos.exec: option");
    run->timeout = arguments_seconds(L, 2, "timeout", patience);
    run->limit = arguments_size(L, 2, "limit", OUTPUT_LIMIT);
    *command = (struct subprocess_command){
        .argv = push_argv(L),
        .environment = push_environment(L),
        .directory = arguments_text(L, 2, "cwd"),
        .input = input_of(L),
        .limit = run->limit,
        .timeout = loop_seconds(run->timeout),
    };
    snprintf(run->name, sizeof run->name, "%s", command->argv[0]);
}

int l_exec(lua_State *L)
{
    struct script *script = script_of(L);
    struct subprocess_command command;
    struct error err = {0};
    const char *code = "";
    dot_call_check(L, "exec");
    lua_settop(L, 2);
    struct routine *routine = protect_waiter(L, "mesos.exec");
    struct exec_run *run = userdata_push(L, RUN_TYPE, sizeof *run, 0, end_userdata);
    read_command(L, &command, run);
    if (runs >= RUNS)
        return fail(L, "256 processes of mesos.exec run already", "EAGAIN");
    run->routine = routine;
    run->child = subprocess_start(script_loop(script), &command, on_end, run, &code, &err);
    if (run->child == NULL)
        return fail(L, err.text, code);
    runs++;
    protect_waits_for(routine, abandon_run, run);
    return protect_wait(L, 3, on_ended);
}

void exec_open(lua_State *L)
{
    userdata_type(L, RUN_TYPE);
    lua_pop(L, 1);
}
