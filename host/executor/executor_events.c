// SPDX-License-Identifier: Apache-2.0
//
// Events of an agent as callbacks with arguments: see executor_events.h. One row for each type.

#include "executor/executor_events.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/executor/executor.pb-c.h"

#define TYPE(name) MESOS__V1__EXECUTOR__EVENT__TYPE__##name

struct executor_event_row {
    uint32_t field; // of Event, with the message of this type; 0: it has none
    enum executor_event_kind kind;
    enum executor_callback callback;
    void (*read)(struct slice message, struct executor_event *event);
};

static void read_subscribed(struct slice message, struct executor_event *event)
{
    event->executor_info = wire_find(message, FIELD_EXECUTOR_EVENT_SUBSCRIBED_EXECUTOR_INFO);
    event->framework_info = wire_find(message, FIELD_EXECUTOR_EVENT_SUBSCRIBED_FRAMEWORK_INFO);
    event->agent_info = wire_find(message, FIELD_EXECUTOR_EVENT_SUBSCRIBED_AGENT_INFO);
}

static void read_launch(struct slice message, struct executor_event *event)
{
    event->message = wire_find(message, FIELD_EXECUTOR_EVENT_LAUNCH_TASK);
}

static void read_group(struct slice message, struct executor_event *event)
{
    event->message = wire_find(message, FIELD_EXECUTOR_EVENT_LAUNCH_GROUP_TASK_GROUP);
}

static void read_kill(struct slice message, struct executor_event *event)
{
    event->task_id = wire_text(wire_find(message, FIELD_EXECUTOR_EVENT_KILL_TASK_ID));
    event->message = wire_find(message, FIELD_EXECUTOR_EVENT_KILL_KILL_POLICY);
}

static void read_acknowledged(struct slice message, struct executor_event *event)
{
    event->task_id = wire_text(wire_find(message, FIELD_EXECUTOR_EVENT_ACKNOWLEDGED_TASK_ID));
    event->data = wire_find(message, FIELD_EXECUTOR_EVENT_ACKNOWLEDGED_UUID);
}

static void read_message(struct slice message, struct executor_event *event)
{
    event->data = wire_find(message, FIELD_EXECUTOR_EVENT_MESSAGE_DATA);
}

static void read_error(struct slice message, struct executor_event *event)
{
    event->data = wire_find(message, FIELD_EXECUTOR_EVENT_ERROR_MESSAGE);
}

#define ROW(name, callback, read)                                                                  \
    [TYPE(name)] = {FIELD_EXECUTOR_EVENT_##name, EXECUTOR_EVENT_CALLBACK, callback, read}

static const struct executor_event_row rows[] = {
    ROW(SUBSCRIBED, EXECUTOR_REGISTERED, read_subscribed),
    ROW(LAUNCH, EXECUTOR_LAUNCH_TASK, read_launch),
    ROW(LAUNCH_GROUP, EXECUTOR_LAUNCH_GROUP, read_group),
    ROW(KILL, EXECUTOR_KILL_TASK, read_kill),
    [TYPE(ACKNOWLEDGED)] = {FIELD_EXECUTOR_EVENT_ACKNOWLEDGED, EXECUTOR_EVENT_ACKNOWLEDGED, 0,
                            read_acknowledged},
    ROW(MESSAGE, EXECUTOR_FRAMEWORK_MESSAGE, read_message),
    ROW(ERROR, EXECUTOR_ERROR, read_error),
    [TYPE(SHUTDOWN)] = {0, EXECUTOR_EVENT_CALLBACK, EXECUTOR_SHUTDOWN, NULL},
};

enum executor_event_kind executor_events_read(struct bytes *record, int32_t type,
                                              struct executor_event *event)
{
    *event = (struct executor_event){.block = record};
    if (type < 0 || (size_t)type >= sizeof rows / sizeof *rows)
        return EXECUTOR_EVENT_IGNORED;
    const struct executor_event_row *row = &rows[type];
    event->callback = row->callback;
    if (row->read == NULL)
        return row->kind;
    struct slice message = wire_find(slice_of(record), row->field);
    if (message.data == NULL)
        return EXECUTOR_EVENT_IGNORED;
    row->read(message, event);
    return row->kind;
}

bool executor_events_next_task(struct slice *group, struct slice *task)
{
    return wire_next_bytes(group, FIELD_TASK_GROUP_INFO_TASKS, task);
}

const char *executor_events_name(enum executor_callback callback)
{
    static const char *const names[EXECUTOR_CALLBACKS] = {
        [EXECUTOR_REGISTERED] = "registered",
        [EXECUTOR_REREGISTERED] = "reregistered",
        [EXECUTOR_DISCONNECTED] = "disconnected",
        [EXECUTOR_LAUNCH_TASK] = "launchTask",
        [EXECUTOR_LAUNCH_GROUP] = "launchGroup",
        [EXECUTOR_KILL_TASK] = "killTask",
        [EXECUTOR_FRAMEWORK_MESSAGE] = "frameworkMessage",
        [EXECUTOR_SHUTDOWN] = "shutdown",
        [EXECUTOR_ERROR] = "error",
    };
    return names[callback];
}
