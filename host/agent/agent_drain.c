// SPDX-License-Identifier: Apache-2.0
//
// An agent that is drained; see the header.

#include "agent/agent_drain.h"

#include "agent/agent.h"
#include "agent/agent_records.h"

// The grace period of a drain holds for tasks without one of their own, and shortens those of the
// others.
static void drain_executor(struct agent_executor *executor, const Mesos__V1__KillPolicy *drain)
{
    int64_t longest = drain->grace_period->nanoseconds;
    for (struct agent_task *task = TAILQ_FIRST(&executor->tasks), *next; task != NULL;
         task = next) {
        next = TAILQ_NEXT(task, link);
        bool counts = longest >= 0 && (!task->own_grace || (uint64_t)longest < task->grace);
        agent_kill(executor->agent, executor->framework_id, task->id, counts ? drain : NULL);
    }
}

void agent_drain_start(struct agent *agent, int64_t longest_grace, bool gone)
{
    Mesos__V1__DurationInfo longest = MESOS__V1__DURATION_INFO__INIT;
    Mesos__V1__KillPolicy policy = MESOS__V1__KILL_POLICY__INIT;
    longest.nanoseconds = longest_grace;
    policy.grace_period = &longest;
    agent->draining = true;
    agent->leaving = gone;
    for (struct agent_executor *executor = TAILQ_FIRST(&agent->executors), *next; executor != NULL;
         executor = next) {
        next = TAILQ_NEXT(executor, link);
        if (!executor->silent)
            drain_executor(executor, &policy);
    }
}

void agent_drain_end(struct agent *agent)
{
    agent->draining = agent->leaving = false;
}
