// SPDX-License-Identifier: Apache-2.0
//
// A subscription of an operator; see the header. It observes the master.

#include "operator/api_events.h"

#include "base/memory.h"
#include "operator/api_messages.h"
#include "operator/api_state.h"

#include <stdlib.h>

typedef Mesos__V1__Master__Event Event;
typedef Mesos__V1__Master__Event__Type Type;

#define TYPE(NAME) MESOS__V1__MASTER__EVENT__TYPE__##NAME
#define HEARTBEAT_SECONDS 15

struct api_events {
    struct master *master;
    struct observer observer;
    struct timer heartbeat;
    void (*send)(void *data, const Event *event);
    void *data;
};

bool api_events_subscribed(struct buffer *out, bool protobuf, const struct master *master)
{
    struct response_writer writer;
    response_writer_begin(&writer, out, protobuf, &mesos__v1__master__event__descriptor);
    response_writer_enum(&writer, "type", (int)TYPE(SUBSCRIBED));
    response_writer_open(&writer, "subscribed");
    response_writer_open(&writer, "get_state");
    api_state(&writer, master);
    response_writer_close(&writer);
    response_writer_double(&writer, "heartbeat_interval_seconds", HEARTBEAT_SECONDS);
    response_writer_close(&writer);
    return response_writer_finish(&writer);
}

static void emit(struct api_events *events, Event *event, Type type)
{
    event->has_type = true;
    event->type = type;
    events->send(events->data, event);
}

static void on_heartbeat(void *data)
{
    struct api_events *events = data;
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    timer_start(&events->heartbeat, HEARTBEAT_SECONDS * LOOP_SECOND);
    emit(events, &event, TYPE(HEARTBEAT));
}

// ---- what is observed ----

static void on_task_added(void *data, const struct task_record *record)
{
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__Master__Event__TaskAdded added = MESOS__V1__MASTER__EVENT__TASK_ADDED__INIT;
    added.task = task_record_message(record);
    event.task_added = &added;
    emit(data, &event, TYPE(TASK_ADDED));
    mesos__v1__task__free_unpacked(added.task, NULL);
}

static void on_task_updated(void *data, const char *framework_id, const struct task_record *record,
                            const struct status_update *update)
{
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    Mesos__V1__Master__Event__TaskUpdated updated = MESOS__V1__MASTER__EVENT__TASK_UPDATED__INIT;
    Mesos__V1__TaskStatus *status = status_update_message(update), bare = *status;
    bare.has_data = false;
    id.value = (char *)(uintptr_t)framework_id;
    updated.framework_id = &id;
    updated.status = &bare;
    updated.state = record->state;
    event.task_updated = &updated;
    emit(data, &event, TYPE(TASK_UPDATED));
    mesos__v1__task_status__free_unpacked(status, NULL);
}

static void on_agent_added(void *data, const struct node *node)
{
    static const struct usage unused;
    struct api_agent agent = {.pid = NULL};
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__Master__Event__AgentAdded added = MESOS__V1__MASTER__EVENT__AGENT_ADDED__INIT;
    api_messages_agent(&agent, node, &unused);
    added.agent = &agent.message;
    event.agent_added = &added;
    emit(data, &event, TYPE(AGENT_ADDED));
    api_messages_free_agent(&agent);
}

static void on_agent_removed(void *data, const struct node *node)
{
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__Master__Event__AgentRemoved removed = MESOS__V1__MASTER__EVENT__AGENT_REMOVED__INIT;
    id.value = node->id;
    removed.agent_id = &id;
    event.agent_removed = &removed;
    emit(data, &event, TYPE(AGENT_REMOVED));
}

// A framework as it is now; freed with free_framework().
struct framework_message {
    struct framework_view view;
    struct api_framework api;
};

static void describe_framework(struct framework_message *message,
                               const struct master_framework *framework)
{
    framework_json_view(&message->view, framework);
    api_messages_framework(&message->api, &message->view);
}

static void free_framework(struct framework_message *message)
{
    api_messages_free_framework(&message->api);
    framework_json_free(&message->view);
}

static void on_framework_added(void *data, const struct master_framework *framework)
{
    struct framework_message message;
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__Master__Event__FrameworkAdded added =
        MESOS__V1__MASTER__EVENT__FRAMEWORK_ADDED__INIT;
    describe_framework(&message, framework);
    added.framework = &message.api.message;
    event.framework_added = &added;
    emit(data, &event, TYPE(FRAMEWORK_ADDED));
    free_framework(&message);
}

static void on_framework_updated(void *data, const struct master_framework *framework)
{
    struct framework_message message;
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__Master__Event__FrameworkUpdated updated =
        MESOS__V1__MASTER__EVENT__FRAMEWORK_UPDATED__INIT;
    describe_framework(&message, framework);
    updated.framework = &message.api.message;
    event.framework_updated = &updated;
    emit(data, &event, TYPE(FRAMEWORK_UPDATED));
    free_framework(&message);
}

static void on_framework_removed(void *data, const struct master_framework *framework)
{
    Event event = MESOS__V1__MASTER__EVENT__INIT;
    Mesos__V1__Master__Event__FrameworkRemoved removed =
        MESOS__V1__MASTER__EVENT__FRAMEWORK_REMOVED__INIT;
    removed.framework_info = framework->info;
    event.framework_removed = &removed;
    emit(data, &event, TYPE(FRAMEWORK_REMOVED));
}

// ---- life ----

struct api_events *api_events_create(struct master *master,
                                     void (*send)(void *data, const Event *event), void *data)
{
    static const struct observer_events observed = {
        .task_added = on_task_added,
        .task_updated = on_task_updated,
        .agent_added = on_agent_added,
        .agent_removed = on_agent_removed,
        .framework_added = on_framework_added,
        .framework_updated = on_framework_updated,
        .framework_removed = on_framework_removed,
    };
    struct api_events *events = memory_new(sizeof *events);
    events->master = master;
    events->send = send;
    events->data = data;
    events->observer = (struct observer){.events = &observed, .data = events};
    timer_init(&events->heartbeat, master->loop, on_heartbeat, events);
    history_observe(master, &events->observer);
    on_heartbeat(events);
    return events;
}

void api_events_destroy(struct api_events *events)
{
    if (events == NULL)
        return;
    timer_stop(&events->heartbeat);
    history_forget(&events->observer);
    free(events);
}
