// SPDX-License-Identifier: Apache-2.0
//
// One row for each parameter of a callback that is more than a plain value: see callback_samples.h.
// The objects are real ones, over messages without any field, so they answer to a name as they
// would in the script.

#include "bindings/scheduler/callback_samples.h"

#include "base/memory.h"
#include "bindings/message/message_sample.h"
#include "mesos/driver.h"

#include "mesos/v1/mesos.pb-c.h"

enum { DRIVER_PLACE = 1, FIRST = 2, SECOND = 3 };

static void push_driver(lua_State *L, void *data)
{
    scheduler_push_driver(L, data);
}

static void push_offer(lua_State *L, void *data)
{
    (void)data;
    message_sample_push_view(L, &mesos__v1__offer__descriptor);
}

static void push_inverse_offer(lua_State *L, void *data)
{
    (void)data;
    message_sample_push_view(L, &mesos__v1__inverse_offer__descriptor);
}

static void push_status(lua_State *L, void *data)
{
    (void)data;
    message_sample_push_view(L, &mesos__v1__task_status__descriptor);
}

static void push_operation_status(lua_State *L, void *data)
{
    (void)data;
    message_sample_push(L, &mesos__v1__operation_status__descriptor);
}

static void push_master(lua_State *L, void *data)
{
    (void)data;
    message_sample_push(L, &mesos__v1__master_info__descriptor);
}

#define TYPE(name) message_sample_never, &mesos__v1__##name##__descriptor

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
