// SPDX-License-Identifier: Apache-2.0
//
// What the agent has of an executor that is a program, and what the files about it share:
// custom_executor.c has its process, custom_events.c what it is sent, custom_calls.c what it says,
// custom_container.c what its container may use.

#ifndef MESOS_LUA_AGENT_CUSTOM_EXECUTOR_INTERNAL_H
#define MESOS_LUA_AGENT_CUSTOM_EXECUTOR_INTERNAL_H

#include "agent/agent_executor.h"
#include "agent/agent_updates.h"
#include "agent/task_volumes.h"
#include "net/http_access.h"

enum { CUSTOM_REMEMBERED = 64 }; // uuids of updates that came last

struct custom_executor {
    struct agent_executor *executor;
    struct sandbox_run run;
    struct task_volumes volumes; // those that its sandbox has
    char *fault;                 // why it is destroyed, or NULL
    char *sandbox, *latest;
    struct runner_alias aliases[2]; // the last is empty
    struct agent_updates_container container;
    char token[HTTP_ACCESS_TOKEN + 1]; // empty: it needs none
    const struct agent_sink *sink;     // NULL: it is not connected
    void *sink_data;
    struct timer registration, heartbeat;
    char *late; // why it is ended: it did not register in time; NULL: it is not
    uint8_t seen[CUSTOM_REMEMBERED][UUID_LENGTH];
    size_t seen_count; // the next goes to this, modulo CUSTOM_REMEMBERED
};

// ---- custom_events.c: what it is sent; an event is lost while it is not connected ----

void custom_events_init(struct custom_executor *custom);

// Its events go to the sink from now on; a former one ends.
void custom_events_connect(struct custom_executor *custom, const struct agent_sink *sink,
                           void *data);
void custom_events_disconnect(struct custom_executor *custom); // the sink ends, if there is one
void custom_events_lost(struct custom_executor *custom);       // the sink has ended

void custom_events_turn_away(const struct agent_sink *sink, void *data); // a sink that is not used

void custom_events_subscribed(struct custom_executor *custom);
void custom_events_acknowledged(struct custom_executor *custom,
                                const Mesos__V1__TaskStatus *status);
void custom_events_launch(struct custom_executor *custom, const struct agent_task *task);
void custom_events_launch_group(struct custom_executor *custom, uint64_t group);
void custom_events_kill(struct custom_executor *custom, const struct agent_task *task,
                        const Mesos__V1__KillPolicy *policy);
void custom_events_message(struct custom_executor *custom, const ProtobufCBinaryData *bytes);
void custom_events_shutdown(struct custom_executor *custom);

// ---- custom_container.c: what its container may use, which changes with its tasks ----

// Of the executor and its tasks, in bytes, and no less than an agent gives a container.
uint64_t custom_container_memory(const struct agent_executor *executor);
void custom_container_adapt_memory(struct custom_executor *custom);

// The sandbox gets the volumes of the task, or of the group. False, and the executor ends, as on a
// real agent, if that fails.
bool custom_container_add_volumes(struct custom_executor *custom, const struct agent_task *task);
bool custom_container_add_volumes_of_group(struct custom_executor *custom, uint64_t group);

void custom_container_task_ended(struct custom_executor *custom); // it needs less

#endif
