// SPDX-License-Identifier: Apache-2.0
//
// Which callback an event of an agent belongs to, and where in its bytes the arguments of the
// callback are. Pure functions over bytes that wire_accept() has accepted.

#ifndef MESOS_LUA_EXECUTOR_EXECUTOR_EVENTS_H
#define MESOS_LUA_EXECUTOR_EXECUTOR_EVENTS_H

#include "base/bytes.h"

enum executor_callback {
    EXECUTOR_REGISTERED,        // executor_info, framework_info, agent_info
    EXECUTOR_REREGISTERED,      // agent_info
    EXECUTOR_DISCONNECTED,      //
    EXECUTOR_LAUNCH_TASK,       // message = TaskInfo
    EXECUTOR_LAUNCH_GROUP,      // message = TaskGroupInfo
    EXECUTOR_KILL_TASK,         // task_id, message = KillPolicy, or data NULL
    EXECUTOR_FRAMEWORK_MESSAGE, // data
    EXECUTOR_SHUTDOWN,          //
    EXECUTOR_ERROR,             // data = the text
    EXECUTOR_CALLBACKS
};

const char *executor_events_name(enum executor_callback callback); // "launchTask"

struct executor_event {
    enum executor_callback callback;
    struct bytes *block;  // what the slices point into; NULL for events of the driver's own
    struct slice message; // which fields are set: see the list above
    struct slice executor_info, framework_info, agent_info, task_id, data;
};

enum executor_event_kind {
    EXECUTOR_EVENT_IGNORED,      // an event of an unknown type, or one without its message
    EXECUTOR_EVENT_ACKNOWLEDGED, // task_id, data = the uuid
    EXECUTOR_EVENT_CALLBACK,     // all others: the callback is set, and its arguments
};

// Fills `event` from a record whose Event.Type is `type`; the slices point into it, and the block
// is set without a reference.
enum executor_event_kind executor_events_read(struct bytes *record, int32_t type,
                                              struct executor_event *event);

// The next task (TaskInfo) of a TaskGroupInfo: advances `group`. False at the end.
bool executor_events_next_task(struct slice *group, struct slice *task);

#endif
