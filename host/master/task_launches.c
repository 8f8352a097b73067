// SPDX-License-Identifier: Apache-2.0
//
// The operations LAUNCH and LAUNCH_GROUP. A task takes its resources out of what was accepted, and
// with it those of its executor if that does not run yet. A group is launched as a whole or not at
// all.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/node_link.h"

#include <stdlib.h>

typedef Mesos__V1__Offer__Operation Operation;
typedef Mesos__V1__TaskInfo TaskInfo;
typedef Mesos__V1__ExecutorInfo Executor;

// The tasks of either operation, and what is particular about it.
struct launched_tasks {
    TaskInfo **tasks; // NULL: the operation lacks its message
    size_t count;
    Executor *executor; // of a group
    const char *name;
    Mesos__V1__TaskStatus__Reason invalid;
};

static struct launched_tasks read_launch(const Operation *operation)
{
    const Mesos__V1__Offer__Operation__Launch *launch = operation->launch;
    const Mesos__V1__Offer__Operation__LaunchGroup *group = operation->launch_group;
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH)
        return (struct launched_tasks){.tasks = launch ? launch->task_infos : NULL,
                                       .count = launch ? launch->n_task_infos : 0,
                                       .name = "LAUNCH",
                                       .invalid =
                                           MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID};
    return (struct launched_tasks){.tasks = group ? group->task_group->tasks : NULL,
                                   .count = group ? group->task_group->n_tasks : 0,
                                   .executor = group ? group->executor : NULL,
                                   .name = "LAUNCH_GROUP",
                                   .invalid =
                                       MESOS__V1__TASK_STATUS__REASON__REASON_TASK_GROUP_INVALID};
}

// ---- refusals ----

static void refuse_task(struct master_framework *framework, const TaskInfo *task,
                        const struct master_updates_text *text)
{
    history_task_refused(framework->master, task, text->state);
    master_updates_send(framework, task->task_id->value, task->agent_id, text, NULL);
}

void task_launches_refuse(struct master_framework *framework, const Operation *operation,
                          const struct master_updates_text *text)
{
    const struct launched_tasks launch = read_launch(operation);
    for (size_t i = 0; i < launch.count; i++)
        refuse_task(framework, launch.tasks[i], text);
}

static void refuse_as_invalid(struct master_framework *framework, const Operation *operation,
                              const char *fault)
{
    const struct master_updates_text text = {.state = MESOS__V1__TASK_STATE__TASK_ERROR,
                                             .reason = read_launch(operation).invalid,
                                             .message = fault};
    task_launches_refuse(framework, operation, &text);
}

// ---- what a master adds to what a framework says ----

// Errors about resources contain the allocation.
static void allocate_all(struct acceptance *acceptance, Mesos__V1__Resource **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i]->allocation_info == NULL)
            items[i]->allocation_info = &acceptance->allocation;
}

static void restore_all(const struct acceptance *acceptance, Mesos__V1__Resource **items,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i]->allocation_info == &acceptance->allocation)
            items[i]->allocation_info = NULL;
}

static void complete_task(struct acceptance *acceptance, const struct launched_tasks *launch,
                          TaskInfo *task)
{
    const struct master_framework *framework = acceptance->framework;
    if (framework->multi_role || launch->executor != NULL || task->executor != NULL)
        allocate_all(acceptance, task->resources, task->n_resources);
    if (task->executor == NULL)
        task->executor = launch->executor;
    if (task->executor == NULL)
        return;
    allocate_all(acceptance, task->executor->resources, task->executor->n_resources);
    if (launch->executor == NULL && task->executor->framework_id == NULL)
        task->executor->framework_id = framework->info->id;
}

static void restore_task(const struct acceptance *acceptance, const struct launched_tasks *launch,
                         TaskInfo *task)
{
    restore_all(acceptance, task->resources, task->n_resources);
    if (task->executor == NULL)
        return;
    restore_all(acceptance, task->executor->resources, task->executor->n_resources);
    if (task->executor->framework_id == acceptance->framework->info->id)
        task->executor->framework_id = NULL;
    if (task->executor == launch->executor)
        task->executor = NULL;
}

static void complete(struct acceptance *acceptance, const struct launched_tasks *launch)
{
    if (launch->executor != NULL)
        allocate_all(acceptance, launch->executor->resources, launch->executor->n_resources);
    for (size_t i = 0; i < launch->count; i++)
        complete_task(acceptance, launch, launch->tasks[i]);
}

void task_launches_restore(const struct acceptance *acceptance, const Operation *operation)
{
    const struct launched_tasks launch = read_launch(operation);
    for (size_t i = 0; i < launch.count; i++)
        restore_task(acceptance, &launch, launch.tasks[i]);
    if (launch.executor != NULL)
        restore_all(acceptance, launch.executor->resources, launch.executor->n_resources);
}

// ---- looking at an operation by itself ----

// Lists are compared each with each.
static bool check_list(Mesos__V1__Resource *const *items, size_t count, struct error *err)
{
    if (count > RESOURCE_LIST_MOST)
        return error_set(err, ERROR_LIMIT, "The local cluster takes at most %d resources in a list",
                         RESOURCE_LIST_MOST);
    for (size_t i = 0; i < count; i++)
        if (!resource_check(items[i], err))
            return false;
    return true;
}

static bool check_executor(const Executor *executor, struct error *err)
{
    return executor == NULL || check_list(executor->resources, executor->n_resources, err);
}

// One malformed resource makes the whole operation invalid.
static bool check_resources(const struct launched_tasks *launch, struct error *err)
{
    for (size_t i = 0; i < launch->count; i++)
        if (!check_list(launch->tasks[i]->resources, launch->tasks[i]->n_resources, err) ||
            !check_executor(launch->tasks[i]->executor, err))
            return false;
    return check_executor(launch->executor, err);
}

bool task_launches_admit(struct acceptance *acceptance, const Operation *operation)
{
    struct error err = {0};
    const struct launched_tasks launch = read_launch(operation);
    if (launch.tasks == NULL)
        return false;
    complete(acceptance, &launch);
    if (check_resources(&launch, &err) && operation->id != NULL)
        error_set(&err, ERROR_INVALID, "The `id` field cannot be set on %s operations",
                  launch.name);
    if (err.code == ERROR_NONE)
        return true;
    refuse_as_invalid(acceptance->framework, operation, err.text);
    return false;
}

// ---- what a launch needs ----

// Adds resources, allocated to the role of the offers unless they name another.
static void add_needs(const struct acceptance *acceptance, Mesos__V1__Resource *const *items,
                      size_t count, struct resources *needs)
{
    for (size_t i = 0; i < count; i++)
        resources_add_message_for(needs, items[i], acceptance->role);
}

// What a task needs. Mostly the resources in the call are what a list of them would be, and are the
// list.
struct task_needs {
    struct resources list;
    bool borrowed;
};

static struct task_needs task_needs(const struct acceptance *acceptance, const TaskInfo *task)
{
    struct task_needs needs = {.borrowed =
                                   resources_are_normal(task->resources, task->n_resources)};
    if (needs.borrowed)
        needs.list = (struct resources){task->resources, task->n_resources};
    else
        add_needs(acceptance, task->resources, task->n_resources, &needs.list);
    return needs;
}

static void free_needs(struct task_needs *needs)
{
    if (!needs->borrowed)
        resources_free(&needs->list);
}

// Of an executor that is to be started; one that runs, and none, need nothing.
static struct resources executor_needs(const struct acceptance *acceptance,
                                       const Executor *executor)
{
    struct resources needs = {0};
    if (executor != NULL && master_records_executor(acceptance->framework, acceptance->node,
                                                    executor->executor_id->value) == NULL)
        add_needs(acceptance, executor->resources, executor->n_resources, &needs);
    return needs;
}

static char *check_needs(const struct acceptance *acceptance, const struct resources *needs,
                         const char *what)
{
    if (resources_contain(&acceptance->left, needs))
        return NULL;
    char *wanted = resources_describe(needs), *left = resources_describe(&acceptance->left);
    char *fault = memory_format("Total resources %s required by %s more than available %s", wanted,
                                what, left);
    free(wanted);
    free(left);
    return fault;
}

// ---- launching ----

static void take(struct acceptance *acceptance, const TaskInfo *task, struct task_needs *needs)
{
    if (!needs->borrowed)
        resources_allocate(&needs->list, acceptance->role);
    master_records_add_task(acceptance->framework, acceptance->node, acceptance->role, task,
                            &needs->list);
    resources_subtract_unshared(&acceptance->left, &needs->list);
}

// True if it is to be started.
static bool take_executor(struct acceptance *acceptance, const Executor *executor)
{
    struct resources needs = executor_needs(acceptance, executor);
    bool fresh =
        executor != NULL && master_records_executor(acceptance->framework, acceptance->node,
                                                    executor->executor_id->value) == NULL;
    if (fresh)
        master_records_add_executor(acceptance->framework, acceptance->node, acceptance->role,
                                    executor, &needs);
    resources_subtract_unshared(&acceptance->left, &needs);
    resources_free(&needs);
    return fresh;
}

static void note_delivery(const struct master_framework *framework, const struct node *node,
                          const char *id)
{
    struct master_task *task = master_records_task(framework, id);
    log_debug("task %s of framework %s is launched on agent %s", id, framework->id, node->id);
    if (task != NULL && task->node == node)
        task->delivered = true;
}

// What arrives at the agent. The framework may have been removed on the way.
static void deliver(struct node *node, const char *framework_id, const struct agent_launch *sent)
{
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    struct agent_launch launch = *sent;
    if (framework == NULL)
        return;
    launch.framework = framework->info;
    for (size_t i = 0; i < launch.count; i++)
        note_delivery(framework, node, launch.tasks[i]->task_id->value);
    agent_launch(node->agent, &launch);
}

static void deliver_task_to(struct node *node, const char *framework_id,
                            const ProtobufCMessage *message, bool new_executor)
{
    TaskInfo *task = (TaskInfo *)(uintptr_t)message;
    const struct agent_launch launch = {
        .tasks = &task, .count = 1, .executor = task->executor, .new_executor = new_executor};
    deliver(node, framework_id, &launch);
}

static void deliver_group_to(struct node *node, const char *framework_id,
                             const ProtobufCMessage *message, bool new_executor)
{
    const Mesos__V1__Offer__Operation__LaunchGroup *group =
        (const Mesos__V1__Offer__Operation__LaunchGroup *)message;
    const struct agent_launch launch = {.tasks = group->task_group->tasks,
                                        .count = group->task_group->n_tasks,
                                        .executor = group->executor,
                                        .group = true,
                                        .new_executor = new_executor};
    deliver(node, framework_id, &launch);
}

static void deliver_task(struct node *node, const char *framework_id,
                         const ProtobufCMessage *message)
{
    deliver_task_to(node, framework_id, message, false);
}

static void deliver_first_task(struct node *node, const char *framework_id,
                               const ProtobufCMessage *message)
{
    deliver_task_to(node, framework_id, message, true);
}

static void deliver_group(struct node *node, const char *framework_id,
                          const ProtobufCMessage *message)
{
    deliver_group_to(node, framework_id, message, false);
}

static void deliver_first_group(struct node *node, const char *framework_id,
                                const ProtobufCMessage *message)
{
    deliver_group_to(node, framework_id, message, true);
}

static void start_task(struct acceptance *acceptance, const TaskInfo *task,
                       struct task_needs *needs)
{
    bool fresh = take_executor(acceptance, task->executor) || task->executor == NULL;
    take(acceptance, task, needs);
    node_link_send(acceptance->node, acceptance->framework->id, &task->base,
                   fresh ? deliver_first_task : deliver_task);
}

static void start_group(struct acceptance *acceptance,
                        const Mesos__V1__Offer__Operation__LaunchGroup *group)
{
    bool fresh = take_executor(acceptance, group->executor);
    for (size_t i = 0; i < group->task_group->n_tasks; i++) {
        struct task_needs needs = task_needs(acceptance, group->task_group->tasks[i]);
        take(acceptance, group->task_group->tasks[i], &needs);
        free_needs(&needs);
    }
    node_link_send(acceptance->node, acceptance->framework->id, &group->base,
                   fresh ? deliver_first_group : deliver_group);
}

// With those of its executor.
static char *check_task_needs(const struct acceptance *acceptance, const TaskInfo *task,
                              const struct task_needs *needs)
{
    static const char what[] = "task and its executor is";
    if (task->executor == NULL)
        return check_needs(acceptance, &needs->list, what);
    struct resources all = executor_needs(acceptance, task->executor);
    resources_add(&all, &needs->list);
    char *fault = check_needs(acceptance, &all, what);
    resources_free(&all);
    return fault;
}

static char *try_to_start(struct acceptance *acceptance, const TaskInfo *task)
{
    struct task_needs needs = task_needs(acceptance, task);
    char *fault = check_task_needs(acceptance, task, &needs);
    if (fault == NULL)
        start_task(acceptance, task, &needs);
    free_needs(&needs);
    return fault;
}

static void launch_task(struct acceptance *acceptance, const TaskInfo *task)
{
    const struct task_launch launch = {acceptance->framework, acceptance->node, acceptance->role,
                                       task};
    struct master_updates_text text = {.state = MESOS__V1__TASK_STATE__TASK_ERROR,
                                       .reason =
                                           MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID};
    char *fault = task_validation_fault(&launch);
    if (fault == NULL)
        fault = try_to_start(acceptance, task);
    text.message = fault;
    if (fault != NULL)
        refuse_task(acceptance->framework, task, &text);
    free(fault);
}

static void launch_group(struct acceptance *acceptance, const Operation *operation)
{
    const Mesos__V1__Offer__Operation__LaunchGroup *group = operation->launch_group;
    const Mesos__V1__TaskGroupInfo *tasks = group->task_group;
    char *fault =
        group_validation_fault(acceptance->framework, acceptance->node, acceptance->role, group);
    struct resources needs = {0};
    if (fault == NULL) {
        needs = executor_needs(acceptance, group->executor);
        for (size_t i = 0; i < tasks->n_tasks; i++)
            add_needs(acceptance, tasks->tasks[i]->resources, tasks->tasks[i]->n_resources, &needs);
        fault = check_needs(acceptance, &needs, "task group and its executor are");
    }
    if (fault != NULL)
        refuse_as_invalid(acceptance->framework, operation, fault);
    else if (tasks->n_tasks > 0)
        start_group(acceptance, group);
    resources_free(&needs);
    free(fault);
}

void task_launches_carry_out(struct acceptance *acceptance, const Operation *operation)
{
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP) {
        launch_group(acceptance, operation);
        return;
    }
    for (size_t i = 0; i < operation->launch->n_task_infos; i++)
        launch_task(acceptance, operation->launch->task_infos[i]);
}
