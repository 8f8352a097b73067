// SPDX-License-Identifier: Apache-2.0
//
// Access to lists of offers: internals.offers(list), for offers that belong to no driver; and to
// resources in messages:
//
//     internals.resources_are_normal(task) -> boolean: those of a TaskInfo in its encoding; raises
//         if they are and a list of them has anything else

#include "bindings/offers/offer_list.h"
#include "bindings/offers/resource_list.h"
#include "internals.h"
#include "offers/resources.h"

#include <lauxlib.h>

typedef Mesos__V1__TaskInfo TaskInfo;

// Of what a list of the resources has.
static void push_packed(lua_State *L, const struct resources *list)
{
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (size_t i = 0; i < list->count; i++) {
        size_t length = mesos__v1__resource__get_packed_size(list->items[i]);
        mesos__v1__resource__pack(list->items[i], (uint8_t *)luaL_prepbuffsize(&buffer, length));
        luaL_addsize(&buffer, length);
        luaL_addchar(&buffer, '\n');
    }
    luaL_pushresult(&buffer);
}

static int l_resources_are_normal(lua_State *L)
{
    size_t length;
    const uint8_t *bytes = (const uint8_t *)luaL_checklstring(L, 1, &length);
    TaskInfo *task = mesos__v1__task_info__unpack(NULL, length, bytes);
    luaL_argcheck(L, task != NULL, 1, "no task");
    struct resources list = {.count = 0}, own = {task->resources, task->n_resources};
    bool normal = resources_are_normal(own.items, own.count);
    for (size_t i = 0; i < own.count && normal; i++)
        resources_add_message_for(&list, own.items[i], "web");
    push_packed(L, &list);
    push_packed(L, &own);
    resources_free(&list);
    mesos__v1__task_info__free_unpacked(task, NULL);
    if (normal && !lua_rawequal(L, -1, -2))
        return luaL_error(L, "these resources are not normal");
    lua_pushboolean(L, normal);
    return 1;
}

void internals_offers_open(lua_State *L)
{
    offer_list_open(L, NULL);
    lua_pushcfunction(L, l_offers);
    lua_setfield(L, -2, "offers");
    resource_list_push_function(L);
    lua_setfield(L, -2, "resources");
    lua_pushcfunction(L, l_resources_are_normal);
    lua_setfield(L, -2, "resources_are_normal");
}
