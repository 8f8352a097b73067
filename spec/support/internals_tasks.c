// SPDX-License-Identifier: Apache-2.0
//
// The registry of tasks seen from Lua, on a virtual clock that starts at 1000 seconds. A filter is
// { states = number, agent_id = text or nil, uncertain = boolean }.
//
//     local tasks = internals.tasks([most])
//     tasks:launch(accept, sent) -> count       tasks:update(status)      tasks:kill(kill)
//     tasks:clear()                             tasks:advance(seconds)
//     tasks:find(id) -> Task | nil              tasks:in_slot(number) -> count
//     tasks:count(filter) -> count              tasks:left_out() -> count
//     tasks:select(filter) -> { { id, place, generation }... }
//     tasks:at(place, generation) -> id | nil   tasks:reconcile(filter[, cap]) -> bytes, count

#include "internals.h"

#include "base/log.h"
#include "bindings/scheduler/task_list.h"
#include "loop/loop_virtual.h"

#include <lauxlib.h>
#include <stdlib.h>

#define TASKS "internals.tasks"

struct box {
    struct loop *loop;
    struct tasks *tasks;
};

static struct box *check(lua_State *L)
{
    return luaL_checkudata(L, 1, TASKS);
}

static struct slice check_bytes(lua_State *L, int index)
{
    struct slice bytes;
    bytes.data = (const uint8_t *)luaL_checklstring(L, index, &bytes.length);
    return bytes;
}

static int l_tasks(lua_State *L)
{
    size_t most = (size_t)luaL_optinteger(L, 1, 0);
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->loop = loop_virtual_create(1000);
    box->tasks = tasks_create(box->loop, most);
    luaL_setmetatable(L, TASKS);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct box *box = check(L);
    tasks_destroy(box->tasks);
    loop_destroy(box->loop);
    return 0;
}

static int l_launch(lua_State *L)
{
    enum log_level level = log_get_level();
    log_set_level(LOG_QUIET);
    size_t count = tasks_launch(check(L)->tasks, check_bytes(L, 2), lua_toboolean(L, 3));
    log_set_level(level);
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

static int l_update(lua_State *L)
{
    enum log_level level = log_get_level();
    log_set_level(LOG_QUIET);
    struct task_status status = task_status_read(check_bytes(L, 2));
    tasks_update(check(L)->tasks, &status);
    log_set_level(level);
    return 0;
}

static int l_kill(lua_State *L)
{
    tasks_kill(check(L)->tasks, check_bytes(L, 2));
    return 0;
}

static int l_clear(lua_State *L)
{
    tasks_clear(check(L)->tasks);
    return 0;
}

static int l_advance(lua_State *L)
{
    loop_virtual_advance(check(L)->loop, loop_seconds(luaL_checknumber(L, 2)));
    return 0;
}

static int l_find(lua_State *L)
{
    struct box *box = check(L);
    const struct task *task = tasks_find(box->tasks, check_bytes(L, 2));
    if (task == NULL)
        return 0;
    task_list_push_task(L, box->tasks, task);
    return 1;
}

static int l_in_slot(lua_State *L)
{
    unsigned slot = task_slot((int32_t)luaL_checkinteger(L, 2));
    lua_pushinteger(L, (lua_Integer)tasks_in_slot(check(L)->tasks, slot));
    return 1;
}

static int l_left_out(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tasks_left_out(check(L)->tasks));
    return 1;
}

// The agent's id stays on the stack.
static struct task_filter check_filter(lua_State *L)
{
    struct task_filter filter = {.uncertain = false};
    lua_getfield(L, 2, "states");
    filter.states = (uint32_t)luaL_optinteger(L, -1, TASK_STATES_ALL);
    lua_getfield(L, 2, "uncertain");
    filter.uncertain = lua_toboolean(L, -1);
    if (lua_getfield(L, 2, "agent_id") != LUA_TNIL)
        filter.agent_id = check_bytes(L, -1);
    return filter;
}

static int l_count(lua_State *L)
{
    struct task_filter filter = check_filter(L);
    lua_pushinteger(L, (lua_Integer)tasks_count(check(L)->tasks, &filter));
    return 1;
}

static int l_select(lua_State *L)
{
    struct box *box = check(L);
    struct task_filter filter = check_filter(L);
    size_t count;
    struct task_handle *handles = tasks_select(box->tasks, &filter, &count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        struct slice id = task_id(tasks_at(box->tasks, handles[i]));
        lua_newtable(L);
        lua_pushlstring(L, (const char *)id.data, id.length);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, handles[i].place);
        lua_rawseti(L, -2, 2);
        lua_pushinteger(L, handles[i].generation);
        lua_rawseti(L, -2, 3);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    free(handles);
    return 1;
}

static int l_at(lua_State *L)
{
    struct task_handle handle = {.place = (uint32_t)luaL_checkinteger(L, 2),
                                 .generation = (uint32_t)luaL_checkinteger(L, 3)};
    const struct task *task = tasks_at(check(L)->tasks, handle);
    if (task == NULL)
        return 0;
    struct slice id = task_id(task);
    lua_pushlstring(L, (const char *)id.data, id.length);
    return 1;
}

static int l_reconcile(lua_State *L)
{
    struct buffer call;
    buffer_init(&call, (size_t)luaL_optinteger(L, 3, 1 << 20));
    struct task_filter filter = check_filter(L);
    size_t count = tasks_reconcile(check(L)->tasks, &filter, &call);
    lua_pushlstring(L, buffer_string(&call), call.length);
    lua_pushinteger(L, (lua_Integer)count);
    buffer_free(&call);
    return 2;
}

static const luaL_Reg methods[] = {{"launch", l_launch},
                                   {"update", l_update},
                                   {"kill", l_kill},
                                   {"clear", l_clear},
                                   {"advance", l_advance},
                                   {"find", l_find},
                                   {"in_slot", l_in_slot},
                                   {"left_out", l_left_out},
                                   {"count", l_count},
                                   {"select", l_select},
                                   {"at", l_at},
                                   {"reconcile", l_reconcile},
                                   {NULL, NULL}};

void internals_tasks_open(lua_State *L)
{
    task_list_open(L);
    luaL_newmetatable(L, TASKS);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_pushcfunction(L, l_tasks);
    lua_setfield(L, -2, "tasks");
}
