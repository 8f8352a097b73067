// SPDX-License-Identifier: Apache-2.0
//
// The end of a task: see task_end.h.

#include "cluster/task_end.h"

#include "base/memory.h"

#include <string.h>

Mesos__V1__TaskState task_end_state(const struct runner_end *how, enum task_end_cause cause)
{
    bool failed = how->status != 0 || how->signal != 0 || cause == TASK_END_TIMED_OUT;
    if (cause == TASK_END_KILLED)
        return MESOS__V1__TASK_STATE__TASK_KILLED;
    return failed ? MESOS__V1__TASK_STATE__TASK_FAILED : MESOS__V1__TASK_STATE__TASK_FINISHED;
}

bool task_end_reason(enum task_end_cause cause, Mesos__V1__TaskStatus__Reason *reason)
{
    *reason = MESOS__V1__TASK_STATUS__REASON__REASON_MAX_COMPLETION_TIME_REACHED;
    return cause == TASK_END_TIMED_OUT;
}

char *task_end_message(const struct runner_end *how)
{
    const char *more = how->reason ? ": " : "", *reason = how->reason ? how->reason : "";
    if (how->signal != 0)
        return memory_format("Command terminated with signal %s%s%s", strsignal(how->signal), more,
                             reason);
    return memory_format("Command exited with status %d%s%s", (int)how->status, more, reason);
}
