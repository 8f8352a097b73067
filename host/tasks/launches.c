// SPDX-License-Identifier: Apache-2.0
//
// The tasks of an ACCEPT: see launches.h.

#include "tasks/launches.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

struct launches launches_of(struct slice accept)
{
    return (struct launches){.operations = accept};
}

static void open_group(struct launches *launches)
{
    launches->tasks = wire_find(launches->group, FIELD_OFFER_OPERATION_LAUNCH_GROUP_TASK_GROUP);
    launches->number = FIELD_TASK_GROUP_INFO_TASKS;
    launches->executor = wire_find(launches->group, FIELD_OFFER_OPERATION_LAUNCH_GROUP_EXECUTOR);
    launches->group.data = NULL;
}

static bool open_operation(struct launches *launches)
{
    struct slice operation;
    if (!wire_next_bytes(&launches->operations, FIELD_SCHEDULER_CALL_ACCEPT_OPERATIONS, &operation))
        return false;
    launches->tasks = wire_find(operation, FIELD_OFFER_OPERATION_LAUNCH);
    launches->number = FIELD_OFFER_OPERATION_LAUNCH_TASK_INFOS;
    launches->executor.data = NULL;
    launches->group = wire_find(operation, FIELD_OFFER_OPERATION_LAUNCH_GROUP);
    return true;
}

bool launches_next(struct launches *launches, struct launch *launch)
{
    while (!wire_next_bytes(&launches->tasks, launches->number, &launch->task)) {
        if (launches->group.data != NULL)
            open_group(launches);
        else if (!open_operation(launches))
            return false;
    }
    launch->executor = launches->executor;
    return true;
}

size_t launches_count(struct slice accept)
{
    size_t count = 0;
    struct launches launches = launches_of(accept);
    for (struct launch launch; launches_next(&launches, &launch);)
        count++;
    return count;
}
