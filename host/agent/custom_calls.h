// SPDX-License-Identifier: Apache-2.0
//
// What an executor that is a program of a framework calls: it subscribes, perhaps again, and
// reports its tasks. agent_calls.h has checked the calls.

#ifndef MESOS_LUA_AGENT_CUSTOM_CALLS_H
#define MESOS_LUA_AGENT_CUSTOM_CALLS_H

#include "agent/agent_records.h"

void custom_calls_subscribe(struct agent_executor *executor,
                            const Mesos__V1__Executor__Call__Subscribe *subscribe,
                            const struct agent_sink *sink, void *data);
void custom_calls_update(struct agent_executor *executor, const Mesos__V1__TaskStatus *status);
void custom_calls_disconnected(struct agent_executor *executor); // its client has left

#endif
