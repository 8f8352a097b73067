// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a child process: see exec.h. The userdata of a run lies on the stack of the coroutine
// that waits, and owns the child: however the wait ends, the child is released at the latest when
// the userdata is collected.

#include "bindings/lib/exec.h"

#include "base/memory.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/userdata.h"
#include "bindings/lib/command_arguments.h"
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
        .argv = command_arguments_argv(L, "mesos.exec"),
        .environment = command_arguments_environment(L),
        .directory = arguments_text(L, 2, "cwd"),
        .input = command_arguments_input(L),
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
