// SPDX-License-Identifier: Apache-2.0
//
// ACCEPT and DECLINE. An accepted offer ends, whether its operations succeed or not: its resources
// are free again, the tasks of the operations take theirs one after another out of what was
// accepted, and what is left counts as refused with the filters of the call.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/node_link.h"
#include "master/unsupported_fields.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation Operation;
typedef Mesos__V1__Scheduler__Call__Accept Accept;

// ---- refusals ----

static void refuse_task(struct master_framework *framework, const Mesos__V1__TaskInfo *task,
                        const struct master_updates_text *text)
{
    history_task_refused(framework->master, text->state);
    master_updates_send(framework, task->task_id->value, task->agent_id, text, NULL);
}

static void refuse_group(struct master_framework *framework, const Operation *operation,
                         const struct master_updates_text *text)
{
    const Mesos__V1__TaskGroupInfo *group = operation->launch_group->task_group;
    for (size_t i = 0; i < group->n_tasks; i++)
        refuse_task(framework, group->tasks[i], text);
}

static void refuse_launch(struct master_framework *framework, const Operation *operation,
                          const struct master_updates_text *text)
{
    for (size_t i = 0; i < operation->launch->n_task_infos; i++)
        refuse_task(framework, operation->launch->task_infos[i], text);
}

static void refuse_for_offers(struct master_framework *framework, const Operation *operation,
                              const char *fault)
{
    char *message = memory_format("Task launched with invalid offers: %s", fault);
    char *feedback = memory_format("Operation attempted with invalid offers: %s", fault);
    const struct master_updates_text text = {
        .state = framework->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
                                            : MESOS__V1__TASK_STATE__TASK_LOST,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_INVALID_OFFERS,
        .message = message};
    if (operation->launch != NULL)
        refuse_launch(framework, operation, &text);
    else if (operation->launch_group != NULL)
        refuse_group(framework, operation, &text);
    else
        operations_refuse(framework, operation, feedback);
    free(message);
    free(feedback);
}

// All offers that the call names end, also those of other frameworks.
static void refuse_all(struct master_framework *framework, const Accept *accept, const char *fault)
{
    for (size_t i = 0; i < accept->n_operations; i++)
        refuse_for_offers(framework, accept->operations[i], fault);
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        struct master_offer *offer =
            master_records_offer(framework->master, accept->offer_ids[i]->value);
        if (offer != NULL)
            master_records_remove_offer(offer);
    }
}

// ---- LAUNCH ----

// The resources of a task, allocated to the role of the offers unless they name another.
static void needs_of(const struct acceptance *acceptance, const Mesos__V1__TaskInfo *task,
                     struct resources *needs)
{
    *needs = (struct resources){0};
    for (size_t i = 0; i < task->n_resources; i++) {
        const Mesos__V1__Resource__AllocationInfo *given = task->resources[i]->allocation_info;
        struct resources one = {0};
        resources_add_message(&one, task->resources[i]);
        resources_allocate(&one, given && given->role ? given->role : acceptance->role);
        resources_add(needs, &one);
        resources_free(&one);
    }
}

static char *check_needs(const struct acceptance *acceptance, const struct resources *needs)
{
    if (resources_contain(&acceptance->left, needs))
        return NULL;
    char *wanted = resources_describe(needs), *left = resources_describe(&acceptance->left);
    char *fault = memory_format("Total resources %s required by task and its executor is more than "
                                "available %s",
                                wanted, left);
    free(wanted);
    free(left);
    return fault;
}

// At the agent. Its framework may have been removed on the way.
static void deliver_task(struct node *node, const char *framework_id,
                         const ProtobufCMessage *message)
{
    const struct master_framework *framework = master_records_framework(node->master, framework_id);
    const Mesos__V1__TaskInfo *task = (const Mesos__V1__TaskInfo *)message;
    if (framework == NULL)
        return;
    const struct agent_launch launch = {
        .framework_id = framework_id,
        .user = framework->info->user,
        .killing_state = framework->killing_state,
        .task = task,
    };
    log_debug("task %s of framework %s is launched on agent %s", task->task_id->value, framework_id,
              node->id);
    agent_launch(node->agent, &launch);
}

static void start_task(struct acceptance *acceptance, const Mesos__V1__TaskInfo *task,
                       const struct resources *needs)
{
    struct master_framework *framework = acceptance->framework;
    master_records_add_task(framework, acceptance->node, acceptance->role, task, needs);
    resources_subtract_unshared(&acceptance->left, needs);
    node_link_send(acceptance->node, framework->id, &task->base, deliver_task);
}

static void launch_task(struct acceptance *acceptance, const Mesos__V1__TaskInfo *task)
{
    struct resources needs;
    needs_of(acceptance, task, &needs);
    const struct task_launch launch = {acceptance->framework, acceptance->node, acceptance->role,
                                       task};
    char *fault = task_validation_fault(&launch);
    if (fault == NULL)
        fault = check_needs(acceptance, &needs);
    const struct master_updates_text text = {
        .state = MESOS__V1__TASK_STATE__TASK_ERROR,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID,
        .message = fault};
    if (fault != NULL)
        refuse_task(acceptance->framework, task, &text);
    else
        start_task(acceptance, task, &needs);
    resources_free(&needs);
    free(fault);
}

// One malformed resource makes the whole operation invalid.
static bool check_resources(const Operation *operation, struct error *err)
{
    for (size_t i = 0; i < operation->launch->n_task_infos; i++) {
        const Mesos__V1__TaskInfo *task = operation->launch->task_infos[i];
        for (size_t j = 0; j < task->n_resources; j++)
            if (!resource_check(task->resources[j], err))
                return false;
    }
    return true;
}

// Done before the checks, since errors about resources contain the allocation.
static void fill_allocations(const struct acceptance *acceptance, const Operation *operation)
{
    if (!acceptance->framework->multi_role)
        return;
    for (size_t i = 0; i < operation->launch->n_task_infos; i++) {
        struct resources list = {operation->launch->task_infos[i]->resources,
                                 operation->launch->task_infos[i]->n_resources};
        for (size_t j = 0; j < list.count; j++) {
            struct resources one = {&list.items[j], 1};
            if (list.items[j]->allocation_info == NULL)
                resources_allocate(&one, acceptance->role);
        }
    }
}

static bool admit_launch(struct acceptance *acceptance, const Operation *operation)
{
    struct error err = {0};
    if (operation->launch == NULL)
        return false;
    fill_allocations(acceptance, operation);
    if (check_resources(operation, &err) && operation->id != NULL)
        error_set(&err, ERROR_INVALID, "The `id` field cannot be set on LAUNCH operations");
    const struct master_updates_text text = {
        .state = MESOS__V1__TASK_STATE__TASK_ERROR,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID,
        .message = err.text};
    if (err.code == ERROR_NONE)
        return true;
    refuse_launch(acceptance->framework, operation, &text);
    return false;
}

static void launch(struct acceptance *acceptance, const Operation *operation)
{
    for (size_t i = 0; i < operation->launch->n_task_infos; i++)
        launch_task(acceptance, operation->launch->task_infos[i]);
}

// ---- LAUNCH_GROUP ----

static bool admit_group(struct acceptance *acceptance, const Operation *operation)
{
    if (operation->launch_group == NULL)
        return false;
    char *fault = operation->id
                      ? memory_string("The `id` field cannot be set on LAUNCH_GROUP operations")
                      : unsupported_fields_fault(&operation->base, false);
    const struct master_updates_text text = {
        .state = MESOS__V1__TASK_STATE__TASK_ERROR,
        .reason = MESOS__V1__TASK_STATUS__REASON__REASON_TASK_GROUP_INVALID,
        .message = fault};
    refuse_group(acceptance->framework, operation, &text);
    free(fault);
    return false;
}

// ---- operations of any type ----

// All operations are looked at by themselves before the first is carried out.
static bool admit(struct acceptance *acceptance, const Operation *operation)
{
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH)
        return admit_launch(acceptance, operation);
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP)
        return admit_group(acceptance, operation);
    return operations_admit(acceptance->framework, operation);
}

static void carry_out(struct acceptance *acceptance, const Operation *operation)
{
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH)
        launch(acceptance, operation);
    else
        operations_carry_out(acceptance, operation);
}

static void carry_out_all(struct acceptance *acceptance, const Accept *accept)
{
    bool *admitted = memory_new(accept->n_operations * sizeof *admitted);
    for (size_t i = 0; i < accept->n_operations; i++)
        admitted[i] = admit(acceptance, accept->operations[i]);
    for (size_t i = 0; i < accept->n_operations; i++)
        if (admitted[i])
            carry_out(acceptance, accept->operations[i]);
    free(admitted);
}

// ---- ACCEPT and DECLINE ----

static void decline(struct master_framework *framework, const char *id,
                    const Mesos__V1__Filters *filters)
{
    struct master_offer *offer = master_records_offer(framework->master, id);
    if (offer == NULL || offer->framework != framework)
        return;
    offer_filters_add(framework, offer->node, offer->role, &offer->resources, filters);
    master_records_remove_offer(offer);
}

static struct acceptance open_acceptance(struct master_framework *framework, const Accept *accept)
{
    const struct master_offer *first =
        master_records_offer(framework->master, accept->offer_ids[0]->value);
    struct acceptance acceptance = {
        .framework = framework, .node = first->node, .role = memory_string(first->role)};
    for (size_t i = 0; i < accept->n_offer_ids; i++) {
        struct master_offer *offer =
            master_records_offer(framework->master, accept->offer_ids[i]->value);
        resources_add(&acceptance.offered, &offer->resources);
        master_records_remove_offer(offer);
    }
    resources_copy(&acceptance.left, &acceptance.offered);
    return acceptance;
}

// What was neither used nor converted counts as declined.
static void close_acceptance(struct acceptance *acceptance, const Mesos__V1__Filters *filters)
{
    struct resources converted;
    resources_copy(&converted, &acceptance->left);
    resources_add(&converted, &acceptance->resized);
    resources_subtract(&converted, &acceptance->offered);
    resources_subtract(&acceptance->left, &converted);
    offer_filters_add(acceptance->framework, acceptance->node, acceptance->role, &acceptance->left,
                      filters);
    resources_free(&converted);
    resources_free(&acceptance->offered);
    resources_free(&acceptance->left);
    resources_free(&acceptance->resized);
    free(acceptance->role);
}

void accept_offers(struct master_framework *framework, const Accept *accept)
{
    if (accept->n_operations == 0) {
        for (size_t i = 0; i < accept->n_offer_ids; i++)
            decline(framework, accept->offer_ids[i]->value, accept->filters);
        return;
    }
    char *fault = validation_offers(framework, accept->offer_ids, accept->n_offer_ids);
    if (fault != NULL) {
        refuse_all(framework, accept, fault);
        free(fault);
        return;
    }
    struct acceptance acceptance = open_acceptance(framework, accept);
    carry_out_all(&acceptance, accept);
    close_acceptance(&acceptance, accept->filters);
}

void accept_decline(struct master_framework *framework,
                    const Mesos__V1__Scheduler__Call__Decline *call)
{
    for (size_t i = 0; i < call->n_offer_ids; i++)
        decline(framework, call->offer_ids[i]->value, call->filters);
}
