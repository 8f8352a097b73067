// SPDX-License-Identifier: Apache-2.0
//
// Frameworks: their subscription, its heartbeats and its end, and what they said about themselves,
// which UPDATE_FRAMEWORK changes.

#include "master/agent_loss.h"
#include "master/master_internal.h"
#include "master/node_link.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Frameworks without MULTI_ROLE still use the field `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Scheduler__Call Call;

// ---- what a framework said about itself ----

static bool listed(char **names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void set_roles(struct master_framework *framework, char **suppressed,
                      size_t suppressed_count)
{
    Mesos__V1__FrameworkInfo *info = framework->info;
    char *single[] = {info->role};
    char **names = framework->multi_role ? info->roles : single;
    size_t count = framework->multi_role ? info->n_roles : 1;
    bool *are_suppressed = memory_new(count * sizeof *are_suppressed);
    for (size_t i = 0; i < count; i++)
        are_suppressed[i] = listed(suppressed, suppressed_count, names[i]);
    master_records_set_roles(framework, names, count, are_suppressed);
    free(are_suppressed);
}

static void set_capabilities(struct master_framework *framework)
{
    const struct {
        Mesos__V1__FrameworkInfo__Capability__Type type;
        bool *flag;
    } rows[] = {
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE, &framework->multi_role},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT,
         &framework->reservation_refinement},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE, &framework->partition_aware},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE,
         &framework->killing_state},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__GPU_RESOURCES, &framework->gpus},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES, &framework->revocable},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__SHARED_RESOURCES, &framework->shared},
        {MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE, &framework->region_aware},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        *rows[i].flag = validation_has_capability(framework->info, rows[i].type);
}

static void set_id(Mesos__V1__FrameworkInfo *info, const char *id)
{
    if (info->id == NULL) {
        info->id = memory_new(sizeof *info->id);
        mesos__v1__framework_id__init(info->id);
    }
    if (info->id->value != protobuf_c_empty_string)
        free(info->id->value);
    info->id->value = memory_string(id);
}

// User and checkpoint do not change after the first subscription.
static void keep_constant(Mesos__V1__FrameworkInfo *info, const Mesos__V1__FrameworkInfo *old)
{
    if (info->user != protobuf_c_empty_string)
        free(info->user);
    info->user = memory_string(old->user);
    info->has_checkpoint = old->has_checkpoint;
    info->checkpoint = old->checkpoint;
}

struct framework_description {
    const Mesos__V1__FrameworkInfo *info;
    char **suppressed;
    size_t suppressed_count;
    const Mesos__V1__Scheduler__OfferConstraints *constraints;
};

static struct framework_description describe(const Call *call)
{
    const Mesos__V1__Scheduler__Call__Subscribe *subscribe = call->subscribe;
    const Mesos__V1__Scheduler__Call__UpdateFramework *update = call->update_framework;
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return (struct framework_description){
            subscribe->framework_info, subscribe->suppressed_roles, subscribe->n_suppressed_roles,
            subscribe->offer_constraints};
    return (struct framework_description){update->framework_info, update->suppressed_roles,
                                          update->n_suppressed_roles, update->offer_constraints};
}

static void free_description(struct master_framework *framework)
{
    if (framework->info != NULL)
        mesos__v1__framework_info__free_unpacked(framework->info, NULL);
    if (framework->constraints != NULL)
        protobuf_c_message_free_unpacked(&framework->constraints->base, NULL);
    framework->info = NULL;
    framework->constraints = NULL;
}

static void set_description(struct master_framework *framework,
                            const struct framework_description *new)
{
    Mesos__V1__FrameworkInfo *info = message_copy(&new->info->base);
    if (framework->info != NULL)
        keep_constant(info, framework->info);
    set_id(info, framework->id);
    free_description(framework);
    framework->info = info;
    if (new->constraints != NULL)
        framework->constraints = message_copy(&new->constraints->base);
    set_capabilities(framework);
    set_roles(framework, new->suppressed, new->suppressed_count);
}

// ---- life ----

static void on_heartbeat(void *data)
{
    struct master_framework *framework = data;
    timer_start(&framework->heartbeat, MASTER_HEARTBEAT_SECONDS * LOOP_SECOND);
    master_events_send_heartbeat(framework);
}

static void on_failover_timeout(void *data)
{
    struct master_framework *framework = data;
    log_debug("framework %s did not reconnect within its failover timeout", framework->id);
    master_framework_remove(framework);
}

struct master_framework *master_framework_create(struct master *master, const char *id)
{
    struct master_framework *framework = memory_new(sizeof *framework);
    framework->master = master;
    framework->id = id ? memory_string(id)
                       : memory_format("%s-%04" PRIu64, master->id, master->next_framework++);
    timer_init(&framework->heartbeat, master->loop, on_heartbeat, framework);
    timer_init(&framework->failover, master->loop, on_failover_timeout, framework);
    TAILQ_INIT(&framework->members);
    TAILQ_INIT(&framework->tasks);
    TAILQ_INIT(&framework->operations);
    TAILQ_INIT(&framework->executors);
    TAILQ_INIT(&framework->offers);
    TAILQ_INIT(&framework->filters);
    framework_past_init(&framework->past);
    string_map_put(&master->framework_table, &framework->entry, framework->id, framework);
    TAILQ_INSERT_TAIL(&master->frameworks, framework, link);
    return framework;
}

static void remove_offers(struct master_framework *framework)
{
    while (!TAILQ_EMPTY(&framework->offers))
        master_records_remove_offer(TAILQ_FIRST(&framework->offers), OFFER_END_VOID);
}

// Ends the stream, after an ERROR if there is a message.
static void disconnect(struct master_framework *framework, const char *message)
{
    if (!framework->connected)
        return;
    if (message != NULL)
        master_events_send_error(framework->sink, framework->sink_data, message);
    framework->connected = false;
    master_records_activate(framework);
    timer_stop(&framework->heartbeat);
    framework->sink->end(framework->sink_data);
    remove_offers(framework);
    inverse_offers_disconnected(framework);
}

void master_framework_leave(struct master_framework *framework)
{
    framework->connected = false;
    master_records_activate(framework);
    offer_filters_clear(framework, NULL);
    remove_offers(framework);
    timer_stop(&framework->heartbeat);
    timer_stop(&framework->failover);
}

void master_framework_destroy(struct master_framework *framework)
{
    struct master *master = framework->master;
    agent_loss_forget_framework(framework);
    master_framework_leave(framework);
    inverse_offers_forget_framework(framework);
    while (!TAILQ_EMPTY(&framework->tasks))
        master_records_remove_task(TAILQ_FIRST(&framework->tasks));
    while (!TAILQ_EMPTY(&framework->operations))
        operation_records_remove(TAILQ_FIRST(&framework->operations));
    while (!TAILQ_EMPTY(&framework->executors))
        master_records_remove_executor(TAILQ_FIRST(&framework->executors));
    framework_past_free(&framework->past);
    string_map_remove(&master->framework_table, &framework->entry);
    TAILQ_REMOVE(&master->frameworks, framework, link);
    string_map_free(&framework->task_table);
    string_map_free(&framework->operation_table);
    string_map_free(&framework->executor_table);
    master_records_set_roles(framework, NULL, 0, NULL);
    node_turns_forget_framework(framework);
    free(framework->roles);
    free_description(framework);
    free(framework->id);
    free(framework);
}

static void deliver_removal(struct node *node, const char *framework_id,
                            const ProtobufCMessage *message)
{
    (void)message;
    agent_remove_framework(node->agent, framework_id);
}

void master_framework_remove(struct master_framework *framework)
{
    struct node *node;
    log_debug("framework %s is removed", framework->id);
    disconnect(framework, NULL);
    TAILQ_FOREACH(node, &framework->master->nodes, link)
    node_link_send(node, framework->id, NULL, deliver_removal);
    past_frameworks_add(framework);
    master_framework_destroy(framework);
}

void master_framework_disconnected(struct master_framework *framework)
{
    log_debug("framework %s is disconnected", framework->id);
    framework->connected = false;
    master_records_activate(framework);
    timer_stop(&framework->heartbeat);
    remove_offers(framework);
    inverse_offers_disconnected(framework);
    uint64_t timeout = loop_seconds(framework->info->failover_timeout);
    if (timeout > 0)
        timer_start(&framework->failover, timeout);
    else
        master_framework_remove(framework);
}

// ---- SUBSCRIBE ----

static void rescind_left_roles(struct master_framework *framework)
{
    for (struct master_offer *offer = TAILQ_FIRST(&framework->offers), *next; offer != NULL;
         offer = next) {
        next = TAILQ_NEXT(offer, of_framework);
        if (master_records_role(framework, offer->role) == NULL)
            master_records_rescind_offer(offer);
    }
}

// A subscription starts without filters and offers; unacknowledged updates are sent again.
static void start_subscription(struct master_framework *framework, const char *stream_id,
                               const struct master_sink *sink, void *data)
{
    struct master *master = framework->master;
    framework->connected = true;
    master_records_activate(framework);
    framework->starved_since = 0;
    framework->logged = 0;
    framework->sink = sink;
    framework->sink_data = data;
    snprintf(framework->stream_id, sizeof framework->stream_id, "%s", stream_id);
    timer_stop(&framework->failover);
    offer_filters_clear(framework, NULL);
    master_events_send_subscribed(framework);
    history_framework_subscribed(framework);
    on_heartbeat(framework);
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    if (node_link_hears(node))
        agent_resend(node->agent, framework->id);
    node_turns_hurry_for(framework);
}

void master_framework_subscribe(struct master_framework *framework, const Call *call,
                                const char *stream_id, const struct master_sink *sink, void *data)
{
    const struct framework_description new = describe(call);
    set_description(framework, &new);
    rescind_left_roles(framework); // which the former subscription is told
    disconnect(framework, "Framework failed over");
    log_debug("framework %s (%s) subscribes", framework->id, framework->info->name);
    start_subscription(framework, stream_id, sink, data);
}

// ---- UPDATE_FRAMEWORK ----

static bool constant_kept(const char *field, const char *old, const char *new, struct error *err)
{
    return strcmp(old, new) == 0 ||
           error_set(err, ERROR_INVALID,
                     "Updating 'FrameworkInfo.%s' is unsupported; attempted to update from '%s' "
                     "to '%s'",
                     field, old, new);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static bool may_update(const struct master_framework *framework,
                       const struct framework_description *new, struct error *err)
{
    const Mesos__V1__FrameworkInfo *old = framework->info;
    if (!validation_framework_info(new->info, err))
        return error_context(err, "Supplied FrameworkInfo is not valid");
    if (!validation_principal(old, new->info, err) ||
        !constant_kept("user", old->user, new->info->user, err) ||
        !constant_kept("checkpoint", truth(old->checkpoint), truth(new->info->checkpoint), err))
        return error_context(err, "FrameworkInfo update is not valid");
    if (!validation_roles(new->info, new->suppressed, new->suppressed_count, new->constraints, err))
        return error_context(err, "'UpdateFramework' call is not valid");
    return true;
}

// A role that is no longer suppressed loses its filters, as after REVIVE.
static void clear_filters_of_revived(struct master_framework *framework,
                                     const struct framework_description *new)
{
    for (size_t i = 0; i < framework->role_count; i++) {
        const struct role *role = &framework->roles[i];
        if (role->suppressed && !listed(new->suppressed, new->suppressed_count, role->name))
            offer_filters_clear(framework, role->name);
    }
}

struct master_answer master_framework_update(struct master_framework *framework, const Call *call)
{
    const struct framework_description new = describe(call);
    struct master_answer answer = {.status = 200};
    if (!may_update(framework, &new, &answer.error)) {
        answer.status = 400;
        return answer;
    }
    clear_filters_of_revived(framework, &new);
    set_description(framework, &new);
    rescind_left_roles(framework);
    history_framework_updated(framework);
    node_turns_hurry_for(framework);
    return answer;
}
