// SPDX-License-Identifier: Apache-2.0
//
// ACCEPT and DECLINE. An accepted offer ends, whether its operations succeed or not: its resources
// are free again, the tasks of the operations take theirs one after another out of what was
// accepted, and what is left counts as refused with the filters of the call.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation Operation;
typedef Mesos__V1__Scheduler__Call__Accept Accept;

// ---- refusals ----

static bool is_launch(const Operation *operation)
{
    return operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH ||
           operation->type == MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH_GROUP;
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
    if (is_launch(operation))
        task_launches_refuse(framework, operation, &text);
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
            master_records_remove_offer(offer, OFFER_END_ACCEPTED);
    }
}

// ---- operations of any type ----

// All operations are looked at by themselves before the first is carried out.
static bool admit(struct acceptance *acceptance, const Operation *operation)
{
    return is_launch(operation) ? task_launches_admit(acceptance, operation)
                                : operations_admit(acceptance->framework, operation);
}

static void carry_out(struct acceptance *acceptance, const Operation *operation)
{
    if (is_launch(operation))
        task_launches_carry_out(acceptance, operation);
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
    offer_filters_decline(offer, filters);
    master_records_remove_offer(offer, OFFER_END_DECLINED);
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
        master_records_remove_offer(offer, OFFER_END_ACCEPTED);
    }
    resources_allocate(&acceptance.offered, acceptance.role);
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
