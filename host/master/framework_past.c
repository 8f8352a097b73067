// SPDX-License-Identifier: Apache-2.0
//
// The past of a framework; see the header.

#include "master/framework_past.h"

#include <string.h>

static void init_tasks(struct past_tasks *tasks)
{
    TAILQ_INIT(&tasks->list);
    tasks->count = 0;
}

static struct task_record *take(struct past_tasks *tasks, struct task_record *record)
{
    TAILQ_REMOVE(&tasks->list, record, link);
    tasks->count--;
    return record;
}

static void free_tasks(struct past_tasks *tasks)
{
    while (!TAILQ_EMPTY(&tasks->list))
        task_record_destroy(take(tasks, TAILQ_FIRST(&tasks->list)));
}

static void move_tasks(struct past_tasks *to, struct past_tasks *from)
{
    init_tasks(to);
    TAILQ_CONCAT(&to->list, &from->list, link);
    to->count = from->count;
    from->count = 0;
}

void framework_past_init(struct framework_past *past)
{
    init_tasks(&past->completed);
    init_tasks(&past->unreachable);
}

void framework_past_free(struct framework_past *past)
{
    free_tasks(&past->completed);
    free_tasks(&past->unreachable);
}

void framework_past_move(struct framework_past *to, struct framework_past *from)
{
    to->registered = from->registered;
    to->reregistered = from->reregistered;
    to->unregistered = from->unregistered;
    move_tasks(&to->completed, &from->completed);
    move_tasks(&to->unreachable, &from->unreachable);
}

void framework_past_add(struct past_tasks *tasks, struct task_record *record)
{
    if (tasks->count == FRAMEWORK_PAST_TASKS)
        task_record_destroy(take(tasks, TAILQ_FIRST(&tasks->list)));
    TAILQ_INSERT_TAIL(&tasks->list, record, link);
    tasks->count++;
}

struct task_record *framework_past_take(struct past_tasks *tasks, const char *id)
{
    struct task_record *record;
    TAILQ_FOREACH(record, &tasks->list, link)
    if (strcmp(record->id, id) == 0)
        break;
    return record ? take(tasks, record) : NULL;
}
