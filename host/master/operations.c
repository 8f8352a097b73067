// SPDX-License-Identifier: Apache-2.0
//
// Operations on resources: RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME,
// CREATE_DISK and DESTROY_DISK. The master converts the resources in its books at once; the agent
// carries the operation out, and reports it if it has an id. Agents have no resource providers, so
// that CREATE_DISK and DESTROY_DISK never find their disk.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/node_link.h"
#include "master/operation_validation.h"
#include "offers/resource_conversions.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation Operation;
typedef Mesos__V1__OperationStatus Status;

#define TYPE(NAME) MESOS__V1__OFFER__OPERATION__TYPE__##NAME

const char *operations_type_name(const Operation *operation)
{
    const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(
        &mesos__v1__offer__operation__type__descriptor, (int)operation->type);
    return type ? type->name : "UNKNOWN";
}

// ---- refusals ----

void operations_refuse(struct master_framework *framework, const Operation *operation,
                       const char *message)
{
    Status status = MESOS__V1__OPERATION_STATUS__INIT;
    if (operation->id == NULL) {
        log_warning("framework %s: a %s operation is dropped: %s", framework->id,
                    operations_type_name(operation), message);
        return;
    }
    status.operation_id = operation->id;
    status.state = MESOS__V1__OPERATION_STATE__OPERATION_ERROR;
    status.message = (char *)(uintptr_t)message;
    log_debug("operation %s of framework %s: %s", operation->id->value, framework->id, message);
    master_events_send_operation_update(framework, &status);
}

// Refuses it with the text, which is freed. False if there is none.
static bool refuse_for(struct master_framework *framework, const Operation *operation, char *fault)
{
    if (fault == NULL)
        return false;
    operations_refuse(framework, operation, fault);
    free(fault);
    return true;
}

static char *form_fault(const Operation *operation)
{
    char *fault = operation_validation_form(operation);
    if (fault == NULL && operation->type == TYPE(RESERVE) && operation->reserve->n_source > 0)
        fault = memory_string("Reservation updates are not yet implemented for the scheduler API.");
    return fault;
}

bool operations_admit(struct master_framework *framework, const Operation *operation)
{
    if (!operation_validation_known(operation)) {
        log_warning("framework %s: an operation of unknown type is ignored", framework->id);
        return false;
    }
    char *fault = form_fault(operation);
    if (fault == NULL)
        return true;
    char *message = memory_format("Operation attempted with invalid resources: %s", fault);
    free(fault);
    return !refuse_for(framework, operation, message);
}

// ---- carrying out ----

Operation *operations_normal_form(const Operation *operation, const char *role)
{
    struct resources lists[RESOURCE_LISTS];
    Operation *copy = message_copy(&operation->base);
    size_t count = resource_conversions_lists(copy, lists);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < lists[i].count; j++) {
            struct resources one = {&lists[i].items[j], 1};
            resource_upgrade(one.items[0]);
            if (role != NULL && resource_allocation_role(one.items[0]) == NULL)
                resources_allocate(&one, role);
        }
    }
    return copy;
}

static void drop_allocations(struct resource_conversions *conversions)
{
    for (size_t i = 0; i < conversions->count; i++) {
        resources_allocate(&conversions->items[i].consumed, NULL);
        resources_allocate(&conversions->items[i].converted, NULL);
    }
}

static char *check_capacity(const struct master_framework *framework, const Operation *operation)
{
    return operation->id == NULL || framework->operation_count < MASTER_OPERATIONS
               ? NULL
               : memory_string("The framework has too many operations that are not acknowledged");
}

static char *attempt_fault(const struct acceptance *acceptance, const Operation *operation)
{
    const struct node *node = acceptance->node;
    const struct operation_attempt attempt = {
        .operation = operation,
        .node = node,
        .framework = acceptance->framework,
        .principal = acceptance->framework->info->principal,
    };
    char *fault = operation_validation_fault(&attempt);
    if (fault == NULL)
        return check_capacity(acceptance->framework, operation);
    char *agent = operation_validation_agent(node);
    char *text = memory_format("%s; on agent %s", fault, agent);
    free(agent);
    free(fault);
    return text;
}

// Whatever the volume is allocated to.
static bool has_volume(const struct master_offer *offer, const Mesos__V1__Resource *volume)
{
    struct resources wanted = {0};
    resources_add_message(&wanted, volume);
    resources_allocate(&wanted, NULL);
    bool has = wanted.count > 0 && resources_copies(&offer->resources, wanted.items[0]) > 0;
    resources_free(&wanted);
    return has;
}

void operations_rescind_destroyed(struct node *node, const Operation *operation)
{
    const Mesos__V1__Offer__Operation__Destroy *destroy = operation->destroy;
    for (struct master_offer *offer = TAILQ_FIRST(&node->offers), *next; offer != NULL;
         offer = next) {
        next = TAILQ_NEXT(offer, of_node);
        bool affected = false;
        for (size_t i = 0; i < destroy->n_volumes; i++)
            affected = affected || has_volume(offer, destroy->volumes[i]);
        if (affected)
            master_records_rescind_offer(offer);
    }
}

static char *lack(const struct acceptance *acceptance, const char *name,
                  const struct resources *wanted)
{
    char *left = resources_describe(&acceptance->left), *needs = resources_describe(wanted);
    char *fault = memory_format("Invalid %s: %s does not contain %s", name, left, needs);
    free(left);
    free(needs);
    return fault;
}

// Its volume is not to be used in the same ACCEPT.
static char *resize(struct acceptance *acceptance, const Operation *operation,
                    const struct resource_conversions *conversions)
{
    const struct resource_conversion *only = &conversions->items[0];
    if (!resources_contain(&acceptance->left, &only->consumed))
        return lack(acceptance,
                    operation->type == TYPE(GROW_VOLUME) ? "GROW_VOLUME operation"
                                                         : "SHRINK_VOLUME operation",
                    &only->consumed);
    resources_subtract(&acceptance->left, &only->consumed);
    resources_add(&acceptance->resized, &only->converted);
    return NULL;
}

char *operations_convert(struct node *node, const struct resource_conversions *conversions)
{
    char *fault = resource_conversions_apply(conversions, &node->free);
    for (size_t i = 0; i < conversions->count && fault == NULL; i++)
        master_records_convert(node, &conversions->items[i].consumed,
                               &conversions->items[i].converted);
    return fault;
}

static char *convert(struct acceptance *acceptance, const Operation *operation,
                     struct resource_conversions *conversions)
{
    bool resizes = operation->type == TYPE(GROW_VOLUME) || operation->type == TYPE(SHRINK_VOLUME);
    char *fault = resizes ? resize(acceptance, operation, conversions)
                          : resource_conversions_apply(conversions, &acceptance->left);
    if (fault != NULL)
        return fault;
    drop_allocations(conversions);
    return operations_convert(acceptance->node, conversions);
}

// Without a resource provider no agent has the disk.
static char *disk_fault(const struct acceptance *acceptance, const Operation *operation)
{
    struct resources lists[RESOURCE_LISTS];
    resource_conversions_lists(operation, lists);
    return lack(acceptance,
                operation->type == TYPE(CREATE_DISK) ? "CREATE_DISK Operation"
                                                     : "DESTROY_DISK Operation",
                &lists[0]);
}

static void carry_out_valid(struct acceptance *acceptance, const Operation *operation)
{
    struct master_framework *framework = acceptance->framework;
    struct node *node = acceptance->node;
    struct resource_conversions conversions;
    resource_conversions_find(&conversions, operation);
    char *fault = operation->type == TYPE(CREATE_DISK) || operation->type == TYPE(DESTROY_DISK)
                      ? disk_fault(acceptance, operation)
                      : convert(acceptance, operation, &conversions);
    resource_conversions_free(&conversions);
    if (refuse_for(framework, operation, fault))
        return;
    log_debug("framework %s: a %s operation is carried out on agent %s", framework->id,
              operations_type_name(operation), node->id);
    if (operation->id != NULL)
        operation_records_add(framework, node, operation);
    agent_operations_apply(agent_operations(node->agent), framework->id, operation);
}

void operations_carry_out(struct acceptance *acceptance, const Operation *operation)
{
    Operation *own = operations_normal_form(operation, acceptance->role);
    char *fault = attempt_fault(acceptance, own);
    if (!refuse_for(acceptance->framework, own, fault)) {
        if (own->type == TYPE(DESTROY))
            operations_rescind_destroyed(acceptance->node, own);
        carry_out_valid(acceptance, own);
    }
    protobuf_c_message_free_unpacked(&own->base, NULL);
}

// ---- updates ----

static void forward(struct master_framework *framework, const Status *status)
{
    log_debug("operation %s of framework %s: %s", status->operation_id->value, framework->id,
              protobuf_c_enum_descriptor_get_value(&mesos__v1__operation_state__descriptor,
                                                   (int)status->state)
                  ->name);
    master_events_send_operation_update(framework, status);
}

static bool same_uuid(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool has_uuid(const struct master_operation *operation, const ProtobufCBinaryData *uuid)
{
    return operation->status != NULL && operation->status->uuid != NULL &&
           same_uuid(&operation->status->uuid->value, uuid);
}

// The operation that the status is of: the one that has had it before, or else the oldest with that
// id that has had none.
static struct master_operation *find_reported(const struct master_framework *framework,
                                              const Status *status)
{
    struct master_operation *operation, *found = NULL;
    TAILQ_FOREACH(operation, &framework->operations, link)
    {
        if (strcmp(operation->id, status->operation_id->value) != 0)
            continue;
        if (operation->status == NULL && found == NULL)
            found = operation;
        else if (status->uuid != NULL && has_uuid(operation, &status->uuid->value))
            return operation;
    }
    return found;
}

// A report of one that the agent still has, and the master has forgotten with the agent.
static struct master_operation *recover(struct master_framework *framework, struct node *node,
                                        const Status *status)
{
    Operation info = MESOS__V1__OFFER__OPERATION__INIT;
    info.id = status->operation_id;
    return operation_records_add(framework, node, &info);
}

void operations_lose(struct node *node, Mesos__V1__OperationState state, const char *message)
{
    struct master_framework *framework;
    struct master_operation *operation, *next;
    Mesos__V1__OperationID id = MESOS__V1__OPERATION_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Status status = MESOS__V1__OPERATION_STATUS__INIT;
    agent_id.value = node->id;
    status.operation_id = &id;
    status.agent_id = &agent_id;
    status.state = state;
    status.message = (char *)(uintptr_t)message;
    TAILQ_FOREACH(framework, &node->master->frameworks, link)
    for (operation = TAILQ_FIRST(&framework->operations); operation != NULL; operation = next) {
        next = TAILQ_NEXT(operation, link);
        if (operation->node != node)
            continue;
        id.value = operation->id;
        if (message != NULL)
            forward(framework, &status);
        operation_records_remove(operation);
    }
}

void operations_updated(void *data, const char *framework_id, const Status *status)
{
    struct node *node = data;
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    if (framework == NULL || !node_link_hears(node))
        return;
    struct master_operation *operation = find_reported(framework, status);
    if (operation == NULL)
        operation = recover(framework, node, status);
    operation->state = status->state;
    if (operation->status == NULL)
        operation->status = message_copy(&status->base);
    forward(framework, status);
}

void operations_acknowledge(
    struct master_framework *framework,
    const Mesos__V1__Scheduler__Call__AcknowledgeOperationStatus *acknowledge)
{
    const char *id = acknowledge->operation_id->value;
    struct node *node = master_records_node(framework->master, acknowledge->agent_id);
    struct master_operation *operation = operation_records_find(framework, id);
    if (acknowledge->resource_provider_id != NULL)
        log_warning("framework %s acknowledges operation %s of a resource provider, which no agent "
                    "has: leave 'resource_provider_id' out",
                    framework->id, id);
    else if (node == NULL || operation == NULL || operation->node != node || !node_link_hears(node))
        log_debug("framework %s acknowledges operation %s, which is not known", framework->id, id);
    else if (has_uuid(operation, &acknowledge->uuid) &&
             agent_operations_acknowledge(agent_operations(node->agent), framework->id, id,
                                          &acknowledge->uuid))
        operation_records_remove(operation);
}

// ---- reconciliation ----

static void send_known(const struct master_operation *operation)
{
    Mesos__V1__OperationID id = MESOS__V1__OPERATION_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Status status = MESOS__V1__OPERATION_STATUS__INIT;
    if (operation->status != NULL)
        status = *operation->status;
    id.value = operation->id;
    agent_id.value = operation->node->id;
    status.operation_id = &id;
    status.agent_id = &agent_id;
    status.state = operation->state;
    status.uuid = NULL;
    forward(operation->framework, &status);
}

// What is said of an operation that is not known, by what is known of its agent.
static const struct {
    Mesos__V1__OperationState state;
    const char *message;
} unknown_answers[] = {
#define ROW(STATE, OPERATION, words)                                                               \
    [NODE_##STATE] = {MESOS__V1__OPERATION_STATE__OPERATION_##OPERATION, "Reconciliation: " words}
    ROW(REGISTERED, UNKNOWN, "Operation is unknown"),
    ROW(DISCONNECTED, UNKNOWN, "Operation is unknown"),
    ROW(UNREACHABLE, UNREACHABLE, "Agent is unreachable"),
    ROW(RECOVERED, RECOVERING, "Agent is recovered but has not re-registered"),
    ROW(FORGOTTEN, UNKNOWN, "Both operation and agent are unknown"),
    ROW(GONE, GONE_BY_OPERATOR, "Agent marked gone by operator"),
#undef ROW
};

static void send_unknown(struct master_framework *framework,
                         const Mesos__V1__Scheduler__Call__ReconcileOperations__Operation *asked)
{
    Status status = MESOS__V1__OPERATION_STATUS__INIT;
    const struct node *node = master_records_any_node(framework->master, asked->agent_id);
    enum node_state state = node != NULL ? node->state : NODE_FORGOTTEN;
    status.operation_id = asked->operation_id;
    status.agent_id = asked->agent_id;
    status.resource_provider_id = asked->resource_provider_id;
    status.state = unknown_answers[state].state;
    status.message = (char *)(uintptr_t)unknown_answers[state].message;
    if (asked->agent_id == NULL)
        status.message = "Reconciliation: Operation is unknown and no 'agent_id' was provided";
    forward(framework, &status);
}

void operations_reconcile(struct master_framework *framework,
                          const Mesos__V1__Scheduler__Call__ReconcileOperations *reconcile)
{
    const struct master_operation *operation;
    if (reconcile->n_operations == 0)
        TAILQ_FOREACH(operation, &framework->operations, link)
    send_known(operation);
    for (size_t i = 0; i < reconcile->n_operations; i++) {
        operation =
            operation_records_find(framework, reconcile->operations[i]->operation_id->value);
        if (operation != NULL)
            send_known(operation);
        else
            send_unknown(framework, reconcile->operations[i]);
    }
}
