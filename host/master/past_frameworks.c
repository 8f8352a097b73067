// SPDX-License-Identifier: Apache-2.0
//
// Frameworks that the master does not know any more, but remembers: those that were removed, and
// those that only agents know after a failover; see master_records.h.

#include "master/master_records.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

struct master_framework *past_frameworks_recall(struct master *master, const char *id)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->remembered, link)
    if (strcmp(framework->id, id) == 0)
        break;
    if (framework == NULL)
        return NULL;
    TAILQ_REMOVE(&master->remembered, framework, link);
    string_map_put(&master->framework_table, &framework->entry, framework->id, framework);
    TAILQ_INSERT_TAIL(&master->frameworks, framework, link);
    return framework;
}

static void forget_oldest(struct master *master)
{
    struct completed *oldest = TAILQ_FIRST(&master->completed);
    TAILQ_REMOVE(&master->completed, oldest, link);
    string_map_remove(&master->completed_table, &oldest->entry);
    master->completed_count--;
    framework_past_free(&oldest->past);
    mesos__v1__framework_info__free_unpacked(oldest->info, NULL);
    free(oldest->id);
    free(oldest);
}

void past_frameworks_add(struct master_framework *framework)
{
    struct master *master = framework->master;
    if (master->completed_count == MASTER_COMPLETED)
        forget_oldest(master);
    framework->past.unregistered = loop_wall(master->loop);
    history_framework_killed(framework);
    while (!TAILQ_EMPTY(&framework->tasks))
        master_records_remove_task(TAILQ_FIRST(&framework->tasks));
    struct completed *completed = memory_new(sizeof *completed);
    completed->id = memory_string(framework->id);
    completed->info = message_copy(&framework->info->base);
    framework_past_move(&completed->past, &framework->past);
    string_map_put(&master->completed_table, &completed->entry, completed->id, completed);
    TAILQ_INSERT_TAIL(&master->completed, completed, link);
    master->completed_count++;
    history_framework_removed(framework);
}

void past_frameworks_forget(struct master *master)
{
    while (master->completed_count > 0)
        forget_oldest(master);
}

bool past_frameworks_has(const struct master *master, const char *id)
{
    return string_map_find(&master->completed_table, id) != NULL;
}
