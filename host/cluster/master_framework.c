// SPDX-License-Identifier: Apache-2.0
//
// Frameworks: their subscription, its heartbeats, what happens when it ends, and changes of what
// they said about themselves.

#include "cluster/ledger.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_SECONDS 15

// Frameworks without MULTI_ROLE still use the field `role`.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

// ---- events ----

void master_framework_send(struct master_framework *framework, const Event *event)
{
    if (framework->connected)
        framework->sink->event(framework->sink_data, event);
}

void master_framework_send_status(struct master_framework *framework, Mesos__V1__TaskStatus *status)
{
    Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    update.status = status;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE;
    event.update = &update;
    master_framework_send(framework, &event);
}

void framework_rescind(struct master_offer *offer)
{
    Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
    Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    id.value = offer->id;
    rescind.offer_id = &id;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND;
    event.rescind = &rescind;
    master_framework_send(offer->framework, &event);
    ledger_remove_offer(offer);
}

static void send_error(const struct master_sink *sink, void *data, const char *message)
{
    Mesos__V1__Scheduler__Event__Error error = MESOS__V1__SCHEDULER__EVENT__ERROR__INIT;
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    error.message = (char *)(uintptr_t)message;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR;
    event.error = &error;
    sink->event(data, &event);
}

static void send_heartbeat(struct master_framework *framework)
{
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__HEARTBEAT;
    master_framework_send(framework, &event);
}

static void on_heartbeat(void *data)
{
    struct master_framework *framework = data;
    timer_start(&framework->heartbeat, HEARTBEAT_SECONDS * LOOP_SECOND);
    send_heartbeat(framework);
}

static uint32_t ip_number(const char *ip)
{
    unsigned part[4];
    if (sscanf(ip, "%3u.%3u.%3u.%3u", &part[0], &part[1], &part[2], &part[3]) != 4)
        return 0;
    return part[0] | part[1] << 8 | part[2] << 16 | part[3] << 24;
}

static void send_subscribed(struct master_framework *framework)
{
    static const Mesos__V1__MasterInfo__Capability__Type types[] = {
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__AGENT_UPDATE,
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__AGENT_DRAINING,
        MESOS__V1__MASTER_INFO__CAPABILITY__TYPE__QUOTA_V2,
    };
    enum { COUNT = sizeof types / sizeof types[0] };
    struct master *master = framework->master;
    Mesos__V1__MasterInfo__Capability capabilities[COUNT], *list[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        mesos__v1__master_info__capability__init(&capabilities[i]);
        capabilities[i].has_type = true;
        capabilities[i].type = types[i];
        list[i] = &capabilities[i];
    }
    Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;
    address.hostname = master->hostname;
    address.ip = master->ip;
    address.port = (int32_t)master->port;
    Mesos__V1__MasterInfo info = MESOS__V1__MASTER_INFO__INIT;
    info.id = master->id;
    info.ip = ip_number(master->ip);
    info.port = master->port;
    info.pid = memory_format("master@%s:%u", master->ip, master->port);
    info.hostname = master->hostname;
    info.version = MASTER_VERSION;
    info.address = &address;
    info.n_capabilities = COUNT;
    info.capabilities = list;
    Mesos__V1__Scheduler__Event__Subscribed subscribed =
        MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
    subscribed.framework_id = framework->info->id;
    subscribed.has_heartbeat_interval_seconds = true;
    subscribed.heartbeat_interval_seconds = HEARTBEAT_SECONDS;
    subscribed.master_info = &info;
    Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED;
    event.subscribed = &subscribed;
    master_framework_send(framework, &event);
    free(info.pid);
}

// ---- what a framework said about itself ----

static void free_roles(struct master_framework *framework)
{
    for (size_t i = 0; i < framework->role_count; i++)
        free(framework->roles[i].name);
    free(framework->roles);
    framework->roles = NULL;
    framework->role_count = 0;
}

static bool listed(char **names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

// What the framework holds in a role that it leaves and takes up again must count again.
static struct shares held_in(const struct master_framework *framework, const char *role)
{
    struct resources held = {0};
    const struct master_offer *offer;
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    if (strcmp(offer->role, role) == 0)
        resources_add(&held, &offer->resources);
    const struct master_task *task;
    TAILQ_FOREACH(task, &framework->tasks, link)
    if (task->holds && strcmp(task->role, role) == 0)
        resources_add(&held, &task->resources);
    struct shares shares = ledger_shares(&held);
    resources_free(&held);
    return shares;
}

static void set_roles(struct master_framework *framework, char **suppressed,
                      size_t suppressed_count)
{
    Mesos__V1__FrameworkInfo *info = framework->info;
    char *single[] = {info->role};
    char **names = framework->multi_role ? info->roles : single;
    free_roles(framework);
    framework->role_count = framework->multi_role ? info->n_roles : 1;
    framework->roles = memory_new(framework->role_count * sizeof *framework->roles);
    for (size_t i = 0; i < framework->role_count; i++)
        framework->roles[i] = (struct role){
            .name = memory_string(names[i]),
            .suppressed = listed(suppressed, suppressed_count, names[i]),
            .allocated = held_in(framework, names[i]),
        };
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

// User and checkpoint are those of the first subscription.
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

// ---- coming and going ----

static void on_failover_timeout(void *data)
{
    struct master_framework *framework = data;
    log_debug("framework %s did not come back in time", framework->id);
    master_framework_remove(framework);
}

static struct master_framework *framework_create(struct master *master, const char *id)
{
    struct master_framework *framework = memory_new(sizeof *framework);
    framework->master = master;
    framework->id = id ? memory_string(id)
                       : memory_format("%s-%04" PRIu64, master->id, master->next_framework++);
    timer_init(&framework->heartbeat, master->loop, on_heartbeat, framework);
    timer_init(&framework->failover, master->loop, on_failover_timeout, framework);
    TAILQ_INIT(&framework->tasks);
    TAILQ_INIT(&framework->offers);
    TAILQ_INIT(&framework->filters);
    string_map_put(&master->framework_table, &framework->entry, framework->id, framework);
    TAILQ_INSERT_TAIL(&master->frameworks, framework, link);
    return framework;
}

static void remove_offers(struct master_framework *framework)
{
    while (!TAILQ_EMPTY(&framework->offers))
        ledger_remove_offer(TAILQ_FIRST(&framework->offers));
}

// The stream ends: after ERROR if there is a message.
static void disconnect(struct master_framework *framework, const char *message)
{
    if (!framework->connected)
        return;
    if (message != NULL)
        send_error(framework->sink, framework->sink_data, message);
    framework->connected = false;
    timer_stop(&framework->heartbeat);
    framework->sink->end(framework->sink_data);
    remove_offers(framework);
}

void master_framework_destroy(struct master_framework *framework)
{
    struct master *master = framework->master;
    allocator_clear_filters(framework, NULL);
    remove_offers(framework);
    while (!TAILQ_EMPTY(&framework->tasks))
        ledger_remove_task(TAILQ_FIRST(&framework->tasks));
    timer_stop(&framework->heartbeat);
    timer_stop(&framework->failover);
    string_map_remove(&master->framework_table, &framework->entry);
    TAILQ_REMOVE(&master->frameworks, framework, link);
    string_map_free(&framework->task_table);
    string_map_free(&framework->filter_table);
    free_roles(framework);
    free_description(framework);
    free(framework->id);
    free(framework);
}

void master_framework_remove(struct master_framework *framework)
{
    struct master *master = framework->master;
    struct node *node;
    log_debug("framework %s is removed", framework->id);
    disconnect(framework, NULL);
    TAILQ_FOREACH(node, &master->nodes, link)
    agent_remove_framework(node->agent, framework->id);
    ledger_add_completed(master, framework->id);
    master_framework_destroy(framework);
}

void master_stream_closed(struct master *master, const char *stream_id)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    if (framework->connected && strcmp(framework->stream_id, stream_id) == 0)
        break;
    if (framework == NULL)
        return;
    log_debug("framework %s is disconnected", framework->id);
    framework->connected = false;
    timer_stop(&framework->heartbeat);
    remove_offers(framework);
    uint64_t timeout = loop_seconds(framework->info->failover_timeout);
    if (timeout > 0)
        timer_start(&framework->failover, timeout);
    else
        master_framework_remove(framework);
}

// ---- SUBSCRIBE ----

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool principal_kept(const Mesos__V1__FrameworkInfo *old, const Mesos__V1__FrameworkInfo *new,
                           struct error *err)
{
    return same_text(old->principal, new->principal) ||
           error_set(err, ERROR_REFUSED, "Changing framework's principal is not allowed.");
}

static const char *wanted_id(const Mesos__V1__FrameworkInfo *info)
{
    return info->id && info->id->value[0] ? info->id->value : NULL;
}

static bool may_subscribe(struct master *master, const struct framework_description *new,
                          struct error *err)
{
    const char *id = wanted_id(new->info);
    const struct master_framework *known = id ? ledger_framework(master, id) : NULL;
    if (!validation_framework_info(new->info, err))
        return false;
    if (id != NULL && ledger_completed(master, id))
        return error_set(err, ERROR_REFUSED, "Framework has been removed");
    if (!validation_roles(new->info, new->suppressed, new->suppressed_count, new->constraints, err))
        return false;
    return known == NULL || principal_kept(known->info, new->info, err);
}

// A subscription starts without filters and offers; updates that wait come again.
static void start_subscription(struct master_framework *framework, const char *stream_id,
                               const struct master_sink *sink, void *data)
{
    struct master *master = framework->master;
    framework->connected = true;
    framework->hungry_since = 0;
    framework->told = 0;
    framework->sink = sink;
    framework->sink_data = data;
    snprintf(framework->stream_id, sizeof framework->stream_id, "%s", stream_id);
    timer_stop(&framework->failover);
    allocator_clear_filters(framework, NULL);
    send_subscribed(framework);
    on_heartbeat(framework);
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    agent_resend(node->agent, framework->id);
    allocator_hurry(master);
}

void master_subscribe(struct master *master, const Call *call, const char *stream_id,
                      const struct master_sink *sink, void *data)
{
    const struct framework_description new = describe(call);
    struct error err = {0};
    if (!may_subscribe(master, &new, &err)) {
        log_debug("a subscription is refused: %s", err.text);
        send_error(sink, data, err.text);
        sink->end(data);
        return;
    }
    const char *id = wanted_id(new.info);
    struct master_framework *framework = id ? ledger_framework(master, id) : NULL;
    if (framework == NULL)
        framework = framework_create(master, id);
    disconnect(framework, "Framework failed over");
    set_description(framework, &new);
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
    if (!principal_kept(old, new->info, err) ||
        !constant_kept("user", old->user, new->info->user, err) ||
        !constant_kept("checkpoint", truth(old->checkpoint), truth(new->info->checkpoint), err))
        return error_context(err, "FrameworkInfo update is not valid");
    if (!validation_roles(new->info, new->suppressed, new->suppressed_count, new->constraints, err))
        return error_context(err, "'UpdateFramework' call is not valid");
    return true;
}

static void rescind_left_roles(struct master_framework *framework)
{
    for (struct master_offer *offer = TAILQ_FIRST(&framework->offers), *next; offer != NULL;
         offer = next) {
        next = TAILQ_NEXT(offer, of_framework);
        if (ledger_role(framework, offer->role) == NULL)
            framework_rescind(offer);
    }
}

// A role that is no longer suppressed starts afresh, as after REVIVE.
static void clear_filters_of_revived(struct master_framework *framework,
                                     const struct framework_description *new)
{
    for (size_t i = 0; i < framework->role_count; i++) {
        const struct role *role = &framework->roles[i];
        if (role->suppressed && !listed(new->suppressed, new->suppressed_count, role->name))
            allocator_clear_filters(framework, role->name);
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
    allocator_hurry(framework->master);
    return answer;
}
