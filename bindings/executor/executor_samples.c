// SPDX-License-Identifier: Apache-2.0
//
// One row for each parameter of a callback that is more than a plain value: see executor_samples.h.

#include "bindings/executor/executor_samples.h"

#include "base/memory.h"
#include "bindings/executor/executor_script_internal.h"
#include "bindings/message/message_sample.h"

#include "mesos/v1/mesos.pb-c.h"

enum { DRIVER_PLACE = 1, FIRST = 2, SECOND = 3, THIRD = 4 };

static void push_driver(lua_State *L, void *data)
{
    executor_methods_push_driver(L, data);
}

#define PUSH(name)                                                                                 \
    static void push_##name(lua_State *L, void *data)                                              \
    {                                                                                              \
        (void)data;                                                                                \
        message_sample_push(L, &mesos__v1__##name##__descriptor);                                  \
    }

PUSH(executor_info)
PUSH(framework_info)
PUSH(agent_info)
PUSH(task_info)
PUSH(kill_policy)

#define ROW(callback, place, is_list, name)                                                        \
    {                                                                                              \
        .function = callback, .index = place, .list = is_list, .push = push_##name,                \
        .never = message_sample_never, .type = &mesos__v1__##name##__descriptor                    \
    }

static const struct lint_parameter rows[] = {
    ROW("registered", FIRST, false, executor_info),
    ROW("registered", SECOND, false, framework_info),
    ROW("registered", THIRD, false, agent_info),
    ROW("reregistered", FIRST, false, agent_info),
    ROW("launchTask", FIRST, false, task_info),
    ROW("launchGroup", FIRST, true, task_info),
    ROW("killTask", SECOND, false, kill_policy),
};

static const char driver[] = "driver";

enum { ROWS = sizeof rows / sizeof *rows };

static struct lint_parameter *list_parameters(void)
{
    struct lint_parameter *list = memory_new((ROWS + EXECUTOR_CALLBACKS + 1) * sizeof *list);
    for (int i = 0; i < ROWS; i++)
        list[i] = rows[i];
    for (int i = 0; i < EXECUTOR_CALLBACKS; i++)
        list[ROWS + i] = (struct lint_parameter){
            .function = executor_events_name((enum executor_callback)i),
            .sample = driver,
            .index = DRIVER_PLACE,
            .push = push_driver,
        };
    return list;
}

static const struct lint_method methods[] = {
    {.of = driver, "sendStatusUpdate", .arguments = {MESSAGE_SHAPE(task_status)}},
    {.of = NULL},
};

struct lint_world executor_samples_world(struct executor_script *executor)
{
    return (struct lint_world){
        .parameters = list_parameters(), .methods = methods, .data = executor};
}
