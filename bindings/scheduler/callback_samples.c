// SPDX-License-Identifier: Apache-2.0
//
// One row for each parameter of a callback that is more than a plain value: see callback_samples.h.
// The objects are real ones, over messages without any field, so they answer to a name as they
// would in the script.

#include "bindings/scheduler/callback_samples.h"

#include "base/memory.h"
#include "bindings/core/hints.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"
#include "mesos/driver.h"

#include "mesos/v1/mesos.pb-c.h"

enum { DRIVER_PLACE = 1, FIRST = 2, SECOND = 3 };

static void push_driver(lua_State *L, void *data)
{
    scheduler_push_driver(L, data);
}

static const struct slice nothing = {.data = (const uint8_t *)"", .length = 0};

static void push_view(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    struct bytes *block = bytes_copy("", 0);
    view_push(L, type, block, nothing);
    bytes_unref(block);
}

static void push_offer(lua_State *L, void *data)
{
    (void)data;
    push_view(L, &mesos__v1__offer__descriptor);
}

static void push_inverse_offer(lua_State *L, void *data)
{
    (void)data;
    push_view(L, &mesos__v1__inverse_offer__descriptor);
}

static void push_status(lua_State *L, void *data)
{
    (void)data;
    push_view(L, &mesos__v1__task_status__descriptor);
}

static void push_operation_status(lua_State *L, void *data)
{
    (void)data;
    message_decode(L, &mesos__v1__operation_status__descriptor, nothing);
}

static void push_master(lua_State *L, void *data)
{
    (void)data;
    message_decode(L, &mesos__v1__master_info__descriptor, nothing);
}

// An enum reads as the name of one of its values, or as a number.
static bool push_never(lua_State *L, const void *type, const char *field, const char *text)
{
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field_by_name(type, field);
    if (found == NULL || found->type != PROTOBUF_C_TYPE_ENUM ||
        protobuf_c_enum_descriptor_get_value_by_name(found->descriptor, text) != NULL)
        return false;
    const char *meant = hints_push(L, text, message_type_enum_name, found->descriptor);
    lua_pushfstring(L, "%s is never '%s'%s", field, text, meant);
    return true;
}

#define TYPE(name) push_never, &mesos__v1__##name##__descriptor

static const struct lint_parameter rows[] = {
    {"registered", SECOND, false, push_master, TYPE(master_info)},
    {"reregistered", FIRST, false, push_master, TYPE(master_info)},
    {"resourceOffers", FIRST, true, push_offer, TYPE(offer)},
    {"inverseOffers", FIRST, true, push_inverse_offer, TYPE(inverse_offer)},
    {"statusUpdate", FIRST, false, push_status, TYPE(task_status)},
    {"operationStatusUpdate", FIRST, false, push_operation_status, TYPE(operation_status)},
};

enum { ROWS = sizeof rows / sizeof *rows };

struct lint_parameter *callback_samples_parameters(void)
{
    struct lint_parameter *list = memory_new((ROWS + CALLBACKS + 1) * sizeof *list);
    for (int i = 0; i < ROWS; i++)
        list[i] = rows[i];
    for (int i = 0; i < CALLBACKS; i++)
        list[ROWS + i] = (struct lint_parameter){
            .function = events_callback_name((enum driver_callback)i),
            .index = DRIVER_PLACE,
            .push = push_driver,
        };
    return list;
}
