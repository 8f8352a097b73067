// SPDX-License-Identifier: Apache-2.0
//
// Lists of tasks, and tasks: see task_list.h. The handles of a loop are C memory, given back when
// the loop ends, also by `break` or an error, so loops leave only their tasks to the collector.
// Each task knows its place in the loop, which tells a loop that goes on from one that begins, and
// finds two loops that share a list.

#include "bindings/scheduler/task_list.h"

#include "base/suggest.h"
#include "bindings/core/userdata.h"
#include "bindings/message/arguments.h"
#include "bindings/message/message_decode.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/scheduler/scheduler_handle.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS_SHOWN = 100 };

static const char *const list_name = "mesos.TaskList", *const task_class = "mesos.Task";

enum { DRIVER = 1, AGENT = 2 }; // user values of a list

struct task_list {
    struct userdata base;
    struct task_filter filter;   // the agent's id lies in a user value
    struct task_handle *handles; // NULL: no loop goes on
    size_t count, position;
};

enum { TEXT_ID, TEXT_NAME, TEXT_AGENT, TEXT_EXECUTOR, TEXTS };

// What was known of a task, with its texts one behind the other.
struct known {
    struct task task; // without what points into the registry
    size_t position;  // in the loop that it came from: the place behind it
    uint16_t lengths[TEXTS];
    char bytes[];
};

// ---- a task ----

void task_list_push_task(lua_State *L, const struct tasks *tasks, const struct task *task)
{
    const struct slice texts[TEXTS] = {[TEXT_ID] = task_id(task),
                                       [TEXT_NAME] = task_name(task),
                                       [TEXT_AGENT] = task_agent_id(tasks, task),
                                       [TEXT_EXECUTOR] = task_executor_id(task)};
    size_t size = 0, at = 0;
    for (int i = 0; i < TEXTS; i++)
        size += texts[i].length;
    struct known *known = lua_newuserdatauv(L, sizeof *known + size, 0);
    known->task = *task;
    known->position = 0;
    for (int i = 0; i < TEXTS; at += texts[i++].length) {
        known->lengths[i] = (uint16_t)texts[i].length;
        if (texts[i].length > 0)
            memcpy(known->bytes + at, texts[i].data, texts[i].length);
    }
    luaL_setmetatable(L, task_class);
}

void task_list_push_sample(lua_State *L)
{
    struct known *known = lua_newuserdatauv(L, sizeof *known, 0);
    memset(known, 0, sizeof *known);
    luaL_setmetatable(L, task_class);
}

static void push_text(lua_State *L, const struct known *known, int which)
{
    size_t at = 0;
    for (int i = 0; i < which; i++)
        at += known->lengths[i];
    if (known->lengths[which] > 0)
        lua_pushlstring(L, known->bytes + at, known->lengths[which]);
    else
        lua_pushnil(L);
}

static void push_time(lua_State *L, double time)
{
    if (time > 0)
        lua_pushnumber(L, time);
    else
        lua_pushnil(L);
}

static void push_task_id(lua_State *L, const struct known *known)
{
    push_text(L, known, TEXT_ID);
}

static void push_name(lua_State *L, const struct known *known)
{
    push_text(L, known, TEXT_NAME);
}

static void push_agent_id(lua_State *L, const struct known *known)
{
    push_text(L, known, TEXT_AGENT);
}

static void push_executor_id(lua_State *L, const struct known *known)
{
    push_text(L, known, TEXT_EXECUTOR);
}

static void push_state(lua_State *L, const struct known *known)
{
    message_decode_enum(L, &mesos__v1__task_state__descriptor, known->task.state);
}

static void push_reason(lua_State *L, const struct known *known)
{
    if (known->task.reason != TASK_NO_REASON)
        message_decode_enum(L, &mesos__v1__task_status__reason__descriptor, known->task.reason);
    else
        lua_pushnil(L);
}

static void push_healthy(lua_State *L, const struct known *known)
{
    if (known->task.health_known)
        lua_pushboolean(L, known->task.healthy);
    else
        lua_pushnil(L);
}

static void push_killing(lua_State *L, const struct known *known)
{
    lua_pushboolean(L, known->task.killing);
}

static void push_active(lua_State *L, const struct known *known)
{
    lua_pushboolean(L, task_is_active(&known->task));
}

static void push_launched_at(lua_State *L, const struct known *known)
{
    push_time(L, known->task.launched);
}

static void push_updated_at(lua_State *L, const struct known *known)
{
    push_time(L, known->task.updated);
}

static const struct field {
    const char *name;
    void (*push)(lua_State *L, const struct known *known); // [-0, +1, m]
} fields[] = {
    {"task_id", push_task_id},         {"state", push_state},
    {"agent_id", push_agent_id},       {"name", push_name},
    {"executor_id", push_executor_id}, {"reason", push_reason},
    {"healthy", push_healthy},         {"killing", push_killing},
    {"active", push_active},           {"launched_at", push_launched_at},
    {"updated_at", push_updated_at},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static const char *field_name(const void *data, size_t index)
{
    (void)data;
    return index < FIELDS ? fields[index].name : NULL;
}

static int raise_field(lua_State *L)
{
    const char *name = luaL_tolstring(L, 2, NULL), *near = suggest(name, field_name, NULL);
    return luaL_error(L, "Task has no field '%s'%s%s%s", name, near ? " (did you mean '" : "",
                      near ? near : "", near ? "'?)" : "");
}

// The task at index 1; `metatable` is that of tasks. // [-0, +0, v]
static const struct known *check_task(lua_State *L, int metatable)
{
    if (!lua_getmetatable(L, 1) || !lua_rawequal(L, -1, metatable))
        luaL_typeerror(L, 1, task_class);
    lua_pop(L, 1);
    return lua_touserdata(L, 1);
}

// Its upvalues: the number of each field by its name, and the methods; the metatable. // [-2, +1,
// e]
static int l_task_index(lua_State *L)
{
    const struct known *known = check_task(L, lua_upvalueindex(2));
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type == LUA_TNIL)
        return raise_field(L);
    if (type == LUA_TNUMBER)
        fields[lua_tointeger(L, -1)].push(L, known);
    return 1;
}

static int l_task_newindex(lua_State *L) // [-3, +0, v]
{
    return luaL_error(L, "Task is read-only; use :table() for a copy");
}

static int l_table(lua_State *L) // [-1, +1, e]
{
    const struct known *known = luaL_checkudata(L, 1, task_class);
    lua_createtable(L, 0, FIELDS);
    for (int i = 0; i < FIELDS; i++) {
        fields[i].push(L, known);
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

static int l_task_next(lua_State *L) // [-2, +2, e]
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    return lua_next(L, 1) != 0 ? 2 : 0;
}

static int l_task_pairs(lua_State *L) // [-1, +3, e]
{
    lua_pushcfunction(L, l_task_next);
    l_table(L);
    lua_pushnil(L);
    return 3;
}

static int l_task_tostring(lua_State *L) // [-1, +1, e]
{
    const struct known *known = luaL_checkudata(L, 1, task_class);
    push_text(L, known, TEXT_ID);
    push_state(L, known);
    push_text(L, known, TEXT_AGENT);
    lua_pushfstring(L, "Task %s: %s%s%s", lua_tostring(L, -3), lua_tostring(L, -2),
                    lua_isnil(L, -1) ? "" : " on ", lua_isnil(L, -1) ? "" : lua_tostring(L, -1));
    return 1;
}

// ---- the filter ----

static const char *state_name(const void *data, size_t index)
{
    const ProtobufCEnumDescriptor *states = data;
    return index < states->n_values ? states->values[index].name : NULL;
}

// The number of the state whose name is on top. // [-0, +0, v]
static int32_t state_by_name(lua_State *L)
{
    const ProtobufCEnumDescriptor *states = &mesos__v1__task_state__descriptor;
    const char *name = lua_tostring(L, -1);
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(states, name);
    if (value == NULL || strlen(name) != lua_rawlen(L, -1)) {
        const char *near = suggest(name, state_name, states);
        luaL_error(L, "filter.state: there is no TaskState '%s'%s%s%s", name,
                   near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    return value->value;
}

// That on top. // [-0, +0, v]
static int32_t state_by_number(lua_State *L)
{
    int whole;
    lua_Integer number = lua_tointegerx(L, -1, &whole);
    if (!whole || number < INT32_MIN || number > INT32_MAX)
        luaL_error(L, "filter.state: a whole number of 32 bits expected, got %s",
                   luaL_tolstring(L, -1, NULL));
    return (int32_t)number;
}

// Adds the state on top, a name or a number. // [-1, +0, v]
static void take_state(lua_State *L, struct task_filter *filter)
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L,
                   "filter.state: the name or number of a TaskState or a list of them expected, "
                   "got %s",
                   luaL_typename(L, -1));
    int32_t state = type == LUA_TSTRING ? state_by_name(L) : state_by_number(L);
    unsigned slot = task_slot(state);
    filter->states |= TASK_STATE_BIT(slot);
    if (slot == TASK_STATE_OTHER && filter->other_count == TASK_OTHERS_MOST)
        luaL_error(L, "filter.state: at most %d states that have no name expected",
                   TASK_OTHERS_MOST);
    if (slot == TASK_STATE_OTHER)
        filter->others[filter->other_count++] = state;
    lua_pop(L, 1);
}

static void read_states(lua_State *L, int index, struct task_filter *filter) // [-0, +0, e]
{
    int type = lua_getfield(L, index, "state");
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    filter->states = 0;
    if (type != LUA_TTABLE) {
        take_state(L, filter);
        return;
    }
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++)
        take_state(L, filter);
    lua_pop(L, 2);
}

// The list is on top, and keeps the id. // [-0, +0, e]
static void read_agent(lua_State *L, int filter, struct task_list *list)
{
    int type = lua_getfield(L, filter, "agent_id");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "filter.agent_id: an id (a string) expected, got %s", lua_typename(L, type));
    if (type == LUA_TSTRING)
        list->filter.agent_id.data =
            (const uint8_t *)lua_tolstring(L, -1, &list->filter.agent_id.length);
    lua_setiuservalue(L, -2, AGENT);
}

static void read_filter(lua_State *L, int filter, struct task_list *list) // [-0, +0, e]
{
    static const char *const names[] = {"state", "agent_id", NULL};
    list->filter.states = TASK_STATES_ALL & ~task_states_ended;
    if (lua_isnoneornil(L, filter))
        return;
    if (!lua_istable(L, filter))
        luaL_error(L, "filter: a table such as { state = \"TASK_RUNNING\" } expected, got %s",
                   luaL_typename(L, filter));
    arguments_keys(L, filter, names, "driver:tasks: the filter");
    read_states(L, filter, &list->filter);
    read_agent(L, filter, list);
}

// ---- a list ----

static void end_list(lua_State *L, struct userdata *userdata)
{
    (void)L;
    free(((struct task_list *)userdata)->handles);
}

int task_list_push(lua_State *L, int driver, int filter)
{
    struct task_list *list = userdata_push(L, list_name, sizeof *list, 2, end_list);
    lua_pushvalue(L, driver);
    lua_setiuservalue(L, -2, DRIVER);
    read_filter(L, filter, list);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, -3);
    return 4;
}

// The tasks of the driver whose list is at `index`. // [-0, +0, v]
static const struct tasks *registry(lua_State *L, int index)
{
    lua_getiuservalue(L, index, DRIVER);
    struct scheduler *scheduler = scheduler_handle_at(L, -1);
    if (scheduler == NULL)
        luaL_error(L, "the driver of these tasks is gone: its script was replaced or its program "
                      "ends");
    lua_pop(L, 1);
    return driver_tasks(scheduler_driver(scheduler));
}

static void end_loop(struct task_list *list)
{
    free(list->handles);
    list->handles = NULL;
    list->count = list->position = 0;
}

// Only the loop that was started last may go on.
static void check_loop(lua_State *L, const struct task_list *list)
{
    const struct known *last = luaL_testudata(L, 3, task_class);
    if (last == NULL || last->position != list->position || list->handles == NULL)
        luaL_error(L, "two loops share one list of tasks: ask driver:tasks() again for the second");
}

// list(nil, task): the task behind it, or nil; the iterator of a generic `for`. // [-3, +1, e]
static int l_call(lua_State *L)
{
    struct task_list *list = userdata_check(L, 1, list_name);
    const struct tasks *tasks = registry(L, 1);
    if (!lua_isnoneornil(L, 3)) {
        check_loop(L, list);
    } else {
        end_loop(list);
        list->handles = tasks_select(tasks, &list->filter, &list->count);
    }
    while (list->position < list->count) {
        const struct task *task = tasks_at(tasks, list->handles[list->position++]);
        if (task == NULL || !tasks_match(tasks, task, &list->filter))
            continue;
        task_list_push_task(L, tasks, task);
        ((struct known *)lua_touserdata(L, -1))->position = list->position;
        return 1;
    }
    end_loop(list);
    lua_pushnil(L);
    return 1;
}

bool task_list_push_shown(lua_State *L, int index)
{
    struct task_list *list = userdata_test(L, index, list_name);
    if (list == NULL)
        return false;
    const struct tasks *tasks = registry(L, index);
    end_loop(list);
    list->handles = tasks_select(tasks, &list->filter, &list->count);
    lua_Integer shown = 0;
    lua_newtable(L);
    for (size_t i = 0; i < list->count && shown < TASKS_SHOWN; i++) {
        const struct task *task = tasks_at(tasks, list->handles[i]);
        if (task == NULL || !tasks_match(tasks, task, &list->filter))
            continue;
        task_list_push_task(L, tasks, task);
        lua_rawseti(L, -2, ++shown);
    }
    end_loop(list);
    return true;
}

static int l_len(lua_State *L) // [-1, +1, e]
{
    const struct task_list *list = userdata_check(L, 1, list_name);
    lua_pushinteger(L, (lua_Integer)tasks_count(registry(L, 1), &list->filter));
    return 1;
}

static int l_list_tostring(lua_State *L) // [-1, +1, e]
{
    l_len(L);
    lua_pushfstring(L, "TaskList (%I)", (LUAI_UACINT)lua_tointeger(L, -1));
    return 1;
}

static int l_list_index(lua_State *L) // [-2, +0, v]
{
    luaL_checkany(L, 2);
    return luaL_error(L, "a list of tasks has no fields or places: go over it with \"for task in "
                         "driver:tasks() do\", or ask driver:task(id)");
}

static int l_close(lua_State *L) // [-1, +0, e]
{
    end_loop(userdata_check(L, 1, list_name));
    return 0;
}

bool task_list_reconcile(lua_State *L, int index, struct buffer *call, size_t *count)
{
    const struct task_list *list = userdata_test(L, index, list_name);
    if (list == NULL)
        return false;
    *count = tasks_reconcile(registry(L, index), &list->filter, call);
    return true;
}

// Adds those in states without a name, by their numbers, to the table on top. // [-0, +0, m]
static void add_others(lua_State *L, const struct tasks *tasks)
{
    const struct task_filter filter = {.states = TASK_STATE_BIT(TASK_STATE_OTHER)};
    struct task_list *list = userdata_push(L, list_name, sizeof *list, 2, end_list); // counts, list
    list->handles = tasks_select(tasks, &filter, &list->count);
    for (size_t i = 0; i < list->count; i++) {
        int32_t state = tasks_at(tasks, list->handles[i])->state;
        lua_rawgeti(L, -2, state);                    // counts, list, count
        lua_pushinteger(L, lua_tointeger(L, -1) + 1); // counts, list, count, count + 1
        lua_rawseti(L, -4, state);                    // counts, list, count
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void task_list_push_counts(lua_State *L, const struct tasks *tasks)
{
    const ProtobufCEnumDescriptor *states = &mesos__v1__task_state__descriptor;
    lua_newtable(L);
    for (unsigned i = 0; i < states->n_values; i++) {
        unsigned slot = task_slot(states->values[i].value);
        size_t count = tasks_in_slot(tasks, slot);
        if (count == 0 || (TASK_STATE_BIT(slot) & task_states_ended))
            continue;
        lua_pushinteger(L, (lua_Integer)count);
        lua_setfield(L, -2, states->values[i].name);
    }
    if (tasks_in_slot(tasks, TASK_STATE_OTHER) > 0)
        add_others(L, tasks);
}

// ---- classes ----

static const luaL_Reg list_methods[] = {
    {"__call", l_call},        {"__len", l_len},     {"__tostring", l_list_tostring},
    {"__index", l_list_index}, {"__close", l_close}, {NULL, NULL}};

static const luaL_Reg task_methods[] = {{"__newindex", l_task_newindex},
                                        {"__pairs", l_task_pairs},
                                        {"__tostring", l_task_tostring},
                                        {NULL, NULL}};

void task_list_open(lua_State *L)
{
    userdata_type(L, list_name); // lists
    luaL_setfuncs(L, list_methods, 0);
    luaL_newmetatable(L, task_class); // lists, tasks
    lua_pushstring(L, task_class);
    lua_setfield(L, -2, "__metatable");
    luaL_setfuncs(L, task_methods, 0);
    lua_createtable(L, 0, FIELDS + 1); // lists, tasks, names
    for (int i = 0; i < FIELDS; i++) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushcfunction(L, l_table);
    lua_setfield(L, -2, "table");
    lua_pushvalue(L, -2);                 // lists, tasks, names, tasks
    lua_pushcclosure(L, l_task_index, 2); // lists, tasks, l_task_index
    lua_setfield(L, -2, "__index");       // lists, tasks
    lua_pop(L, 2);
}
