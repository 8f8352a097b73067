// SPDX-License-Identifier: Apache-2.0
//
// Validation of a task, in the order and with the texts of a real master. Two rules of our own
// follow: a framework has a limit of tasks, and a field that the local cluster does not carry out
// is refused (unsupported_fields.h).

#include "master/master_internal.h"

#include "agent/command_validation.h"
#include "agent/container_command.h"
#include "base/memory.h"
#include "master/unsupported_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__TaskInfo TaskInfo;
typedef bool (*task_rule)(const struct task_launch *launch, struct error *err);

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

// ---- ids ----

static bool check_id(const struct task_launch *launch, struct error *err)
{
    return validation_id(launch->task->task_id->value, err);
}

static bool check_unique(const struct task_launch *launch, struct error *err)
{
    const char *id = launch->task->task_id->value;
    return master_records_task(launch->framework, id) == NULL ||
           error_set(err, ERROR_INVALID, "Task has duplicate ID: %s", id);
}

static bool check_agent(const struct task_launch *launch, struct error *err)
{
    const char *id = launch->task->agent_id->value, *expected = launch->node->id;
    return strcmp(id, expected) == 0 ||
           error_set(err, ERROR_INVALID,
                     "Task uses invalid agent %.300s while agent %s is expected", id, expected);
}

// ---- times, checks ----

static bool check_kill_policy(const struct task_launch *launch, struct error *err)
{
    const Mesos__V1__KillPolicy *policy = launch->task->kill_policy;
    return policy == NULL || policy->grace_period == NULL ||
           policy->grace_period->nanoseconds >= 0 ||
           fault(err, "Task's 'kill_policy.grace_period' must be non-negative");
}

static bool check_completion_time(const struct task_launch *launch, struct error *err)
{
    const Mesos__V1__DurationInfo *time = launch->task->max_completion_time;
    return time == NULL || time->nanoseconds >= 0 ||
           fault(err, "Task's `max_completion_time` must be non-negative");
}

static bool check_check(const struct task_launch *launch, struct error *err)
{
    return launch->task->check == NULL || command_validation_check(launch->task->check, err) ||
           error_context(err, "Task uses invalid check");
}

static bool check_health(const struct task_launch *launch, struct error *err)
{
    return launch->task->health_check == NULL ||
           command_validation_health_check(launch->task->health_check, err) ||
           error_context(err, "Task uses invalid health check");
}

// ---- resources; accept.c has checked each of them by itself ----

static bool check_some(const struct task_launch *launch, struct error *err)
{
    return launch->task->n_resources > 0 || fault(err, "Task uses no resources");
}

static bool check_resources(const struct task_launch *launch, struct error *err)
{
    return resource_validation_check(launch->task->resources, launch->task->n_resources, err) ||
           error_context(err, "Task uses invalid resources");
}

static bool check_volume_ids(const struct task_launch *launch, struct error *err)
{
    const struct resources none = {0};
    const struct resources own = {launch->task->resources, launch->task->n_resources};
    return resource_validation_unique_volumes(&none, &own, err) ||
           error_context(err, "Task uses duplicate persistence ID");
}

static bool check_single_role(const struct task_launch *launch, struct error *err)
{
    const TaskInfo *task = launch->task;
    return resource_validation_single_role(task->resources, task->n_resources, launch->role, err) ||
           error_context(err, "Invalid task resources");
}

static bool check_revocable(const struct task_launch *launch, struct error *err)
{
    const TaskInfo *task = launch->task;
    return resource_validation_unmixed(task->resources, task->n_resources, err) ||
           error_context(err, "Task mixes revocable and non-revocable resources");
}

// ---- command and container ----

static bool check_command(const struct task_launch *launch, struct error *err)
{
    return launch->task->command == NULL ||
           command_validation_command(launch->task->command, err) ||
           error_context(err, "Task's `CommandInfo` is invalid");
}

static bool check_container(const struct task_launch *launch, struct error *err)
{
    return launch->task->container == NULL ||
           command_validation_container(launch->task->container, err) ||
           error_context(err, "Task's `ContainerInfo` is invalid");
}

static bool check_parts(const struct task_launch *launch, struct error *err)
{
    return (launch->task->command != NULL) != (launch->task->executor != NULL) ||
           fault(err, "Task should have at least one (but not both) of CommandInfo or "
                      "ExecutorInfo present");
}

static bool check_cgroups(const struct task_launch *launch, struct error *err)
{
    const Mesos__V1__ContainerInfo *container = launch->task->container;
    const Mesos__V1__LinuxInfo *info = container ? container->linux_info : NULL;
    return info == NULL || !info->has_share_cgroups || info->share_cgroups ||
           fault(err, "Only tasks in a task group may have 'share_cgroups' set to 'false'");
}

// It is to run in a container, and may. That of a task with an executor is the executor's affair.
static bool is_contained(const struct task_launch *launch)
{
    return launch->framework->master->containers && launch->task->executor == NULL &&
           container_command_image(launch->task->container) != NULL;
}

// A real master accepts such a task, and its executor fails with this text. An image may have a
// program of its own.
static bool check_value(const struct task_launch *launch, struct error *err)
{
    const Mesos__V1__CommandInfo *command = launch->task->command;
    bool shell = command == NULL || !command->has_shell || command->shell;
    if (command == NULL || command->value != NULL || (is_contained(launch) && !shell))
        return true;
    return error_set(err, ERROR_INVALID, "%s of task '%s' is not specified",
                     shell ? "Shell command" : "Executable", launch->task->task_id->value);
}

// ---- our own rule ----

static bool check_limit(const struct task_launch *launch, struct error *err)
{
    return launch->framework->task_table.count < MASTER_TASKS ||
           fault(err, "The framework has too many tasks that are not acknowledged");
}

// Checks of ports come from this machine, not from inside of the container.
static bool check_reachable(const struct task_launch *launch, struct error *err)
{
    const TaskInfo *task = launch->task;
    bool check = task->check != NULL && task->check->command == NULL;
    bool health = task->health_check != NULL && task->health_check->command == NULL;
    return !is_contained(launch) || !(check || health) ||
           !container_command_own_network(task->container) ||
           error_set(err, ERROR_REFUSED,
                     "The local cluster does not carry out '%s' over HTTP or TCP for a container "
                     "with a network of its own: give it a command, or the container the network "
                     "HOST",
                     check ? "check" : "health_check");
}

static bool check_all(const struct task_launch *launch, const task_rule *rules, size_t count,
                      struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!rules[i](launch, err))
            return false;
    return true;
}

bool task_validation_any(const struct task_launch *launch, struct error *err)
{
    static const task_rule rules[] = {
        check_id,          check_unique,    check_agent,   check_kill_policy, check_completion_time,
        check_check,       check_health,    check_some,    check_resources,   check_volume_ids,
        check_single_role, check_revocable, check_command, check_container};
    return check_all(launch, rules, sizeof rules / sizeof rules[0], err);
}

char *task_validation_fault(const struct task_launch *launch)
{
    static const task_rule last[] = {check_cgroups, check_value, check_limit, check_reachable};
    struct error err = {0};
    if (!task_validation_any(launch, &err) || !check_parts(launch, &err))
        return memory_string(err.text);
    char *fault = launch->task->executor ? executor_validation_custom(launch) : NULL;
    if (fault != NULL)
        return fault;
    if (!check_all(launch, last, sizeof last / sizeof last[0], &err))
        return memory_string(err.text);
    return unsupported_fields_fault(&launch->task->base, is_contained(launch));
}
