// SPDX-License-Identifier: Apache-2.0
//
// What an executor is sent; see custom_executor_internal.h.

#include "agent/custom_executor_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>

#define HEARTBEAT_INTERVAL (30 * 60 * LOOP_SECOND)

typedef Mesos__V1__Executor__Event Event;

#define TYPE(NAME) MESOS__V1__EXECUTOR__EVENT__TYPE__##NAME

static void send(struct custom_executor *custom, Event *event,
                 Mesos__V1__Executor__Event__Type type)
{
    const struct agent_executor *executor = custom->executor;
    event->has_type = true;
    event->type = type;
    if (custom->sink != NULL)
        custom->sink->event(custom->sink_data, event);
    else
        log_debug("an event for executor %s of framework %s is lost: it is not connected",
                  executor->id, executor->framework_id);
}

static void send_plain(struct custom_executor *custom, Mesos__V1__Executor__Event__Type type)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    send(custom, &event, type);
}

// ---- the connection ----

static void on_heartbeat(void *data)
{
    struct custom_executor *custom = data;
    timer_start(&custom->heartbeat, HEARTBEAT_INTERVAL);
    send_plain(custom, TYPE(HEARTBEAT));
}

void custom_events_init(struct custom_executor *custom)
{
    timer_init(&custom->heartbeat, custom->executor->agent->loop, on_heartbeat, custom);
}

void custom_events_lost(struct custom_executor *custom)
{
    custom->sink = NULL;
    timer_stop(&custom->heartbeat);
}

void custom_events_disconnect(struct custom_executor *custom)
{
    const struct agent_sink *sink = custom->sink;
    custom_events_lost(custom);
    if (sink != NULL)
        sink->end(custom->sink_data);
}

void custom_events_connect(struct custom_executor *custom, const struct agent_sink *sink,
                           void *data)
{
    custom_events_disconnect(custom);
    custom->sink = sink;
    custom->sink_data = data;
    timer_start(&custom->heartbeat, HEARTBEAT_INTERVAL);
}

void custom_events_turn_away(const struct agent_sink *sink, void *data)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    event.has_type = true;
    event.type = TYPE(SHUTDOWN);
    sink->event(data, &event);
    sink->end(data);
}

void custom_events_subscribed(struct custom_executor *custom)
{
    const struct agent_executor *executor = custom->executor;
    const struct bytes *info = executor->agent->info;
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Subscribed subscribed =
        MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
    Mesos__V1__ContainerID container = MESOS__V1__CONTAINER_ID__INIT;
    container.value = (char *)(uintptr_t)executor->container_id;
    subscribed.executor_info = executor->info;
    subscribed.framework_info = executor->framework;
    subscribed.agent_info = mesos__v1__agent_info__unpack(NULL, info->length, info->data);
    subscribed.container_id = &container;
    event.subscribed = &subscribed;
    send(custom, &event, TYPE(SUBSCRIBED));
    mesos__v1__agent_info__free_unpacked(subscribed.agent_info, NULL);
}

void custom_events_shutdown(struct custom_executor *custom)
{
    send_plain(custom, TYPE(SHUTDOWN));
}

// ---- tasks ----

void custom_events_acknowledged(struct custom_executor *custom, const Mesos__V1__TaskStatus *status)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Acknowledged acknowledged =
        MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;
    acknowledged.task_id = status->task_id;
    acknowledged.uuid = status->uuid;
    event.acknowledged = &acknowledged;
    send(custom, &event, TYPE(ACKNOWLEDGED));
}

void custom_events_launch(struct custom_executor *custom, const struct agent_task *task)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Launch message = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
    message.task = task->info;
    event.launch = &message;
    send(custom, &event, TYPE(LAUNCH));
}

static size_t list_group(const struct agent_executor *executor, uint64_t group,
                         Mesos__V1__TaskInfo **list)
{
    const struct agent_task *task;
    size_t count = 0;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        if (task->group != group)
            continue;
        if (list != NULL)
            list[count] = task->info;
        count++;
    }
    return count;
}

void custom_events_launch_group(struct custom_executor *custom, uint64_t group)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__LaunchGroup message =
        MESOS__V1__EXECUTOR__EVENT__LAUNCH_GROUP__INIT;
    Mesos__V1__TaskGroupInfo tasks = MESOS__V1__TASK_GROUP_INFO__INIT;
    tasks.n_tasks = list_group(custom->executor, group, NULL);
    tasks.tasks = memory_new(tasks.n_tasks * sizeof *tasks.tasks);
    list_group(custom->executor, group, tasks.tasks);
    message.task_group = &tasks;
    event.launch_group = &message;
    send(custom, &event, TYPE(LAUNCH_GROUP));
    free(tasks.tasks);
}

void custom_events_kill(struct custom_executor *custom, const struct agent_task *task,
                        const Mesos__V1__KillPolicy *policy)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Kill message = MESOS__V1__EXECUTOR__EVENT__KILL__INIT;
    message.task_id = task->info->task_id;
    message.kill_policy = (Mesos__V1__KillPolicy *)(uintptr_t)policy;
    event.kill = &message;
    send(custom, &event, TYPE(KILL));
}

void custom_events_message(struct custom_executor *custom, const ProtobufCBinaryData *bytes)
{
    Event event = MESOS__V1__EXECUTOR__EVENT__INIT;
    Mesos__V1__Executor__Event__Message text = MESOS__V1__EXECUTOR__EVENT__MESSAGE__INIT;
    text.data = *bytes;
    event.message = &text;
    send(custom, &event, TYPE(MESSAGE));
}
