// SPDX-License-Identifier: Apache-2.0
//
// The executor driver as Lua sees it: an object that stays valid when the executor is gone; its
// operations raise then.

#include "bindings/core/hints.h"
#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/executor/executor_script_internal.h"
#include "bindings/message/message_encode.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>

struct executor_object {
    struct userdata base;
    struct executor_script *executor; // NULL: it is gone
};

static const char *const metatable = "mesos.ExecutorDriver";

static void end_object(lua_State *L, struct userdata *userdata)
{
    (void)L;
    ((struct executor_object *)userdata)->executor = NULL;
}

// What the script calls the operation that runs, for messages. // [-0, +0, -]
static const char *operation_of(lua_State *L)
{
    lua_Debug ar = {0};
    lua_getstack(L, 0, &ar);
    lua_getinfo(L, "n", &ar);
    return ar.name ? ar.name : "an operation";
}

static struct executor_driver *check_driver(lua_State *L) // [-0, +0, v]
{
    const struct executor_object *object = userdata_test(L, 1, metatable);
    const char *name = operation_of(L);
    if (object == NULL)
        luaL_error(L,
                   "%s: a driver expected in front of it, got %s: write driver:%s(...), with a "
                   "colon",
                   name, luaL_typename(L, 1), name);
    if (object->executor == NULL)
        luaL_error(L, "this driver is gone: its program ends");
    return object->executor->driver;
}

static int push_status(lua_State *L, enum driver_status status) // [-0, +1, m]
{
    lua_pushstring(L, driver_status_name(status));
    return 1;
}

static int l_sendStatusUpdate(lua_State *L) // [-2, +1, e]
{
    struct executor_driver *driver = check_driver(L);
    struct buffer *buffer = scratch_push(L);
    struct error err = {0};
    message_encode(L, 2, &mesos__v1__task_status__descriptor, "status", buffer);
    enum driver_status status = executor_driver_send_update(driver, buffer_slice(buffer), &err);
    if (err.code != ERROR_NONE)
        luaL_error(L, "%s", err.text);
    return push_status(L, status);
}

static int l_sendFrameworkMessage(lua_State *L) // [-2, +1, e]
{
    struct executor_driver *driver = check_driver(L);
    size_t length;
    if (lua_type(L, 2) != LUA_TSTRING)
        luaL_error(L, "data: a string expected, got %s", luaL_typename(L, 2));
    const char *text = lua_tolstring(L, 2, &length);
    struct slice data = {.data = (const uint8_t *)text, .length = length};
    struct error err = {0};
    enum driver_status status = executor_driver_send_message(driver, data, &err);
    if (err.code != ERROR_NONE)
        luaL_error(L, "sendFrameworkMessage: %s", err.text);
    return push_status(L, status);
}

static int l_stop(lua_State *L) // [-1, +1, e]
{
    return push_status(L, executor_driver_stop(check_driver(L)));
}

static int l_abort(lua_State *L) // [-1, +1, e]
{
    return push_status(L, executor_driver_abort(check_driver(L)));
}

static int l_status(lua_State *L) // [-1, +1, e]
{
    return push_status(L, executor_driver_status(check_driver(L)));
}

static int l_tostring(lua_State *L) // [-1, +1, m]
{
    const struct executor_object *object = userdata_test(L, 1, metatable);
    const char *status = "gone";
    if (object != NULL && object->executor != NULL)
        status = driver_status_name(executor_driver_status(object->executor->driver));
    lua_pushfstring(L, "ExecutorDriver (%s)", status);
    return 1;
}

static const luaL_Reg methods[] = {
    {"sendStatusUpdate", l_sendStatusUpdate},
    {"sendFrameworkMessage", l_sendFrameworkMessage},
    {"stop", l_stop},
    {"abort", l_abort},
    {"status", l_status},
    {NULL, NULL},
};

static const char *operation_name(const void *data, size_t index)
{
    (void)data;
    return methods[index].name;
}

static int l_no_operation(lua_State *L) // [-2, +0, v]
{
    const char *name = luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "ExecutorDriver has no operation '%s'%s", name,
                      hints_push(L, name, operation_name, NULL));
}

void executor_methods_open(lua_State *L)
{
    userdata_type(L, metatable); // class
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newlib(L, methods);  // class, methods
    lua_createtable(L, 0, 1); // class, methods, metatable
    lua_pushcfunction(L, l_no_operation);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);        // class, methods
    lua_setfield(L, -2, "__index"); // class
    lua_pop(L, 1);
}

static void push_object(lua_State *L, struct executor_script *executor) // [-0, +1, m]
{
    struct executor_object *object = userdata_push(L, metatable, sizeof *object, 0, end_object);
    object->executor = executor;
}

void executor_methods_push_driver(lua_State *L, struct executor_script *executor)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, executor->object) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    push_object(L, executor);
    lua_pushvalue(L, -1);
    executor->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

void executor_methods_clear(lua_State *L)
{
    struct executor_object *object = userdata_test(L, -1, metatable);
    if (object != NULL)
        object->executor = NULL;
    lua_pop(L, 1);
}
