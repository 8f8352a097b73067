// SPDX-License-Identifier: Apache-2.0
//
// What the container of an executor may use; see custom_executor_internal.h.

#include "agent/custom_executor_internal.h"
#include "agent/executor_volumes.h"

#include "base/memory.h"

#include <stdlib.h>

#define LEAST_MEGABYTES 32.0

// ---- memory ----

uint64_t custom_container_memory(const struct agent_executor *executor)
{
    double megabytes = agent_executor_megabytes(executor);
    return (uint64_t)((megabytes > LEAST_MEGABYTES ? megabytes : LEAST_MEGABYTES) * 1024 * 1024);
}

void custom_container_adapt_memory(struct custom_executor *custom)
{
    sandbox_run_limit(&custom->run, custom_container_memory(custom->executor));
}

// ---- volumes ----

static void fail_update(struct custom_executor *custom, const char *reason)
{
    free(custom->fault);
    custom->fault = memory_format("Failed to update resources for container: %s", reason);
    agent_executor_destroy(custom->executor);
}

bool custom_container_add_volumes(struct custom_executor *custom, const struct agent_task *task)
{
    struct error err = {0};
    if (executor_volumes_add(&custom->volumes, custom->executor, task, &err))
        return true;
    fail_update(custom, err.text);
    return false;
}

bool custom_container_add_volumes_of_group(struct custom_executor *custom, uint64_t group)
{
    const struct agent_task *task;
    TAILQ_FOREACH(task, &custom->executor->tasks, link)
    if (task->group == group && !custom_container_add_volumes(custom, task))
        return false;
    return true;
}

void custom_container_task_ended(struct custom_executor *custom)
{
    custom_container_adapt_memory(custom);
    executor_volumes_drop(&custom->volumes, custom->executor);
}
