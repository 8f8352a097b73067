// SPDX-License-Identifier: Apache-2.0
//
// Filling in a FrameworkInfo: see framework_info.h. It works on a copy, so that the script's table
// stays as it was written.

#include "bindings/scheduler/framework_info.h"

#include "bindings/core/scratch.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_encode.h"
#include "script/script.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

// Pushes a shallow copy of the table at `index`, or an empty table for nil. // [-0, +1, e]
static void push_copy(lua_State *L, int index)
{
    lua_newtable(L);
    if (lua_isnil(L, index))
        return;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

// [-0, +0, e]
static bool has(lua_State *L, int table, const char *field)
{
    lua_pushstring(L, field);
    lua_rawget(L, table);
    bool found = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return found;
}

// Sets the field to the value on top unless it is set. // [-1, +0, e]
static void fill(lua_State *L, int table, const char *field)
{
    if (!has(L, table, field)) {
        lua_pushstring(L, field);
        lua_pushvalue(L, -2);
        lua_rawset(L, table);
    }
    lua_pop(L, 1);
}

static void fill_user(lua_State *L, int table) // [-0, +0, e]
{
    struct passwd entry, *found = NULL;
    char text[4096];
    getpwuid_r(geteuid(), &entry, text, sizeof text, &found);
    if (found != NULL)
        lua_pushstring(L, found->pw_name);
    else
        lua_pushfstring(L, "%d", (int)geteuid());
    fill(L, table, "user");
}

static void fill_hostname(lua_State *L, int table) // [-0, +0, e]
{
    char name[256] = "localhost";
    gethostname(name, sizeof name - 1);
    lua_pushstring(L, name);
    fill(L, table, "hostname");
}

static void fill_principal(lua_State *L, int table, int credential) // [-0, +0, e]
{
    if (!lua_istable(L, credential))
        return;
    lua_getfield(L, credential, "principal");
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        fill(L, table, "principal");
}

// Appends a capability to the list on top. // [-0, +0, e]
static void append_capability(lua_State *L, const char *name)
{
    lua_createtable(L, 0, 1);                               // list, capability
    lua_pushstring(L, name);                                // list, capability, name
    lua_setfield(L, -2, "type");                            // list, capability
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1); // list
}

static void fill_capabilities(lua_State *L, int table) // [-0, +0, e]
{
    lua_createtable(L, 2, 0);
    if (!has(L, table, "role"))
        append_capability(L, "MULTI_ROLE");
    append_capability(L, "RESERVATION_REFINEMENT");
    fill(L, table, "capabilities");
}

// True if the type of a capability at the top of the stack is MULTI_ROLE, by name or by number.
static bool is_type_multi_role(lua_State *L) // [-0, +0, -]
{
    if (lua_type(L, -1) == LUA_TNUMBER)
        return lua_tonumber(L, -1) == MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
    return lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "MULTI_ROLE") == 0;
}

// True if the list of capabilities on top names MULTI_ROLE. A malformed one is reported when it is
// encoded. // [-0, +0, e]
static bool is_multi_role(lua_State *L)
{
    bool found = false;
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        lua_pushliteral(L, "type");
        lua_rawget(L, -2);
        found = found || is_type_multi_role(L);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return found;
}

static void fill_roles(lua_State *L, int table) // [-0, +0, e]
{
    lua_pushliteral(L, "capabilities");
    lua_rawget(L, table);
    if (lua_istable(L, -1) && is_multi_role(L)) {
        lua_createtable(L, 1, 0);
        lua_pushliteral(L, "*");
        lua_rawseti(L, -2, 1);
        fill(L, table, "roles");
    }
    lua_pop(L, 1);
}

struct slice framework_info_encode(lua_State *L, int index, int credential)
{
    push_copy(L, index);
    int table = lua_gettop(L);
    fill_user(L, table);
    fill_hostname(L, table);
    lua_pushstring(L, script_name(script_of(L)));
    fill(L, table, "name");
    fill_principal(L, table, credential);
    fill_capabilities(L, table);
    fill_roles(L, table);
    struct buffer *buffer = scratch_push(L);
    message_encode_texts(L, table, &mesos__v1__framework_info__descriptor, "framework", buffer);
    return buffer_slice(buffer);
}

void framework_info_complete(lua_State *L, int index, struct slice current)
{
    static const char *const inherited[] = {"id", "user", "principal", "hostname", "checkpoint"};
    index = lua_absindex(L, index);
    push_copy(L, index);
    int table = lua_gettop(L);
    message_decode_plain(L, &mesos__v1__framework_info__descriptor, current);
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++) {
        lua_getfield(L, table + 1, inherited[i]);
        fill(L, table, inherited[i]);
    }
    lua_pop(L, 1);
    if (!has(L, table, "capabilities")) {
        fill_capabilities(L, table);
        fill_roles(L, table);
    }
    lua_replace(L, index);
}
