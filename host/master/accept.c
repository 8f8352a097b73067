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

// All offers that the call names end, also those of other frameworks. One may be named twice.
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
    for (size_t i = 0; i < accept->n_operations; i++)
        if (is_launch(accept->operations[i]))
            task_launches_restore(acceptance, accept->operations[i]);
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

static bool has_conversions(const Accept *accept)
{
    for (size_t i = 0; i < accept->n_operations; i++)
        if (!is_launch(accept->operations[i]))
            return true;
    return false;
}

static void take_offer(struct acceptance *acceptance, struct master_offer *offer)
{
    if (acceptance->left.count == 0)
        resources_copy(&acceptance->left, &offer->resources);
    else
        resources_add(&acceptance->left, &offer->resources);
    master_records_remove_offer(offer, OFFER_END_ACCEPTED);
}

static void open_acceptance(struct acceptance *acceptance, struct master_framework *framework,
                            const Accept *accept, struct master_offer **offers)
{
    *acceptance = (struct acceptance){.framework = framework,
                                      .node = offers[0]->node,
                                      .role = memory_string(offers[0]->role),
                                      .allocation = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT};
    acceptance->allocation.role = acceptance->role;
    for (size_t i = 0; i < accept->n_offer_ids; i++)
        take_offer(acceptance, offers[i]);
    resources_allocate(&acceptance->left, acceptance->role);
    if (has_conversions(accept))
        resources_copy(&acceptance->offered, &acceptance->left);
}

// Launches convert nothing.
static void subtract_converted(struct acceptance *acceptance)
{
    struct resources converted;
    resources_copy(&converted, &acceptance->left);
    resources_add(&converted, &acceptance->resized);
    resources_subtract(&converted, &acceptance->offered);
    resources_subtract(&acceptance->left, &converted);
    resources_free(&converted);
}

// What was neither used nor converted counts as declined.
static void close_acceptance(struct acceptance *acceptance, const Accept *accept)
{
    if (has_conversions(accept))
        subtract_converted(acceptance);
    offer_filters_add(acceptance->framework, acceptance->node, acceptance->role, &acceptance->left,
                      accept->filters);
    resources_free(&acceptance->offered);
    resources_free(&acceptance->left);
    resources_free(&acceptance->resized);
    free(acceptance->role);
}

static void accept_all(struct master_framework *framework, const Accept *accept,
                       struct master_offer **offers)
{
    struct acceptance acceptance;
    open_acceptance(&acceptance, framework, accept, offers);
    carry_out_all(&acceptance, accept);
    close_acceptance(&acceptance, accept);
}

static void accept_or_refuse(struct master_framework *framework, const Accept *accept)
{
    size_t count = accept->n_offer_ids;
    struct master_offer **offers = memory_new(count * sizeof *offers);
    for (size_t i = 0; i < count; i++)
        offers[i] = master_records_offer(framework->master, accept->offer_ids[i]->value);
    char *fault = validation_offers(framework, accept->offer_ids, offers, count);
    if (fault == NULL)
        accept_all(framework, accept, offers);
    else
        refuse_all(framework, accept, fault);
    free(offers);
    free(fault);
}

void accept_offers(struct master_framework *framework, const Accept *accept)
{
    for (size_t i = 0; i < accept->n_offer_ids && accept->n_operations == 0; i++)
        decline(framework, accept->offer_ids[i]->value, accept->filters);
    if (accept->n_operations > 0)
        accept_or_refuse(framework, accept);
}

void accept_decline(struct master_framework *framework,
                    const Mesos__V1__Scheduler__Call__Decline *call)
{
    for (size_t i = 0; i < call->n_offer_ids; i++)
        decline(framework, call->offer_ids[i]->value, call->filters);
}
