// SPDX-License-Identifier: Apache-2.0
//
// One row for each parameter of a callback that is more than a plain value, and one for each
// operation and method whose arguments or results have a shape: see callback_samples.h.
// The objects are real ones, over messages without any field, so they answer to a name as they
// would in the script.

#include "bindings/scheduler/callback_samples.h"

#include "base/memory.h"
#include "bindings/message/message_sample.h"
#include "bindings/offers/offer_list_index.h"
#include "bindings/offers/offer_need.h"
#include "bindings/offers/resource_list.h"
#include "bindings/scheduler/task_list.h"
#include "mesos/driver.h"

#include "mesos/v1/mesos.pb-c.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"

enum { DRIVER_PLACE = 1, FIRST = 2, NEXT = 3 };

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

static void push_task(lua_State *L, void *data)
{
    (void)data;
    task_list_push_sample(L);
}

static void push_offer_list(lua_State *L)
{
    lua_newtable(L);
    offer_list_index_adopt(L);
}

// ---- parameters ----

#define TYPE(name) message_sample_never, &mesos__v1__##name##__descriptor

static const char driver[] = "driver", offer[] = "offer", task[] = "task";

// The last rows are what methods return. The fields of a task have the values of those of a status.
static const struct lint_parameter rows[] = {
    {"registered", NULL, NEXT, false, push_master, TYPE(master_info), NULL},
    {"reregistered", NULL, FIRST, false, push_master, TYPE(master_info), NULL},
    {"resourceOffers", offer, FIRST, true, push_offer, TYPE(offer), push_offer_list},
    {"inverseOffers", NULL, FIRST, true, push_inverse_offer, TYPE(inverse_offer), NULL},
    {"statusUpdate", NULL, FIRST, false, push_status, TYPE(task_status), NULL},
    {"operationStatusUpdate", NULL, FIRST, false, push_operation_status, TYPE(operation_status),
     NULL},
    {"", task, 0, false, push_task, TYPE(task_status), NULL},
};

enum { ROWS = sizeof rows / sizeof *rows };

static struct lint_parameter *list_parameters(void)
{
    struct lint_parameter *list = memory_new((ROWS + CALLBACKS + 1) * sizeof *list);
    for (int i = 0; i < ROWS; i++)
        list[i] = rows[i];
    for (int i = 0; i < CALLBACKS; i++)
        list[ROWS + i] = (struct lint_parameter){
            .function = events_callback_name((enum driver_callback)i),
            .sample = driver,
            .index = DRIVER_PLACE,
            .push = push_driver,
        };
    return list;
}

// ---- methods ----

#define NEED                                                                                       \
    {                                                                                              \
        .type = &offer_need_type                                                                   \
    }
#define IDS                                                                                        \
    {                                                                                              \
        .type = NULL                                                                               \
    }
#define NAMES(table)                                                                               \
    {                                                                                              \
        .type = &message_sample_table, .data = &(table)                                            \
    }
#define FILTERS MESSAGE_SHAPE(filters)

static const char *const filter_names[] = {"state", "agent_id", NULL};
static const struct lint_shape filter_shapes[] = {
    {.type = &message_sample_enum, .data = &mesos__v1__task_state__descriptor, .list = true},
    {.type = NULL}};
static const struct message_sample_names task_filter = {
    .what = "driver:tasks: the filter", .names = filter_names, .shapes = filter_shapes};
static const char *const kill_names[] = {"agent_id", "kill_policy", NULL};
static const struct lint_shape kill_shapes[] = {{.type = NULL}, MESSAGE_SHAPE(kill_policy)};
static const struct message_sample_names kill_options = {
    .what = "killTask: option", .names = kill_names, .shapes = kill_shapes};

static const struct lint_method methods[] = {
    {.of = driver, "launchTasks", .arguments = {IDS, MESSAGE_LIST_SHAPE(task_info), FILTERS}},
    {.of = driver,
     "acceptOffers",
     .arguments = {IDS, MESSAGE_LIST_SHAPE(offer__operation), FILTERS}},
    {.of = driver, "declineOffer", .arguments = {IDS, FILTERS}},
    {.of = driver, "acceptInverseOffers", .arguments = {IDS, FILTERS}},
    {.of = driver, "declineInverseOffers", .arguments = {IDS, FILTERS}},
    {.of = driver, "killTask", .arguments = {IDS, NAMES(kill_options)}},
    {.of = driver, "reconcileTasks", .arguments = {MESSAGE_LIST_SHAPE(task_status)}},
    {.of = driver,
     "reconcileOperations",
     .arguments = {MESSAGE_LIST_SHAPE(scheduler__call__reconcile_operations__operation)}},
    {.of = driver, "requestResources", .arguments = {MESSAGE_LIST_SHAPE(request)}},
    {.of = driver, "acknowledgeStatusUpdate", .arguments = {MESSAGE_SHAPE(task_status)}},
    {.of = driver, "acknowledgeOperationStatus", .arguments = {MESSAGE_SHAPE(operation_status)}},
    {.of = driver,
     "updateFramework",
     .arguments = {MESSAGE_SHAPE(framework_info), IDS,
                   MESSAGE_SHAPE(scheduler__offer_constraints)}},
    {.of = driver, "explain", .arguments = {NEED}},
    {.of = driver, "offers", .result = LINT_LIST, .sample = offer},
    {.of = driver, "task", .result = LINT_OBJECT, .sample = task},
    {.of = driver,
     "tasks",
     .arguments = {NAMES(task_filter)},
     .result = LINT_ITERATOR,
     .sample = task},
    {.of = offer,
     "best_fit",
     .of_list = true,
     .arguments = {NEED},
     .result = LINT_OBJECT,
     .sample = offer},
    {.of = offer,
     "first_fit",
     .of_list = true,
     .arguments = {NEED},
     .result = LINT_OBJECT,
     .sample = offer},
    {.of = offer,
     "worst_fit",
     .of_list = true,
     .arguments = {NEED},
     .result = LINT_OBJECT,
     .sample = offer},
    {.of = offer, "take", .of_list = true, .arguments = {IDS, NEED}},
    {.of = offer,
     "filter",
     .of_list = true,
     .arguments = {NEED},
     .result = LINT_LIST,
     .sample = offer},
    {.of = offer, "sort_by", .of_list = true, .result = LINT_LIST, .sample = offer},
    {.of = "mesos", "offers", .result = LINT_LIST, .sample = offer},
    {.of = "mesos", "resources", .arguments = {{.type = &resource_list_type}}},
    {.of = NULL},
};

struct lint_world callback_samples_world(struct scheduler *scheduler)
{
    return (struct lint_world){
        .parameters = list_parameters(), .methods = methods, .data = scheduler};
}
