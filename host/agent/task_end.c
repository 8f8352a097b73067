// SPDX-License-Identifier: Apache-2.0
//
// The end of a task: see task_end.h.

#include "agent/task_end.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    bool fails, has_reason;
    Mesos__V1__TaskStatus__Reason reason;
} causes[] = {
    [TASK_END_OWN] = {.fails = false},
    [TASK_END_KILLED] = {.fails = false},
    [TASK_END_TIMED_OUT] = {true, true,
                            MESOS__V1__TASK_STATUS__REASON__REASON_MAX_COMPLETION_TIME_REACHED},
    [TASK_END_MEMORY] = {true, true,
                         MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LIMITATION_MEMORY},
};

Mesos__V1__TaskState task_end_state(const struct runner_end *how, enum task_end_cause cause)
{
    bool failed = how->status != 0 || how->signal != 0 || causes[cause].fails;
    if (cause == TASK_END_KILLED)
        return MESOS__V1__TASK_STATE__TASK_KILLED;
    return failed ? MESOS__V1__TASK_STATE__TASK_FAILED : MESOS__V1__TASK_STATE__TASK_FINISHED;
}

bool task_end_reason(enum task_end_cause cause, Mesos__V1__TaskStatus__Reason *reason)
{
    *reason = causes[cause].reason;
    return causes[cause].has_reason;
}

char *task_end_message(const struct runner_end *how)
{
    const char *more = how->reason ? ": " : "", *reason = how->reason ? how->reason : "";
    const char *what = how->container ? "Container" : "Command";
    if (how->signal != 0)
        return memory_format("%s terminated with signal %s%s%s", what, strsignal(how->signal), more,
                             reason);
    return memory_format("%s exited with status %d%s%s", what, (int)how->status, more, reason);
}

// As Mesos writes it: in the largest unit of which it is a multiple.
static char *write_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    return memory_format("%llu%s", (unsigned long long)bytes, units[unit]);
}

char *task_end_memory_message(uint64_t used, uint64_t limit)
{
    char *requested = write_bytes(limit), *most = write_bytes(used);
    char *message =
        memory_format("Memory limit exceeded: Requested: %s Maximum Used: %s", requested, most);
    free(requested);
    free(most);
    return message;
}

void task_end_limitation(struct task_end_limitation *limitation, uint64_t used)
{
    mesos__v1__value__scalar__init(&limitation->megabytes);
    mesos__v1__resource__init(&limitation->resource);
    mesos__v1__task_resource_limitation__init(&limitation->message);
    limitation->megabytes.value = (double)used / (1024 * 1024);
    limitation->resource.name = "mem";
    limitation->resource.type = MESOS__V1__VALUE__TYPE__SCALAR;
    limitation->resource.scalar = &limitation->megabytes;
    limitation->resource.role = "*";
    limitation->resources[0] = &limitation->resource;
    limitation->message.n_resources = 1;
    limitation->message.resources = limitation->resources;
}
