// SPDX-License-Identifier: Apache-2.0
//
// The updates of one task, in their order, until the framework acknowledges them: the first is sent
// again after 10 s, 20 s and so on up to 10 minutes, the others wait behind it.

#ifndef MESOS_LUA_AGENT_TASK_UPDATES_H
#define MESOS_LUA_AGENT_TASK_UPDATES_H

#include "agent/status_update.h"
#include "loop/loop.h"

// Sends an update to the framework, for the first time or again.
typedef void (*task_updates_send)(void *data, struct status_update *update);

// A member of its owner, so it has no memory of its own but that of the updates, which have the
// timer: most of the time none waits.
struct task_updates {
    struct loop *loop;
    task_updates_send send;
    void *data;
    TAILQ_HEAD(task_updates_queue, status_update) queue;
};

void task_updates_init(struct task_updates *updates, struct loop *loop, task_updates_send send,
                       void *data);

// Takes the reference of an update with a uuid, and sends it if none waits before it. Checks go on
// while a framework does not acknowledge: of their results that wait behind the first update only
// the latest is kept.
void task_updates_add(struct task_updates *updates, struct status_update *update);

// True if the first update has that uuid. It is dropped; `state` is its state. The next one is to
// be sent with task_updates_resend().
bool task_updates_acknowledge(struct task_updates *updates, const ProtobufCBinaryData *uuid,
                              Mesos__V1__TaskState *state);

void task_updates_resend(struct task_updates *updates); // sends the first, if there is one
void task_updates_clear(struct task_updates *updates);  // drops all; nothing is sent any more

#endif
