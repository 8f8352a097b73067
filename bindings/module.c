// SPDX-License-Identifier: Apache-2.0
//
// The module `mesos`: one table of all its fields but `state`, which is the table that outlives the
// script and is found by the metamethods. A field that the module does not have raises when it is
// read, so a misspelt function is named at once.

#include "bindings/module.h"

#include "base/uuid.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/hints.h"
#include "bindings/lib/exec.h"
#include "bindings/lib/http.h"
#include "bindings/lib/logging.h"
#include "bindings/lib/process.h"
#include "bindings/lib/serve.h"
#include "bindings/lib/state_table.h"
#include "bindings/lib/timers.h"
#include "bindings/message/json.h"
#include "bindings/message/message_encode.h"
#include "bindings/offers/offer_list.h"
#include "bindings/offers/offer_view.h"
#include "bindings/offers/resource_arithmetic.h"
#include "bindings/offers/resource_list.h"
#include "bindings/scheduler/driver_methods.h"
#include "script/sandbox.h"
#include "script/script.h"

#include <lauxlib.h>

#include <string.h>

enum { NAMES_MOST = 64 };

// A function, a text, or a value that is pushed.
struct module_field {
    const char *name;
    lua_CFunction function;
    const char *text;
    void (*push)(lua_State *L); // called by module_open(): its upvalue is there // [-0, +1, e]
    bool unsafe;                // a sandboxed script lacks it
};

static struct scheduler_environment *environment_of(lua_State *L) // [-0, +0, -]
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

// [-0, +1, e]
static void push_missing(lua_State *L, const char *name)
{
    sandbox_push_missing(L, lua_pushfstring(L, "mesos.%s", name));
    lua_remove(L, -2);
}

static void push_driver_class(lua_State *L)
{
    driver_methods_push(L, environment_of(L));
}

static void push_serve(lua_State *L)
{
    struct scheduler_environment *environment = environment_of(L);
    if (script_sandboxed(script_of(L)) && !environment->allow_serve)
        serve_push_refused(L);
    else
        serve_push(L, environment);
}

static int l_uuid(lua_State *L) // [-n, +1, e]
{
    char text[UUID_TEXT];
    dot_call_check(L, "uuid");
    uuid_random_text(text);
    lua_pushstring(L, text);
    return 1;
}

static int l_module_exit(lua_State *L) // [-1, +0, e]
{
    dot_call_check(L, "exit");
    return l_exit(L);
}

static const struct module_field fields[] = {
    // drivers and offers
    {"SchedulerDriver", .push = push_driver_class},
    {"DRIVER_NOT_STARTED", .text = "DRIVER_NOT_STARTED"},
    {"DRIVER_RUNNING", .text = "DRIVER_RUNNING"},
    {"DRIVER_ABORTED", .text = "DRIVER_ABORTED"},
    {"DRIVER_STOPPED", .text = "DRIVER_STOPPED"},
    {"offers", .function = l_offers},
    {"resources", .push = resource_list_push_function},

    // time
    {"after", .function = l_after},
    {"every", .function = l_every},
    {"sleep", .function = l_sleep},
    {"spawn", .function = l_spawn},
    {"now", .function = l_now},

    // the world outside
    {"exec", .function = l_exec, .unsafe = true},
    {"process", .function = l_process, .unsafe = true},
    {"http", .push = http_push},
    {"serve", .push = push_serve},
    {"log", .push = logging_push},

    // the program
    {"uuid", .function = l_uuid},
    {"exit", .function = l_module_exit},
    {"version", .text = MESOS_LUA_VERSION},
};

// ---- the field that is no row ----

static bool is_state(lua_State *L, int key) // [-0, +0, -]
{
    return lua_type(L, key) == LUA_TSTRING && strcmp(lua_tostring(L, key), "state") == 0;
}

static const char *name_at(const void *data, size_t index)
{
    const char *const *names = data;
    return names[index];
}

// The module is at 1, the key at 2. // [-0, +0, v]
static int raise_unknown(lua_State *L)
{
    const char *names[NAMES_MOST + 1] = {"state"};
    size_t count = 1;
    const char *name = luaL_tolstring(L, 2, NULL);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && count < NAMES_MOST)
            names[count++] = lua_tostring(L, -1);
    }
    return luaL_error(L, "the module mesos has no '%s'%s", name,
                      hints_push(L, name, name_at, names));
}

static int l_index(lua_State *L) // [-2, +1, e]
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (!is_state(L, 2))
        return raise_unknown(L);
    state_table_push(L);
    return 1;
}

static int l_newindex(lua_State *L) // [-3, +0, e]
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    if (is_state(L, 2))
        state_table_assign(L);
    else
        lua_rawset(L, 1);
    return 0;
}

// ---- the module ----

static void push_field(lua_State *L, const struct module_field *field) // [-0, +1, e]
{
    if (field->unsafe && script_sandboxed(script_of(L)))
        push_missing(L, field->name);
    else if (field->function != NULL)
        lua_pushcfunction(L, field->function);
    else if (field->text != NULL)
        lua_pushstring(L, field->text);
    else
        field->push(L);
}

static void set_metatable(lua_State *L) // [-0, +0, m]
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
}

static void open_rooms(lua_State *L) // [-0, +0, e]
{
    struct scheduler_environment *environment = environment_of(L);
    const struct offer_finder finder = {scheduler_find_offer, environment};
    message_open(L);
    offer_view_open(L);
    offer_list_open(L, &finder);
    resource_arithmetic_open(L);
    driver_methods_open(L, environment);
    timers_open(L);
    exec_open(L);
    process_open(L);
    http_open(L);
    serve_open(L);
    json_open(L);
}

int module_open(lua_State *L)
{
    open_rooms(L);
    lua_createtable(L, 0, sizeof fields / sizeof *fields);
    dot_call_library(L, "mesos");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        push_field(L, &fields[i]);
        lua_setfield(L, -2, fields[i].name);
    }
    set_metatable(L);
    return 1;
}
