// SPDX-License-Identifier: Apache-2.0
//
// Validation of executors, in the order and with the texts of a real master.

#include "master/master_internal.h"

#include "agent/command_validation.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "wire/text_format.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 20)
#define RULE "------------------------------------------------------------\n"

// What an executor should have at least.
#define LEAST_CPUS 0.01
#define LEAST_MEGABYTES 32.0

typedef Mesos__V1__ExecutorInfo Executor;
typedef bool (*executor_rule)(const struct task_launch *launch, const Executor *executor,
                              struct error *err);

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

// ---- the executor by itself ----

static bool check_default(const Executor *executor, struct error *err)
{
    const Mesos__V1__ContainerInfo *container = executor->container;
    if (executor->command != NULL)
        return fault(err, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor");
    if (container != NULL && container->type != MESOS__V1__CONTAINER_INFO__TYPE__MESOS)
        return fault(err, "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor");
    return container == NULL || container->mesos == NULL || container->mesos->image == NULL ||
           fault(err, "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' "
                      "executor");
}

static bool is_of_type(const Executor *executor, Mesos__V1__ExecutorInfo__Type type)
{
    return executor->has_type && executor->type == type;
}

static bool check_type(const struct task_launch *launch, const Executor *executor,
                       struct error *err)
{
    (void)launch;
    if (is_of_type(executor, MESOS__V1__EXECUTOR_INFO__TYPE__DEFAULT))
        return check_default(executor, err);
    return !is_of_type(executor, MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM) ||
           executor->command != NULL ||
           fault(err, "'ExecutorInfo.command' must be set for 'CUSTOM' executor");
}

static bool check_id(const struct task_launch *launch, const Executor *executor, struct error *err)
{
    (void)launch;
    return validation_id(executor->executor_id ? executor->executor_id->value : "", err);
}

static bool check_grace(const struct task_launch *launch, const Executor *executor,
                        struct error *err)
{
    (void)launch;
    return executor->shutdown_grace_period == NULL ||
           executor->shutdown_grace_period->nanoseconds >= 0 ||
           fault(err, "ExecutorInfo's 'shutdown_grace_period' must be non-negative");
}

static bool check_command(const struct task_launch *launch, const Executor *executor,
                          struct error *err)
{
    (void)launch;
    return executor->command == NULL || command_validation_command(executor->command, err) ||
           error_context(err, "Executor's `CommandInfo` is invalid");
}

static bool check_container(const struct task_launch *launch, const Executor *executor,
                            struct error *err)
{
    (void)launch;
    return executor->container == NULL || command_validation_container(executor->container, err) ||
           error_context(err, "Executor's `ContainerInfo` is invalid");
}

static bool check_framework(const struct task_launch *launch, const Executor *executor,
                            struct error *err)
{
    const char *expected = launch->framework->id;
    if (executor->framework_id == NULL)
        return fault(err, "'ExecutorInfo.framework_id' must be set");
    return strcmp(executor->framework_id->value, expected) == 0 ||
           error_set(err, ERROR_INVALID,
                     "ExecutorInfo has an invalid FrameworkID (Actual: %.300s vs Expected: %s)",
                     executor->framework_id->value, expected);
}

static bool check_resources(const struct task_launch *launch, const Executor *executor,
                            struct error *err)
{
    const struct resources none = {0}, own = {executor->resources, executor->n_resources};
    if (!resource_validation_check(own.items, own.count, err))
        return error_context(err, "Executor uses invalid resources");
    if (!resource_validation_unique_volumes(&none, &own, err))
        return error_context(err, "Executor uses duplicate persistence ID");
    if (!resource_validation_single_role(own.items, own.count, launch->role, err))
        return error_context(err, "Invalid executor resources");
    return resource_validation_unmixed(own.items, own.count, err) ||
           error_context(err, "Executor mixes revocable and non-revocable resources");
}

// ---- the executor that runs with the same id ----

bool executor_validation_same(const Executor *a, const Executor *b)
{
    size_t length = mesos__v1__executor_info__get_packed_size(a);
    if (mesos__v1__executor_info__get_packed_size(b) != length)
        return false;
    uint8_t *bytes = memory_new(2 * length + 1);
    mesos__v1__executor_info__pack(a, bytes);
    mesos__v1__executor_info__pack(b, bytes + length);
    bool same = memcmp(bytes, bytes + length, length) == 0;
    free(bytes);
    return same;
}

static char *check_running(const struct task_launch *launch, const Executor *executor)
{
    const struct master_executor *running =
        master_records_executor(launch->framework, launch->node, executor->executor_id->value);
    struct buffer text;
    if (running == NULL || executor_validation_same(running->info, executor))
        return NULL;
    buffer_init(&text, TEXT_LIMIT);
    buffer_append_text(&text, "ExecutorInfo is not compatible with existing ExecutorInfo with same "
                              "ExecutorID.\n" RULE "Existing ExecutorInfo:\n");
    text_format_write(&running->info->base, &text);
    buffer_append_text(&text, "\n" RULE "ExecutorInfo:\n");
    text_format_write(&executor->base, &text);
    buffer_append_text(&text, "\n" RULE);
    char *message = memory_string(buffer_string(&text));
    buffer_free(&text);
    return message;
}

char *executor_validation_fault(const struct task_launch *launch, const Executor *executor)
{
    static const executor_rule rules[] = {check_type,     check_id,        check_grace,
                                          check_command,  check_container, check_framework,
                                          check_resources};
    struct error err = {0};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (!rules[i](launch, executor, &err))
            return memory_string(err.text);
    return check_running(launch, executor);
}

// ---- the executor of a task ----

static bool check_custom(const struct task_launch *launch, const Executor *executor,
                         struct error *err)
{
    (void)launch;
    if (executor->has_type && executor->type != MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM)
        return fault(err, "'ExecutorInfo.type' must be 'CUSTOM'");
    return executor->command != NULL || fault(err, "'ExecutorInfo.command' must be set");
}

static bool check_shared(const struct task_launch *launch, const Executor *executor,
                         struct error *err)
{
    (void)launch;
    bool shared = false;
    for (size_t i = 0; i < executor->n_resources; i++)
        shared = shared || executor->resources[i]->shared != NULL;
    if (!shared)
        return true;
    const struct resources list = {executor->resources, executor->n_resources};
    char *text = resources_describe(&list);
    error_set(err, ERROR_INVALID,
              "Executor resources %.600s should not contain any shared resources", text);
    free(text);
    return false;
}

static bool check_cgroups(const struct task_launch *launch, const Executor *executor,
                          struct error *err)
{
    (void)launch;
    const Mesos__V1__LinuxInfo *info = executor->container ? executor->container->linux_info : NULL;
    return info == NULL || !info->has_share_cgroups || !info->share_cgroups ||
           fault(err, "The 'share_cgroups' field cannot be set to 'true' on executor containers");
}

static void warn_of_little(const struct task_launch *launch, const Executor *executor)
{
    const struct resources list = {executor->resources, executor->n_resources};
    double cpus = resources_scalar(&list, "cpus"), memory = resources_scalar(&list, "mem");
    if (cpus < LEAST_CPUS)
        log_warning("executor '%s' for task '%s' uses less CPUs (%g) than the minimum required "
                    "(%g)",
                    executor->executor_id->value, launch->task->task_id->value, cpus, LEAST_CPUS);
    if (memory < LEAST_MEGABYTES)
        log_warning("executor '%s' for task '%s' uses less memory (%gMB) than the minimum required "
                    "(%gMB)",
                    executor->executor_id->value, launch->task->task_id->value, memory,
                    LEAST_MEGABYTES);
}

// What the task and the executor have together.
static bool check_both(const struct task_launch *launch, const Executor *executor,
                       struct error *err)
{
    const struct resources lists[] = {{launch->task->resources, launch->task->n_resources},
                                      {executor->resources, executor->n_resources}};
    const struct resources none = {0};
    struct resources both = {.count = lists[0].count + lists[1].count};
    both.items = memory_new(both.count * sizeof *both.items);
    for (size_t i = 0; i < both.count; i++)
        both.items[i] = i < lists[0].count ? lists[0].items[i] : lists[1].items[i - lists[0].count];
    bool good = !resource_validation_overlap(lists, 2);
    if (!good) {
        char *own = resources_describe(&lists[0]), *other = resources_describe(&lists[1]);
        error_set(err, ERROR_INVALID,
                  "There are overlapping resources in the task resources %.400s and executor "
                  "resources %.400s",
                  own, other);
        free(own);
        free(other);
    } else if (!resource_validation_unique_volumes(&none, &both, err)) {
        good = error_context(err, "Task and its executor use duplicate persistence ID");
    } else if (!resource_validation_unmixed(both.items, both.count, err)) {
        good =
            error_context(err, "Task and its executor mix revocable and non-revocable resources");
    }
    free(both.items);
    return good;
}

char *executor_validation_custom(const struct task_launch *launch)
{
    const Executor *executor = launch->task->executor;
    struct error err = {0};
    char *text = executor_validation_fault(launch, executor);
    if (text != NULL)
        return text;
    if (!check_custom(launch, executor, &err) || !check_shared(launch, executor, &err))
        return memory_string(err.text);
    warn_of_little(launch, executor);
    return check_cgroups(launch, executor, &err) && check_both(launch, executor, &err)
               ? NULL
               : memory_string(err.text);
}
