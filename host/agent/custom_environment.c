// SPDX-License-Identifier: Apache-2.0
//
// Environments of executors; see the header.

#include "agent/custom_environment.h"

#include "base/duration.h"
#include "base/memory.h"

#include <stdlib.h>

// What only an executor needs that may live longer than its agent.
static void add_checkpoint(struct task_words *words, const Mesos__V1__FrameworkInfo *framework)
{
    task_command_set(words, "MESOS_CHECKPOINT", framework->checkpoint ? "1" : "0");
    if (!framework->checkpoint)
        return;
    task_command_set(words, "MESOS_RECOVERY_TIMEOUT", "15mins");
    task_command_set(words, "MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs");
}

static void add_grace_period(struct task_words *words, const Mesos__V1__ExecutorInfo *info)
{
    const Mesos__V1__DurationInfo *period = info->shutdown_grace_period;
    char *text = duration_text(period ? period->nanoseconds
                                      : CUSTOM_SHUTDOWN_GRACE_SECONDS * INT64_C(1000000000));
    task_command_set(words, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", text);
    free(text);
}

static void add_agent(struct task_words *words, const struct agent *agent)
{
    char *endpoint = memory_format("%s:%u", agent->ip, agent->port);
    char *pid = memory_format("slave(%u)@%s", agent->number, endpoint);
    task_command_set(words, "MESOS_SLAVE_ID", agent->id);
    task_command_set(words, "MESOS_SLAVE_PID", pid);
    task_command_set(words, "MESOS_AGENT_ENDPOINT", endpoint);
    task_command_set(words, "LIBPROCESS_IP", agent->ip);
    free(endpoint);
    free(pid);
}

struct task_words custom_environment(const struct agent_executor *executor, const char *token)
{
    struct task_words words = {0};
    char *sandbox = agent_records_sandbox(executor);
    task_command_set(&words, "PATH", executor->agent->path);
    task_command_set(&words, "LIBPROCESS_PORT", "0");
    task_command_set(&words, "MESOS_FRAMEWORK_ID", executor->framework_id);
    task_command_set(&words, "MESOS_EXECUTOR_ID", executor->id);
    task_command_set(&words, "MESOS_DIRECTORY", sandbox);
    task_command_set(&words, "MESOS_SANDBOX", sandbox);
    task_command_set(&words, "MESOS_HTTP_COMMAND_EXECUTOR", "0");
    add_agent(&words, executor->agent);
    add_checkpoint(&words, executor->framework);
    add_grace_period(&words, executor->info);
    if (token != NULL)
        task_command_set(&words, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN", token);
    task_command_add(&words, executor->info->command->environment);
    free(sandbox);
    return words;
}
