// SPDX-License-Identifier: Apache-2.0
//
// The master: subscriptions, a table of the other calls, and the life of the master itself.
// master_records.h says what it consists of.

#include "master/master.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/agent_loss.h"
#include "master/machines.h"
#include "master/master_failover.h"
#include "master/master_internal.h"
#include "master/node_arrival.h"
#include "master/node_executors.h"
#include "master/node_link.h"
#include "master/update_faults.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Scheduler__Call Call;

bool master_validate(const Call *call, struct error *err)
{
    return validation_call(call, err) || error_context(err, "Failed to validate scheduler::Call");
}

// ---- SUBSCRIBE ----

static const char *wanted_id(const Mesos__V1__FrameworkInfo *info)
{
    return info->id && info->id->value[0] ? info->id->value : NULL;
}

static bool may_subscribe(const struct master *master,
                          const Mesos__V1__Scheduler__Call__Subscribe *call, struct error *err)
{
    const Mesos__V1__FrameworkInfo *info = call->framework_info;
    const char *id = wanted_id(info);
    const struct master_framework *known = id ? master_records_framework(master, id) : NULL;
    if (!validation_framework_info(info, err))
        return false;
    if (id != NULL && past_frameworks_has(master, id))
        return error_set(err, ERROR_REFUSED, "Framework has been removed");
    if (!validation_roles(info, call->suppressed_roles, call->n_suppressed_roles,
                          call->offer_constraints, err))
        return false;
    return known == NULL || validation_principal(known->info, info, err);
}

void master_subscribe(struct master *master, const Call *call, const char *stream_id,
                      const struct master_sink *sink, void *data)
{
    struct error err = {0};
    if (!may_subscribe(master, call->subscribe, &err)) {
        log_debug("a subscription is refused: %s", err.text);
        master_events_send_error(sink, data, err.text);
        sink->end(data);
        return;
    }
    const char *id = wanted_id(call->subscribe->framework_info);
    struct master_framework *framework = id ? master_records_framework(master, id) : NULL;
    if (framework == NULL && id != NULL)
        framework = past_frameworks_recall(master, id);
    if (framework == NULL)
        framework = master_framework_create(master, id);
    master_framework_subscribe(framework, call, stream_id, sink, data);
}

void master_stream_closed(struct master *master, const char *stream_id)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    if (framework->connected && strcmp(framework->stream_id, stream_id) == 0)
        break;
    if (framework != NULL)
        master_framework_disconnected(framework);
}

// ---- other calls ----

static void on_teardown(struct master_framework *framework, const Call *call)
{
    (void)call;
    master_framework_remove(framework);
}

static void on_accept(struct master_framework *framework, const Call *call)
{
    accept_offers(framework, call->accept);
}

static void on_decline(struct master_framework *framework, const Call *call)
{
    accept_decline(framework, call->decline);
}

// One role that the framework is not subscribed to makes the whole call void.
static bool all_subscribed(const struct master_framework *framework, char **roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (master_records_role(framework, roles[i]) != NULL)
            continue;
        log_debug("framework %s: dropping a call for role '%s', which it is not subscribed to",
                  framework->id, roles[i]);
        return false;
    }
    return true;
}

static void suppress(struct master_framework *framework, char **roles, size_t count,
                     bool suppressed)
{
    for (size_t i = 0; i < framework->role_count; i++)
        if (count == 0)
            framework->roles[i].suppressed = suppressed;
    for (size_t i = 0; i < count; i++)
        master_records_role(framework, roles[i])->suppressed = suppressed;
    master_records_activate(framework);
}

static void on_suppress(struct master_framework *framework, const Call *call)
{
    size_t count = call->suppress ? call->suppress->n_roles : 0;
    char **roles = count ? call->suppress->roles : NULL;
    if (all_subscribed(framework, roles, count))
        suppress(framework, roles, count, true);
}

static void on_revive(struct master_framework *framework, const Call *call)
{
    size_t count = call->revive ? call->revive->n_roles : 0;
    char **roles = count ? call->revive->roles : NULL;
    if (!all_subscribed(framework, roles, count))
        return;
    suppress(framework, roles, count, false);
    if (count == 0)
        offer_filters_clear(framework, NULL);
    for (size_t i = 0; i < count; i++)
        offer_filters_clear(framework, roles[i]);
    inverse_offers_clear_filters(framework);
    node_turns_hurry_for(framework);
}

static void deliver_kill(struct node *node, const char *framework_id,
                         const ProtobufCMessage *message)
{
    const Mesos__V1__Scheduler__Call__Kill *kill =
        (const Mesos__V1__Scheduler__Call__Kill *)message;
    agent_kill(node->agent, framework_id, kill->task_id->value, kill->kill_policy);
}

// A kill that an agent is not connected for is made up for when it is back.
static void on_kill(struct master_framework *framework, const Call *call)
{
    const Mesos__V1__Scheduler__Call__Kill *kill = call->kill;
    struct master_task *task = master_records_task(framework, kill->task_id->value);
    if (task == NULL)
        master_updates_reconcile(framework, kill->task_id->value, kill->agent_id);
    else if (kill->agent_id != NULL && strcmp(kill->agent_id->value, task->node->id) != 0)
        log_debug("task %s is not killed: it does not run on agent %s", task->id,
                  kill->agent_id->value);
    else if (task->node->state == NODE_DISCONNECTED)
        task->kill_wanted = true;
    else
        node_link_send(task->node, framework->id, &kill->base, deliver_kill);
}

// A task that has ended is forgotten with the acknowledgement of its end.
static void deliver_acknowledge(struct node *node, const char *framework_id,
                                const ProtobufCMessage *message)
{
    const Mesos__V1__Scheduler__Call__Acknowledge *ack =
        (const Mesos__V1__Scheduler__Call__Acknowledge *)message;
    Mesos__V1__TaskState state;
    if (!agent_acknowledge(node->agent, framework_id, ack->task_id->value, &ack->uuid, &state) ||
        !agent_terminal(state))
        return;
    struct master_framework *framework = master_records_framework(node->master, framework_id);
    struct master_task *task =
        framework ? master_records_task(framework, ack->task_id->value) : NULL;
    if (task != NULL && task->node == node)
        master_records_remove_task(task);
}

static void on_acknowledge(struct master_framework *framework, const Call *call)
{
    const Mesos__V1__Scheduler__Call__Acknowledge *ack = call->acknowledge;
    struct node *node = master_records_node(framework->master, ack->agent_id);
    if (node != NULL)
        node_link_send(node, framework->id, &ack->base, deliver_acknowledge);
}

static void on_reconcile(struct master_framework *framework, const Call *call)
{
    const Mesos__V1__Scheduler__Call__Reconcile *reconcile = call->reconcile;
    if (reconcile->n_tasks == 0)
        master_updates_reconcile_all(framework);
    for (size_t i = 0; i < reconcile->n_tasks; i++)
        master_updates_reconcile(framework, reconcile->tasks[i]->task_id->value,
                                 reconcile->tasks[i]->agent_id);
}

static void on_acknowledge_operation(struct master_framework *framework, const Call *call)
{
    operations_acknowledge(framework, call->acknowledge_operation_status);
}

static void on_accept_inverse(struct master_framework *framework, const Call *call)
{
    const Mesos__V1__Scheduler__Call__AcceptInverseOffers *accept = call->accept_inverse_offers;
    inverse_offers_answer(framework, INVERSE_ACCEPTED, accept->inverse_offer_ids,
                          accept->n_inverse_offer_ids, accept->filters);
}

static void on_decline_inverse(struct master_framework *framework, const Call *call)
{
    const Mesos__V1__Scheduler__Call__DeclineInverseOffers *decline = call->decline_inverse_offers;
    inverse_offers_answer(framework, INVERSE_DECLINED, decline->inverse_offer_ids,
                          decline->n_inverse_offer_ids, decline->filters);
}

static void on_reconcile_operations(struct master_framework *framework, const Call *call)
{
    operations_reconcile(framework, call->reconcile_operations);
}

static void deliver_shutdown(struct node *node, const char *framework_id,
                             const ProtobufCMessage *message)
{
    const Mesos__V1__Scheduler__Call__Shutdown *shutdown =
        (const Mesos__V1__Scheduler__Call__Shutdown *)message;
    agent_shutdown_executor(node->agent, framework_id, shutdown->executor_id->value);
}

static void on_shutdown(struct master_framework *framework, const Call *call)
{
    struct node *node = master_records_node(framework->master, call->shutdown->agent_id);
    if (node != NULL)
        node_link_send(node, framework->id, &call->shutdown->base, deliver_shutdown);
}

static void deliver_message(struct node *node, const char *framework_id,
                            const ProtobufCMessage *message)
{
    const Mesos__V1__Scheduler__Call__Message *text =
        (const Mesos__V1__Scheduler__Call__Message *)message;
    agent_message(node->agent, framework_id, text->executor_id->value, &text->data);
}

static void on_framework_message(struct master_framework *framework, const Call *call)
{
    struct node *node = master_records_node(framework->master, call->message->agent_id);
    if (node != NULL)
        node_link_send(node, framework->id, &call->message->base, deliver_message);
}

// The types without a handler are valid calls that have no effect: a real master ignores REQUEST.
static const struct handler {
    void (*handle)(struct master_framework *framework, const Call *call);
} handlers[] = {
#define HANDLER(TYPE, function) [MESOS__V1__SCHEDULER__CALL__TYPE__##TYPE] = {function}
    HANDLER(TEARDOWN, on_teardown),
    HANDLER(ACCEPT, on_accept),
    HANDLER(DECLINE, on_decline),
    HANDLER(ACCEPT_INVERSE_OFFERS, on_accept_inverse),
    HANDLER(DECLINE_INVERSE_OFFERS, on_decline_inverse),
    HANDLER(REVIVE, on_revive),
    HANDLER(KILL, on_kill),
    HANDLER(SHUTDOWN, on_shutdown),
    HANDLER(ACKNOWLEDGE, on_acknowledge),
    HANDLER(ACKNOWLEDGE_OPERATION_STATUS, on_acknowledge_operation),
    HANDLER(RECONCILE, on_reconcile),
    HANDLER(RECONCILE_OPERATIONS, on_reconcile_operations),
    HANDLER(MESSAGE, on_framework_message),
    HANDLER(REQUEST, NULL),
    HANDLER(SUPPRESS, on_suppress),
#undef HANDLER
};

static struct master_answer answer(int status, const char *text)
{
    struct master_answer answer = {.status = status};
    error_set(&answer.error, ERROR_INVALID, "%s", text);
    return answer;
}

static struct master_answer wrong_stream(const struct master_framework *framework,
                                         const char *stream_id)
{
    struct master_answer answer = {.status = 400};
    error_set(&answer.error, ERROR_INVALID,
              "The stream ID '%.128s' included in this request didn't match the stream ID "
              "currently associated with framework ID %s",
              stream_id, framework->id);
    return answer;
}

static struct master_answer dispatch(struct master_framework *framework, const Call *call)
{
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK)
        return master_framework_update(framework, call);
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__UNKNOWN)
        return answer(501, "Calls of type UNKNOWN are not implemented");
    size_t type = (size_t)call->type;
    if (type < sizeof handlers / sizeof handlers[0] && handlers[type].handle != NULL)
        handlers[type].handle(framework, call);
    return (struct master_answer){.status = 202};
}

// The principal of a framework is the one that it subscribed with.
static bool is_principal(const struct master_framework *framework, const char *authenticated)
{
    const char *principal = framework->info->principal;
    return authenticated == NULL || strcmp(authenticated, principal ? principal : "") == 0;
}

static struct master_answer wrong_principal(const struct master_framework *framework,
                                            const char *authenticated)
{
    struct master_answer answer = {.status = 400};
    const char *principal = framework->info->principal;
    error_set(&answer.error, ERROR_INVALID,
              "Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`",
              authenticated, principal ? principal : "");
    return answer;
}

struct master_answer master_call(struct master *master, const Call *call,
                                 const struct master_caller *caller)
{
    const char *stream_id = caller->stream_id;
    struct master_framework *framework =
        master_records_framework(master, call->framework_id->value);
    if (framework == NULL)
        return answer(400, "Framework cannot be found");
    if (!is_principal(framework, caller->principal))
        return wrong_principal(framework, caller->principal);
    history_call(master, call);
    if (!framework->connected)
        return answer(403, "Framework is not subscribed");
    if (stream_id == NULL)
        return answer(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    if (strcmp(stream_id, framework->stream_id) != 0)
        return wrong_stream(framework, stream_id);
    return dispatch(framework, call);
}

bool master_teardown(struct master *master, const char *framework_id, struct error *err)
{
    struct master_framework *framework = master_records_framework(master, framework_id);
    if (framework == NULL)
        return error_set(err, ERROR_INVALID, "No framework found with specified ID");
    master_framework_remove(framework);
    return true;
}

// ---- life ----

static void on_node_lost(struct node *node)
{
    node_executors_forget(node, NULL);
    offer_filters_clear_node(node);
}

static const struct master_records_events events = {.offer_rescinded = master_events_send_rescind,
                                                    .role_left = offer_filters_clear,
                                                    .node_lost = on_node_lost,
                                                    .node_freed = agent_loss_free};

struct master *master_create(struct loop *loop, const struct master_options *options)
{
    struct master *master = memory_new(sizeof *master);
    master->loop = loop;
    master->events = &events;
    master->ip = memory_string(options->ip);
    master->port = options->port;
    master->hostname = memory_string(options->hostname);
    master->region = memory_string(options->region);
    master->zone = memory_string(options->zone);
    master->work_dir = memory_string(options->work_dir);
    master->path = memory_string(options->path);
    master->switch_users = options->switch_users;
    master->secret = options->secret;
    master->offer_timeout = options->offer_timeout;
    master->agent_timeout = options->agent_timeout ? options->agent_timeout : MASTER_AGENT_TIMEOUT;
    master->registration_timeout =
        options->registration_timeout ? options->registration_timeout : MASTER_REGISTRATION_TIMEOUT;
    master->containers = options->containers;
    master->runner = options->runner;
    uuid_random_text(master->id);
    master->started = loop_wall(loop);
    TAILQ_INIT(&master->observers);
    verbosity_init(&master->verbosity, loop);
    TAILQ_INIT(&master->frameworks);
    TAILQ_INIT(&master->nodes);
    TAILQ_INIT(&master->lost);
    TAILQ_INIT(&master->leaving);
    maintenance_init(&master->maintenance);
    inverse_offers_init(&master->inverse_offers);
    TAILQ_INIT(&master->completed);
    role_tree_init(&master->roles);
    master_failover_init(master);
    update_faults_init(master);
    allocator_init(master);
    allocator_start(master);
    return master;
}

void master_add_agent(struct master *master, const struct resources *resources,
                      struct agent_description *description)
{
    node_arrival_add(master, resources, description);
}

static void destroy_node(struct node *node)
{
    struct master *master = node->master;
    offer_filters_clear_node(node);
    node_turns_forget(node);
    master_records_remove_node(node);
    string_map_remove(&master->node_table, &node->entry);
    TAILQ_REMOVE(&master->nodes, node, link);
    inverse_offers_forget_node(node);
    machines_leave(node);
    master_records_free_node(node);
}

static void destroy_leaving(struct node *node)
{
    TAILQ_REMOVE(&node->master->leaving, node, link);
    master_records_free_node(node);
}

static void destroy_lost(struct node *node)
{
    TAILQ_REMOVE(&node->master->lost, node, link);
    master_records_free_node(node);
}

const char *master_hostname(const struct master *master)
{
    return master->hostname;
}

void master_destroy(struct master *master)
{
    if (master == NULL)
        return;
    allocator_stop(master);
    master_failover_stop(master);
    update_faults_stop(master);
    verbosity_stop(&master->verbosity);
    history_forget_all(master);
    while (!TAILQ_EMPTY(&master->frameworks))
        master_framework_destroy(TAILQ_FIRST(&master->frameworks));
    while (!TAILQ_EMPTY(&master->nodes))
        destroy_node(TAILQ_FIRST(&master->nodes));
    while (!TAILQ_EMPTY(&master->leaving))
        destroy_leaving(TAILQ_FIRST(&master->leaving));
    while (!TAILQ_EMPTY(&master->lost))
        destroy_lost(TAILQ_FIRST(&master->lost));
    inverse_offers_free(&master->inverse_offers);
    maintenance_free(&master->maintenance);
    past_frameworks_forget(master);
    role_tree_free(&master->roles);
    offer_filter_queue_free(&master->filters);
    block_pool_free(&master->offer_blocks);
    node_turns_free(master);
    string_map_free(&master->framework_table);
    string_map_free(&master->node_table);
    string_map_free(&master->lost_table);
    offer_numbers_free(&master->offers);
    string_map_free(&master->completed_table);
    free(master->ip);
    free(master->hostname);
    free(master->region);
    free(master->zone);
    free(master->work_dir);
    free(master->path);
    free(master);
}

// ---- stopping ----

static void on_agent_stopped(void *data)
{
    struct master *master = data;
    void (*stopped)(void *data) = master->stopped;
    if (--master->running_agents > 0)
        return;
    master->stopped = NULL;
    if (stopped != NULL)
        stopped(master->stopped_data);
}

static void stop_agent(struct node *node, uint64_t grace)
{
    node->master->running_agents++;
    agent_stop(node->agent, grace, on_agent_stopped, node->master);
}

void master_stop(struct master *master, uint64_t grace, void (*done)(void *data), void *data)
{
    struct node *node;
    master->stopping = true;
    master->stopped = done;
    master->stopped_data = data;
    allocator_stop(master);
    timer_stop(&master->registration);
    master->running_agents = 1; // stands for this loop
    TAILQ_FOREACH(node, &master->nodes, link)
    stop_agent(node, grace);
    TAILQ_FOREACH(node, &master->lost, link)
    stop_agent(node, grace);
    TAILQ_FOREACH(node, &master->leaving, link)
    stop_agent(node, grace);
    on_agent_stopped(master);
}
