// SPDX-License-Identifier: Apache-2.0
//
// Handles to schedulers: see scheduler_handle.h.

#include "bindings/scheduler/scheduler_handle.h"

#include "bindings/core/userdata.h"

#include <lauxlib.h>

struct scheduler_handle {
    struct userdata base;
    struct scheduler *scheduler; // NULL: none yet, or it is gone
    LIST_ENTRY(scheduler_handle) link;
    void (*destroy)(struct scheduler *scheduler);
};

static const char *const metatable = "mesos.SchedulerDriver";

static void point_nowhere(struct scheduler_handle *handle)
{
    if (handle->scheduler != NULL)
        LIST_REMOVE(handle, link);
    handle->scheduler = NULL;
}

static void end_handle(lua_State *L, struct userdata *userdata)
{
    (void)L;
    struct scheduler_handle *handle = (struct scheduler_handle *)userdata;
    struct scheduler *scheduler = handle->scheduler;
    point_nowhere(handle);
    if (handle->destroy != NULL && scheduler != NULL)
        handle->destroy(scheduler);
}

void scheduler_handle_open(lua_State *L)
{
    userdata_type(L, metatable);
}

struct scheduler_handle *scheduler_handle_push(lua_State *L, void (*destroy)(struct scheduler *))
{
    struct scheduler_handle *handle = userdata_push(L, metatable, sizeof *handle, 0, end_handle);
    handle->destroy = destroy;
    return handle;
}

void scheduler_handle_link(struct scheduler_handle *handle, struct scheduler *scheduler,
                           struct scheduler_handles *list)
{
    handle->scheduler = scheduler;
    LIST_INSERT_HEAD(list, handle, link);
}

void scheduler_handle_clear(struct scheduler_handles *list)
{
    while (!LIST_EMPTY(list))
        point_nowhere(LIST_FIRST(list));
}

const char *scheduler_handle_operation(lua_State *L)
{
    lua_Debug ar = {0};
    lua_getstack(L, 0, &ar);
    lua_getinfo(L, "n", &ar);
    return ar.name ? ar.name : "an operation";
}

// Most often the driver is missing because of a dot in place of the colon. // [-0, +0, v]
static int raise_missing(lua_State *L)
{
    const char *name = scheduler_handle_operation(L);
    return luaL_error(
        L, "%s: a driver expected in front of it, got %s: write driver:%s(...), with a colon", name,
        luaL_typename(L, 1), name);
}

struct scheduler *scheduler_handle_check(lua_State *L)
{
    struct scheduler_handle *handle = userdata_test(L, 1, metatable);
    if (handle == NULL)
        raise_missing(L);
    if (handle->scheduler == NULL)
        luaL_error(L, "this driver is gone: its script was replaced or its program ends");
    return handle->scheduler;
}

struct scheduler *scheduler_handle_at(lua_State *L, int index)
{
    const struct scheduler_handle *handle = userdata_test(L, index, metatable);
    return handle != NULL ? handle->scheduler : NULL;
}
