// SPDX-License-Identifier: Apache-2.0
//
// driver:output: see output_method.h. The userdata of a request lies on the stack of the coroutine
// that waits, and owns what is asked.

#include "bindings/scheduler/output_method.h"

#include "base/memory.h"
#include "bindings/core/userdata.h"
#include "bindings/message/arguments.h"
#include "bindings/scheduler/scheduler.h"
#include "mesos/task_output.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <stdint.h>

#define WAIT_TYPE "mesos.output"

enum { LENGTH = 1 << 20 }; // bytes, unless the script says another number

struct output_wait {
    struct userdata base;
    struct task_output *output; // NULL: not under way
    struct routine *routine;
    const struct task_output_result *result; // while the routine goes on
};

static void end_wait(struct output_wait *wait)
{
    task_output_destroy(wait->output);
    wait->output = NULL;
}

static void end_userdata(lua_State *L, struct userdata *userdata)
{
    (void)L;
    end_wait((struct output_wait *)userdata);
}

static void abandon(void *data)
{
    end_wait(data);
}

static int refuse(lua_State *L, const char *text, const char *code) // [-0, +3, m]
{
    luaL_pushfail(L);
    lua_pushstring(L, text);
    lua_pushstring(L, code);
    return 3;
}

static int on_told(lua_State *L, int status, lua_KContext context) // [-0, +3, m]
{
    struct output_wait *wait = userdata_at(L, (int)context);
    const struct task_output_result *result = wait->result;
    (void)status;
    if (result->failure != NULL) {
        refuse(L, result->failure, result->code);
    } else {
        lua_pushlstring(L, result->data.length ? (const char *)result->data.data : "",
                        result->data.length);
        lua_pushinteger(L, (lua_Integer)(result->offset + result->data.length));
        lua_pushinteger(L, (lua_Integer)result->size);
    }
    end_wait(wait);
    return 3;
}

static void on_done(void *data, const struct task_output_result *result)
{
    struct output_wait *wait = data;
    wait->result = result;
    protect_resume(wait->routine);
}

// ---- arguments ----

static int64_t read_offset(lua_State *L, int table) // [-0, +0, e]
{
    const lua_Integer most = (lua_Integer)1 << 52;
    int whole = 1;
    lua_Integer offset = 0;
    if (lua_getfield(L, table, "offset") != LUA_TNIL)
        offset = lua_tointegerx(L, -1, &whole);
    if (!whole || offset < -most || offset > most)
        luaL_error(L, "offset: a whole number expected, got %s", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return offset;
}

// Leaves the name of the file. // [-0, +many, e]
static void read_options(lua_State *L, int table, struct task_output_request *request)
{
    static const char *const names[] = {"file", "offset", "length", NULL};
    request->file = "stdout";
    request->length = LENGTH;
    if (lua_isnil(L, table))
        return;
    luaL_checktype(L, table, LUA_TTABLE);
    arguments_keys(L, table, names, "driver:output: option");
    request->offset = read_offset(L, table);
    request->length = arguments_size(L, table, "length", LENGTH);
    const char *file = arguments_text(L, table, "file");
    request->file = file ? file : request->file;
    if (request->length < 1 || request->length > TASK_OUTPUT_MOST)
        luaL_error(L, "length: a number of bytes from 1 to %d expected, got %d",
                   (int)TASK_OUTPUT_MOST, (int)request->length);
}

int l_output(lua_State *L)
{
    struct scheduler *scheduler = scheduler_handle_check(L);
    struct task_output_request request = {.offset = 0};
    struct error err = {0};
    size_t length;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (lua_type(L, 2) != LUA_TSTRING)
        luaL_error(L, "driver:output: the id of a task expected, got %s", luaL_typename(L, 2));
    const char *id = lua_tolstring(L, 2, &length);
    lua_settop(L, 3);
    read_options(L, 3, &request);
    request.task_id = (struct slice){(const uint8_t *)id, length};
    struct routine *routine = protect_waiter(L, "driver:output");
    struct output_wait *wait = userdata_push(L, WAIT_TYPE, sizeof *wait, 0, end_userdata);
    int index = lua_gettop(L);
    wait->routine = routine;
    wait->output = task_output_start(scheduler_driver(scheduler), &request, on_done, wait, &err);
    if (wait->output == NULL)
        return refuse(L, err.text, "ENOENT");
    protect_waits_for(routine, abandon, wait);
    return protect_wait(L, index, on_told);
}

void output_method_open(lua_State *L)
{
    userdata_type(L, WAIT_TYPE);
    lua_pop(L, 1);
}
