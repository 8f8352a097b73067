// SPDX-License-Identifier: Apache-2.0
//
// Validation of groups of tasks, in the order and with the texts of a real master. Rules of our own
// follow: the default executor needs commands, and fields that are not carried out are refused.

#include "master/master_internal.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "master/unsupported_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_CPUS 0.01
#define LEAST_MEGABYTES 32.0
#define TEXT_LIMIT ((size_t)1 << 16)

typedef Mesos__V1__TaskInfo TaskInfo;
typedef Mesos__V1__ExecutorInfo Executor;

struct group {
    const struct master_framework *framework;
    const struct node *node;
    const char *role;
    const Executor *executor;
    TaskInfo *const *tasks;
    size_t count;
};

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

// ---- each task ----

static bool asks_network(const TaskInfo *task)
{
    const Mesos__V1__HealthCheck *health = task->health_check;
    return health != NULL && (health->type == MESOS__V1__HEALTH_CHECK__TYPE__HTTP ||
                              health->type == MESOS__V1__HEALTH_CHECK__TYPE__TCP);
}

static bool check_container(const TaskInfo *task, struct error *err)
{
    const Mesos__V1__ContainerInfo *container = task->container;
    if (container == NULL)
        return true;
    if (container->n_network_infos > 0 && asks_network(task))
        return fault(err, "HTTP and TCP health checks are not supported for nested containers not "
                          "joining parent's network");
    return container->type != MESOS__V1__CONTAINER_INFO__TYPE__DOCKER ||
           fault(err, "Docker ContainerInfo is not supported on the task");
}

static bool check_limits(const TaskInfo *task, struct error *err)
{
    const Mesos__V1__LinuxInfo *info = task->container ? task->container->linux_info : NULL;
    bool alone = info != NULL && info->has_share_cgroups && !info->share_cgroups;
    return task->n_limits == 0 || alone ||
           fault(err, "Resource limits may only be set for tasks within a task group when the "
                      "'share_cgroups' field is set to 'false'.");
}

static struct task_launch launch_of(const struct group *group, const TaskInfo *task)
{
    return (struct task_launch){group->framework, group->node, group->role, task};
}

static bool check_task(const struct group *group, const TaskInfo *task, struct error *err)
{
    const struct task_launch launch = launch_of(group, task);
    return (task_validation_any(&launch, err) && check_container(task, err) &&
            check_limits(task, err)) ||
           error_context(err, "Task '%.200s' is invalid", task->task_id->value);
}

static bool check_tasks(const struct group *group, struct error *err)
{
    for (size_t i = 0; i < group->count; i++)
        if (!check_task(group, group->tasks[i], err))
            return false;
    return true;
}

// ---- the executor ----

static bool check_type(const struct group *group, struct error *err)
{
    const Executor *executor = group->executor;
    if (!executor->has_type)
        return fault(err, "'ExecutorInfo.type' must be set");
    if (executor->type == MESOS__V1__EXECUTOR_INFO__TYPE__UNKNOWN)
        return fault(err, "Unknown executor type");
    return executor->container == NULL ||
           executor->container->type != MESOS__V1__CONTAINER_INFO__TYPE__DOCKER ||
           fault(err, "Docker ContainerInfo is not supported on the executor");
}

static bool check_same(const struct group *group, struct error *err)
{
    for (size_t i = 0; i < group->count; i++)
        if (!executor_validation_same(group->tasks[i]->executor, group->executor))
            return error_set(err, ERROR_INVALID,
                             "The `ExecutorInfo` of task '%.200s' is different from executor "
                             "'%.200s'",
                             group->tasks[i]->task_id->value, group->executor->executor_id->value);
    return true;
}

static bool has(const Executor *executor, const char *name)
{
    for (size_t i = 0; i < executor->n_resources; i++)
        if (strcmp(executor->resources[i]->name, name) == 0)
            return true;
    return false;
}

// As Mesos writes it: in the largest unit of which it is a multiple.
static char *write_megabytes(double megabytes)
{
    uint64_t bytes = (uint64_t)(megabytes * 1024 * 1024);
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    size_t unit = 0;
    for (; bytes > 0 && bytes % 1024 == 0 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    return memory_format("%" PRIu64 "%s", bytes, units[unit]);
}

static bool check_memory(const Executor *executor, const struct resources *list, struct error *err)
{
    double memory = resources_scalar(list, "mem");
    if (memory >= LEAST_MEGABYTES)
        return true;
    char *text = has(executor, "mem") ? write_megabytes(memory) : memory_string("None");
    error_set(err, ERROR_INVALID,
              "Executor '%.200s' uses less memory (%s) than the minimum required (32MB)",
              executor->executor_id->value, text);
    free(text);
    return false;
}

static bool check_least(const struct group *group, struct error *err)
{
    const Executor *executor = group->executor;
    const char *id = executor->executor_id->value;
    const struct resources list = {executor->resources, executor->n_resources};
    double cpus = resources_scalar(&list, "cpus");
    if (cpus < LEAST_CPUS) {
        char *text = has(executor, "cpus") ? memory_format("%g", cpus) : memory_string("None");
        error_set(err, ERROR_INVALID,
                  "Executor '%.200s' uses less CPUs (%s) than the minimum required (%g)", id, text,
                  LEAST_CPUS);
        free(text);
        return false;
    }
    return check_memory(executor, &list, err) &&
           (has(executor, "disk") ||
            error_set(err, ERROR_INVALID, "Executor '%.200s' uses no disk", id));
}

// ---- what all have together ----

static void describe_lists(const struct resources *lists, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        char *text = resources_describe(&lists[i]);
        buffer_format(out, "%s%s", i > 0 ? ", " : "", text);
        free(text);
    }
}

static bool check_overlap(const struct resources *lists, size_t count, struct error *err)
{
    struct buffer tasks;
    if (!resource_validation_overlap(lists, count))
        return true;
    buffer_init(&tasks, TEXT_LIMIT);
    describe_lists(lists, count - 1, &tasks);
    char *executor = resources_describe(&lists[count - 1]);
    error_set(err, ERROR_INVALID,
              "There are overlapping resources in the task group's task resources { %.400s } "
              "and/or executor resources %.400s",
              buffer_string(&tasks), executor);
    free(executor);
    buffer_free(&tasks);
    return false;
}

static struct resources join(const struct resources *lists, size_t count)
{
    struct resources all = {0};
    for (size_t i = 0; i < count; i++)
        all.count += lists[i].count;
    all.items = memory_new(all.count * sizeof *all.items);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lists[i].count; j++)
            all.items[at++] = lists[i].items[j];
    return all;
}

// Of the tasks, and of the executor as the last.
static bool check_together(const struct group *group, struct error *err)
{
    const struct resources none = {0};
    size_t count = group->count + 1;
    struct resources *lists = memory_new(count * sizeof *lists);
    for (size_t i = 0; i < group->count; i++)
        lists[i] = (struct resources){group->tasks[i]->resources, group->tasks[i]->n_resources};
    lists[group->count] =
        (struct resources){group->executor->resources, group->executor->n_resources};
    struct resources all = join(lists, count);
    bool good = true;
    if (!resource_validation_unique_volumes(&none, &all, err))
        good = error_context(err, "Task group and executor use duplicate persistence ID");
    else if (!resource_validation_unmixed(all.items, all.count, err))
        good =
            error_context(err, "Task group and executor mix revocable and non-revocable resources");
    else
        good = check_overlap(lists, count, err);
    free(all.items);
    free(lists);
    return good;
}

// ---- rules of our own ----

static bool check_ours(const struct group *group, struct error *err)
{
    bool commands = group->executor->type == MESOS__V1__EXECUTOR_INFO__TYPE__DEFAULT;
    if (group->framework->task_table.count + group->count > MASTER_TASKS)
        return fault(err, "The framework has too many tasks that are not acknowledged");
    for (size_t i = 0; commands && i < group->count; i++)
        if (group->tasks[i]->command == NULL || group->tasks[i]->command->value == NULL)
            return error_set(err, ERROR_INVALID,
                             "Task '%.200s' is invalid: the default executor of the local cluster "
                             "runs commands only: give the task a 'command' with a 'value'",
                             group->tasks[i]->task_id->value);
    return true;
}

char *group_validation_fault(const struct master_framework *framework, const struct node *node,
                             const char *role,
                             const Mesos__V1__Offer__Operation__LaunchGroup *message)
{
    const struct group group = {framework,
                                node,
                                role,
                                message->executor,
                                message->task_group->tasks,
                                message->task_group->n_tasks};
    const struct task_launch any = launch_of(&group, NULL);
    struct error err = {0};
    if (!check_tasks(&group, &err))
        return memory_string(err.text);
    char *text = executor_validation_fault(&any, group.executor);
    if (text != NULL)
        return text;
    if (!check_type(&group, &err) || !check_same(&group, &err) || !check_least(&group, &err) ||
        !check_together(&group, &err) || !check_ours(&group, &err))
        return memory_string(err.text);
    return unsupported_fields_fault(&message->base, false);
}
