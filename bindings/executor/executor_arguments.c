// SPDX-License-Identifier: Apache-2.0
//
// What is called for an event of an agent, and with what: one row of arguments for each callback.
// See executor_script_internal.h.

#include "bindings/executor/executor_script_internal.h"
#include "bindings/message/message_decode.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>

static int push_message(lua_State *L, const ProtobufCMessageDescriptor *type, struct slice message)
{
    if (message.data != NULL)
        message_decode(L, type, message);
    else
        lua_pushnil(L);
    return 1;
}

static int push_text(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? (const char *)text.data : "", text.length);
    return 1;
}

static int push_reregistered(lua_State *L, const struct executor_event *event)
{
    return push_message(L, &mesos__v1__agent_info__descriptor, event->agent_info);
}

static int push_registered(lua_State *L, const struct executor_event *event)
{
    push_message(L, &mesos__v1__executor_info__descriptor, event->executor_info);
    push_message(L, &mesos__v1__framework_info__descriptor, event->framework_info);
    return 2 + push_reregistered(L, event);
}

static int push_nothing(lua_State *L, const struct executor_event *event)
{
    (void)L, (void)event;
    return 0;
}

static int push_task(lua_State *L, const struct executor_event *event)
{
    return push_message(L, &mesos__v1__task_info__descriptor, event->message);
}

static int push_group(lua_State *L, const struct executor_event *event)
{
    push_message(L, &mesos__v1__task_group_info__descriptor, event->message);
    lua_getfield(L, -1, "tasks");
    lua_remove(L, -2);
    return 1;
}

static int push_kill(lua_State *L, const struct executor_event *event)
{
    push_text(L, event->task_id);
    return 1 + push_message(L, &mesos__v1__kill_policy__descriptor, event->message);
}

static int push_data(lua_State *L, const struct executor_event *event)
{
    return push_text(L, event->data);
}

static int (*const rows[EXECUTOR_CALLBACKS])(lua_State *L, const struct executor_event *event) = {
    [EXECUTOR_REGISTERED] = push_registered,
    [EXECUTOR_REREGISTERED] = push_reregistered,
    [EXECUTOR_DISCONNECTED] = push_nothing,
    [EXECUTOR_LAUNCH_TASK] = push_task,
    [EXECUTOR_LAUNCH_GROUP] = push_group,
    [EXECUTOR_KILL_TASK] = push_kill,
    [EXECUTOR_FRAMEWORK_MESSAGE] = push_data,
    [EXECUTOR_SHUTDOWN] = push_nothing,
    [EXECUTOR_ERROR] = push_data,
};

int executor_arguments_push(lua_State *L)
{
    struct executor_routine *routine = lua_touserdata(L, 1);
    struct executor_script *executor = routine->executor;
    enum executor_callback callback = routine->event.callback;
    luaL_checkstack(L, 10, "arguments of a callback");
    lua_rawgeti(L, LUA_REGISTRYINDEX, executor->table);  // table
    lua_getfield(L, -1, executor_events_name(callback)); // table, method
    routine->missing = lua_isnil(L, -1);
    if (routine->missing)
        return 0;
    lua_rotate(L, -2, 1); // method, table
    executor_methods_push_driver(L, executor);
    return 3 + rows[callback](L, &routine->event);
}
