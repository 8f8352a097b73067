// SPDX-License-Identifier: Apache-2.0
//
// The first tasks of a run; see the header.

#include "sim/first_tasks.h"

#include <stdlib.h>

struct first_task *first_tasks_add(struct first_tasks *tasks)
{
    return tasks->count < FIRST_TASKS ? &tasks->items[tasks->count++] : NULL;
}

void first_tasks_free(struct first_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++) {
        free(tasks->items[i].task);
        free(tasks->items[i].agent);
    }
    tasks->count = 0;
}
