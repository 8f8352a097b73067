// SPDX-License-Identifier: Apache-2.0
//
// What is called for an event, and with what: one row of arguments for each callback. See
// scheduler_internal.h.

#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_list_index.h"
#include "bindings/scheduler/scheduler_internal.h"

#include <lauxlib.h>

static int push_text(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? (const char *)text.data : "", text.length);
    return 1;
}

static int push_master(lua_State *L, const struct driver_event *event)
{
    message_decode(L, &mesos__v1__master_info__descriptor, event->message);
    return 1;
}

static int push_registered(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->framework_id);
    push_master(L, event);
    return 2;
}

static int push_nothing(lua_State *L, const struct driver_event *event)
{
    (void)L, (void)event;
    return 0;
}

static int push_list(lua_State *L, const ProtobufCMessageDescriptor *type,
                     const struct driver_event *event)
{
    view_push_list(L, type, event->block, event->offers, event->count);
    return 1;
}

static int push_offers(lua_State *L, const struct driver_event *event)
{
    push_list(L, &mesos__v1__offer__descriptor, event);
    offer_list_index_adopt(L);
    return 1;
}

static int push_inverse_offers(lua_State *L, const struct driver_event *event)
{
    return push_list(L, &mesos__v1__inverse_offer__descriptor, event);
}

static int push_offer_id(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->offer_id);
}

// Most callbacks are these.
static int push_status(lua_State *L, struct scheduler *scheduler, const struct driver_event *event)
{
    if (scheduler->statuses == NULL)
        scheduler->statuses = view_class_of(L, &mesos__v1__task_status__descriptor);
    view_push_of(L, scheduler->statuses, event->block, event->message);
    return 1;
}

static int push_operation_status(lua_State *L, const struct driver_event *event)
{
    message_decode(L, &mesos__v1__operation_status__descriptor, event->message);
    return 1;
}

static int push_message(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->executor_id);
    push_text(L, event->agent_id);
    push_text(L, event->data);
    return 3;
}

static int push_agent(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->agent_id);
}

static int push_executor(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->executor_id);
    push_text(L, event->agent_id);
    lua_pushinteger(L, event->status);
    return 3;
}

static int push_data(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->data);
}

// All but that of statusUpdate.
static int (*const rows[CALLBACKS])(lua_State *L, const struct driver_event *event) = {
    [CALLBACK_REGISTERED] = push_registered,
    [CALLBACK_REREGISTERED] = push_master,
    [CALLBACK_DISCONNECTED] = push_nothing,
    [CALLBACK_RESOURCE_OFFERS] = push_offers,
    [CALLBACK_OFFER_RESCINDED] = push_offer_id,
    [CALLBACK_FRAMEWORK_MESSAGE] = push_message,
    [CALLBACK_SLAVE_LOST] = push_agent,
    [CALLBACK_EXECUTOR_LOST] = push_executor,
    [CALLBACK_ERROR] = push_data,
    [CALLBACK_INVERSE_OFFERS] = push_inverse_offers,
    [CALLBACK_INVERSE_OFFER_RESCINDED] = push_offer_id,
    [CALLBACK_OPERATION_STATUS_UPDATE] = push_operation_status,
    [CALLBACK_RELOADED] = push_nothing,
    [CALLBACK_FRAMEWORK_REMOVED] = push_data,
    [CALLBACK_SUBMIT] = submissions_push_job,
};

int callback_arguments_push(lua_State *L)
{
    struct callback_dispatch *dispatch = lua_touserdata(L, 1);
    struct scheduler *scheduler = dispatch->scheduler;
    const struct driver_event *event = dispatch->event;
    lua_rawgeti(L, LUA_REGISTRYINDEX, scheduler->table);        // table
    lua_getfield(L, -1, events_callback_name(event->callback)); // table, method
    dispatch->missing = lua_isnil(L, -1);
    if (dispatch->missing)
        return 0;
    lua_rotate(L, -2, 1);                // method, table
    scheduler_push_object(L, scheduler); // method, table, driver
    if (event->callback == CALLBACK_STATUS_UPDATE)
        return 3 + push_status(L, scheduler, event);
    int count = 3 + rows[event->callback](L, event);
    if (event->callback != CALLBACK_SUBMIT)
        return count;
    submissions_push_caller(L);
    lua_insert(L, -count - 1);
    return count + 1;
}
