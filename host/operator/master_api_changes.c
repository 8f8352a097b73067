// SPDX-License-Identifier: Apache-2.0
//
// Calls of the v1 operator API that change the cluster; see master_api.h.

#include "operator/master_api_internal.h"

#include "base/memory.h"
#include "master/agent_loss.h"
#include "master/operator_operations.h"
#include "master/role_quota.h"
#include "operator/role_settings.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Offer__Operation Operation;

#define TYPE(NAME) MESOS__V1__OFFER__OPERATION__TYPE__##NAME

// ---- the log ----

struct master_answer master_api_set_logging_level(const struct api_request *request)
{
    const Mesos__V1__Master__Call__SetLoggingLevel *call = request->call->set_logging_level;
    int64_t duration = call->duration->nanoseconds;
    verbosity_set(&request->master->verbosity, call->level, duration > 0 ? (uint64_t)duration : 0);
    return api_answer_report(true, NULL);
}

// ---- roles ----

struct master_answer master_api_update_weights(const struct api_request *request)
{
    const Mesos__V1__Master__Call__UpdateWeights *call = request->call->update_weights;
    struct error err = {0};
    bool good =
        role_settings_weights(request->master, call->weight_infos, call->n_weight_infos, &err);
    return api_answer_report(good, &err);
}

struct master_answer master_api_update_quota(const struct api_request *request)
{
    const Mesos__V1__Master__Call__UpdateQuota *call = request->call->update_quota;
    struct error err = {0};
    bool good =
        role_settings_update_quota(request->master, call->quota_configs, call->n_quota_configs,
                                   call->has_force && call->force, &err);
    return api_answer_report(good, &err);
}

struct master_answer master_api_set_quota(const struct api_request *request)
{
    struct error err = {0};
    bool good =
        role_settings_set_quota(request->master, request->call->set_quota->quota_request, &err);
    return api_answer_report(good, &err);
}

struct master_answer master_api_remove_quota(const struct api_request *request)
{
    struct error err = {0};
    bool good = role_quota_remove(request->master, request->call->remove_quota->role, &err);
    if (!good)
        error_context(&err, "Failed to remove quota");
    return api_answer_report(good, &err);
}

// ---- resources ----

static struct master_answer operate(const struct api_request *request,
                                    const Mesos__V1__AgentID *agent_id, Operation *operation,
                                    Mesos__V1__Offer__Operation__Type type)
{
    operation->has_type = true;
    operation->type = type;
    return operator_operations_apply(request->master, agent_id->value, operation,
                                     request->principal);
}

struct master_answer master_api_reserve(const struct api_request *request)
{
    const Mesos__V1__Master__Call__ReserveResources *call = request->call->reserve_resources;
    Mesos__V1__Offer__Operation__Reserve reserve = MESOS__V1__OFFER__OPERATION__RESERVE__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    reserve.n_resources = call->n_resources;
    reserve.resources = call->resources;
    reserve.n_source = call->n_source;
    reserve.source = call->source;
    operation.reserve = &reserve;
    return operate(request, call->agent_id, &operation, TYPE(RESERVE));
}

struct master_answer master_api_unreserve(const struct api_request *request)
{
    const Mesos__V1__Master__Call__UnreserveResources *call = request->call->unreserve_resources;
    Mesos__V1__Offer__Operation__Unreserve unreserve = MESOS__V1__OFFER__OPERATION__UNRESERVE__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    unreserve.n_resources = call->n_resources;
    unreserve.resources = call->resources;
    operation.unreserve = &unreserve;
    return operate(request, call->agent_id, &operation, TYPE(UNRESERVE));
}

struct master_answer master_api_create_volumes(const struct api_request *request)
{
    const Mesos__V1__Master__Call__CreateVolumes *call = request->call->create_volumes;
    Mesos__V1__Offer__Operation__Create create = MESOS__V1__OFFER__OPERATION__CREATE__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    create.n_volumes = call->n_volumes;
    create.volumes = call->volumes;
    operation.create = &create;
    return operate(request, call->agent_id, &operation, TYPE(CREATE));
}

struct master_answer master_api_destroy_volumes(const struct api_request *request)
{
    const Mesos__V1__Master__Call__DestroyVolumes *call = request->call->destroy_volumes;
    Mesos__V1__Offer__Operation__Destroy destroy = MESOS__V1__OFFER__OPERATION__DESTROY__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    destroy.n_volumes = call->n_volumes;
    destroy.volumes = call->volumes;
    operation.destroy = &destroy;
    return operate(request, call->agent_id, &operation, TYPE(DESTROY));
}

struct master_answer master_api_grow_volume(const struct api_request *request)
{
    const Mesos__V1__Master__Call__GrowVolume *call = request->call->grow_volume;
    Mesos__V1__Offer__Operation__GrowVolume grow = MESOS__V1__OFFER__OPERATION__GROW_VOLUME__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    grow.volume = call->volume;
    grow.addition = call->addition;
    operation.grow_volume = &grow;
    return operate(request, call->agent_id, &operation, TYPE(GROW_VOLUME));
}

struct master_answer master_api_shrink_volume(const struct api_request *request)
{
    const Mesos__V1__Master__Call__ShrinkVolume *call = request->call->shrink_volume;
    Mesos__V1__Offer__Operation__ShrinkVolume shrink =
        MESOS__V1__OFFER__OPERATION__SHRINK_VOLUME__INIT;
    Operation operation = MESOS__V1__OFFER__OPERATION__INIT;
    shrink.volume = call->volume;
    shrink.subtract = call->subtract;
    operation.shrink_volume = &shrink;
    return operate(request, call->agent_id, &operation, TYPE(SHRINK_VOLUME));
}

// ---- frameworks and agents ----

struct master_answer master_api_teardown(const struct api_request *request)
{
    struct error err = {0};
    bool good =
        master_teardown(request->master, request->call->teardown->framework_id->value, &err);
    return api_answer_report(good, &err);
}

static struct node *find_agent(const struct api_request *request, const Mesos__V1__AgentID *id)
{
    struct node *node = master_records_node(request->master, id);
    return node != NULL ? node : string_map_find(&request->master->lost_table, id->value);
}

// Registered, recovered or unreachable.
static struct node *find_known(const struct api_request *request, const Mesos__V1__AgentID *id)
{
    struct node *node = find_agent(request, id);
    return node != NULL && node->state != NODE_GONE && node->state != NODE_FORGOTTEN ? node : NULL;
}

struct master_answer master_api_mark_agent_gone(const struct api_request *request)
{
    const Mesos__V1__AgentID *id = request->call->mark_agent_gone->agent_id;
    struct node *node = find_agent(request, id);
    struct master_answer answer = {.status = 404};
    if (node == NULL || node->state == NODE_FORGOTTEN) {
        error_set(&answer.error, ERROR_INVALID, "Agent '%.200s' not found", id->value);
        return answer;
    }
    if (node->state != NODE_GONE)
        agent_loss_mark_gone(node);
    return api_answer_report(true, NULL);
}

// Negative: none is given.
static int64_t grace_of(const Mesos__V1__Master__Call__DrainAgent *call)
{
    const Mesos__V1__Master__Call__DrainAgent__Duration *grace = call->max_grace_period;
    if (grace == NULL || grace->seconds < 0 || grace->nanos < 0)
        return -1;
    return (int64_t)loop_seconds((double)grace->seconds + grace->nanos / 1e9);
}

// NULL, or why an agent cannot be drained; to be freed.
static char *schedule_fault(const struct node *node)
{
    if (node->state > NODE_DISCONNECTED || node->machine->mode == MACHINE_UP)
        return NULL;
    return memory_format("Agent %s is part of a maintenance schedule under Machine %s (%s)",
                         node->id, node->machine->id.hostname, node->machine->id.ip);
}

struct master_answer master_api_drain_agent(const struct api_request *request)
{
    const Mesos__V1__Master__Call__DrainAgent *call = request->call->drain_agent;
    struct node *node = find_known(request, call->agent_id);
    char *fault = node ? schedule_fault(node) : memory_string("Unknown agent");
    if (fault == NULL) {
        node_drain_start(node, grace_of(call), call->has_mark_gone && call->mark_gone);
        return api_answer_report(true, NULL);
    }
    struct master_answer answer = api_answer_refuse(400, fault);
    free(fault);
    return answer;
}

struct master_answer master_api_deactivate_agent(const struct api_request *request)
{
    struct node *node = find_known(request, request->call->deactivate_agent->agent_id);
    if (node == NULL)
        return api_answer_refuse(400, "Unknown agent");
    node_drain_deactivate(node);
    return api_answer_report(true, NULL);
}

struct master_answer master_api_reactivate_agent(const struct api_request *request)
{
    struct node *node = find_known(request, request->call->reactivate_agent->agent_id);
    if (node == NULL || !node->deactivated)
        return api_answer_refuse(400, "Agent is not deactivated");
    if (node->drain.state == NODE_DRAIN_RUNS)
        return api_answer_refuse(400, "Agent is still in the DRAINING state");
    node_drain_activate(node);
    return api_answer_report(true, NULL);
}
