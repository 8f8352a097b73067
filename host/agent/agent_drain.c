// SPDX-License-Identifier: Apache-2.0
//
// An agent that is drained; see the header.

#include "agent/agent_drain.h"

#include "agent/agent.h"
#include "agent/agent_records.h"

static void drain_executor(struct agent_executor *executor, const Mesos__V1__KillPolicy *shortest)
{
    for (struct agent_task *task = TAILQ_FIRST(&executor->tasks), *next; task != NULL;
         task = next) {
        next = TAILQ_NEXT(task, link);
        bool shorter = shortest->grace_period->nanoseconds >= 0 &&
                       (uint64_t)shortest->grace_period->nanoseconds < task->grace;
        agent_kill(executor->agent, executor->framework_id, task->id, shorter ? shortest : NULL);
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
