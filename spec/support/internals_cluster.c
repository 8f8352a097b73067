// SPDX-License-Identifier: Apache-2.0
//
// The local cluster's table of fields seen from Lua, against the messages that frameworks send.

#include "internals.h"
#include "master/unsupported_fields.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static const ProtobufCMessageDescriptor *const roots[] = {
    &mesos__v1__task_info__descriptor,
    &mesos__v1__offer__operation__descriptor,
    &mesos__v1__framework_info__descriptor,
    &mesos__v1__filters__descriptor,
};

enum { ROOTS = sizeof roots / sizeof *roots, SEEN = 1, FOUND = 2 };

static bool seen(lua_State *L, const char *name) // [-0, +0, e]
{
    bool before = lua_getfield(L, SEEN, name) != LUA_TNIL;
    lua_pop(L, 1);
    lua_pushboolean(L, true);
    lua_setfield(L, SEEN, name);
    return before;
}

// Adds the fields of the type, and of those below it that are carried out, to the table FOUND where
// they have no row, and to the table SEEN in any case. // [-0, +0, e]
static void visit(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    luaL_checkstack(L, 4, NULL);
    if (seen(L, type->name))
        return;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const struct unsupported_fields_row *row = unsupported_fields_find(type, field->name);
        lua_pushfstring(L, "%s.%s", type->name + sizeof "mesos.v1." - 1, field->name);
        seen(L, lua_tostring(L, -1));
        if (row == NULL)
            lua_rawseti(L, FOUND, (lua_Integer)lua_rawlen(L, FOUND) + 1);
        else
            lua_pop(L, 1);
        bool walked =
            row != NULL && (row->support == SUPPORT_DONE || row->support == SUPPORT_CONTAINED);
        if (walked && field->type == PROTOBUF_C_TYPE_MESSAGE)
            visit(L, field->descriptor);
    }
}

static void visit_all(lua_State *L) // [-0, +2, e]
{
    lua_settop(L, 0);
    lua_newtable(L);
    lua_newtable(L);
    for (size_t i = 0; i < ROOTS; i++)
        visit(L, roots[i]);
}

// internals.cluster_fields_without_support() -> list of "Message.field"
static int l_cluster_fields_without_support(lua_State *L)
{
    visit_all(L);
    return 1;
}

// internals.cluster_support_without_field() -> list of "Message.field": rows that no walk meets,
// and refusals without words.
static int l_cluster_support_without_field(lua_State *L)
{
    visit_all(L);
    lua_newtable(L);
    const struct unsupported_fields_row *row;
    for (size_t i = 0; (row = unsupported_fields_row(i)) != NULL; i++) {
        bool refused = row->support >= SUPPORT_CONTAINED;
        lua_pushfstring(L, "%s.%s", row->message, row->field);
        if (seen(L, lua_tostring(L, -1)) && refused == (row->reason != NULL))
            lua_pop(L, 1);
        else
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

// internals.cluster_refused() -> list of "Message.field"
static int l_cluster_refused(lua_State *L)
{
    const struct unsupported_fields_row *row;
    lua_newtable(L);
    for (size_t i = 0; (row = unsupported_fields_row(i)) != NULL; i++) {
        if (row->support < SUPPORT_CONTAINED)
            continue;
        lua_pushfstring(L, "%s.%s", row->message, row->field);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

void internals_cluster_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"cluster_fields_without_support", l_cluster_fields_without_support},
        {"cluster_support_without_field", l_cluster_support_without_field},
        {"cluster_refused", l_cluster_refused},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
