// SPDX-License-Identifier: Apache-2.0
//
// Operations of operators: see operator_operations.h.

#include "master/operator_operations.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/master_internal.h"
#include "master/operation_validation.h"
#include "offers/resource_conversions.h"

#include <stdlib.h>

typedef Mesos__V1__Offer__Operation Operation;

enum { HTTP_ACCEPTED = 202, HTTP_BAD_REQUEST = 400, HTTP_CONFLICT = 409 };

// The text is freed.
static struct master_answer refuse(int status, char *text)
{
    struct master_answer answer = {.status = status};
    error_set(&answer.error, ERROR_INVALID, "%s", text);
    free(text);
    return answer;
}

// A master names the agent for these types only.
static bool names_agent(const Operation *operation)
{
    return operation->type != MESOS__V1__OFFER__OPERATION__TYPE__UNRESERVE &&
           operation->type != MESOS__V1__OFFER__OPERATION__TYPE__DESTROY;
}

static char *find_fault(const struct node *node, const Operation *operation, const char *principal)
{
    const struct operation_attempt attempt = {
        .operation = operation, .node = node, .principal = principal};
    char *fault = operation_validation_fault(&attempt);
    if (fault == NULL)
        return NULL;
    char *agent = operation_validation_agent(node);
    char *text = memory_format("Invalid %s operation%s%s: %s", operations_type_name(operation),
                               names_agent(operation) ? " on agent " : "",
                               names_agent(operation) ? agent : "", fault);
    free(agent);
    free(fault);
    return text;
}

// Takes what the offer has out of `required`. False if it has none of it.
static bool contributes(const struct master_offer *offer, struct resources *required,
                        struct resources *recovered)
{
    struct resources before;
    resources_copy(&before, required);
    resources_subtract(required, &offer->resources);
    bool some = !resources_contain(required, &before);
    if (some)
        resources_add(recovered, &offer->resources);
    resources_free(&before);
    return some;
}

static bool is_enough(const struct resources *recovered,
                      const struct resource_conversions *conversions)
{
    struct resources copy;
    resources_copy(&copy, recovered);
    char *fault = resource_conversions_apply(conversions, &copy);
    bool enough = fault == NULL;
    resources_free(&copy);
    free(fault);
    return enough;
}

// What is free may be offered at any moment on a real master, so it is not counted on.
static void rescind(struct node *node, const struct resource_conversions *conversions)
{
    struct resources required = {0}, recovered = {0};
    resource_conversions_consumed(conversions, &required);
    for (struct master_offer *offer = TAILQ_FIRST(&node->offers), *next;
         offer != NULL && !is_enough(&recovered, conversions); offer = next) {
        next = TAILQ_NEXT(offer, of_node);
        if (!contributes(offer, &required, &recovered))
            continue;
        offer_filters_decline(offer, NULL);
        master_records_rescind_offer(offer);
    }
    resources_free(&required);
    resources_free(&recovered);
}

static struct master_answer carry_out(struct node *node, const Operation *operation)
{
    struct resource_conversions conversions;
    resource_conversions_find(&conversions, operation);
    rescind(node, &conversions);
    if (operation->type == MESOS__V1__OFFER__OPERATION__TYPE__DESTROY)
        operations_rescind_destroyed(node, operation);
    char *fault = operations_convert(node, &conversions);
    resource_conversions_free(&conversions);
    if (fault != NULL)
        return refuse(HTTP_CONFLICT, fault);
    log_debug("an operator's %s operation is carried out on agent %s",
              operations_type_name(operation), node->id);
    agent_operations_apply(agent_operations(node->agent), NULL, operation);
    return (struct master_answer){.status = HTTP_ACCEPTED};
}

static bool is_possible(const Operation *operation)
{
    return operation_validation_known(operation) &&
           operation->type != MESOS__V1__OFFER__OPERATION__TYPE__CREATE_DISK &&
           operation->type != MESOS__V1__OFFER__OPERATION__TYPE__DESTROY_DISK;
}

struct master_answer operator_operations_apply(struct master *master, const char *agent_id,
                                               const Operation *operation, const char *principal)
{
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    id.value = (char *)(uintptr_t)agent_id;
    struct node *node = master_records_node(master, &id);
    if (node == NULL)
        return refuse(HTTP_BAD_REQUEST, memory_string("No agent found with specified ID"));
    if (!is_possible(operation))
        return refuse(HTTP_BAD_REQUEST, memory_string("Unsupported operation"));
    char *fault = operation_validation_form(operation);
    if (fault != NULL)
        return refuse(HTTP_BAD_REQUEST, fault);
    Operation *own = operations_normal_form(operation, NULL);
    fault = find_fault(node, own, principal);
    struct master_answer answer =
        fault != NULL ? refuse(HTTP_BAD_REQUEST, fault) : carry_out(node, own);
    protobuf_c_message_free_unpacked(&own->base, NULL);
    return answer;
}
