// SPDX-License-Identifier: Apache-2.0
//
// The v1 executor API of an agent, without its HTTP: which calls are valid, and what they do, in
// the order and with the words of a real agent.

#ifndef MESOS_LUA_AGENT_AGENT_CALLS_H
#define MESOS_LUA_AGENT_AGENT_CALLS_H

#include "agent/agent.h"
#include "base/error.h"

struct agent_executor;

// Checks the contents of a call; the error is the body of the response with status 400.
bool agent_calls_validate(const Mesos__V1__Executor__Call *call, struct error *err);

// The executor of that call, a program that runs, or NULL. `framework` is set to true if the agent
// has executors of the framework that it finds; else it is left as it is.
struct agent_executor *agent_calls_find(const struct agent *agent,
                                        const Mesos__V1__Executor__Call *call, bool *framework);

// The same also of executors whose framework was removed. It looks at all that the agent has.
struct agent_executor *agent_calls_search(const struct agent *agent,
                                          const Mesos__V1__Executor__Call *call, bool *framework);

bool agent_calls_subscribed(const struct agent_executor *executor); // it has been, at least once

// True if executors have to authenticate themselves and this is the token of that one.
bool agent_calls_token_is(const struct agent_executor *executor, const char *token);

// True if it is the token of any executor of the agent that runs.
bool agent_calls_knows_token(const struct agent *agent, const char *token);

// Carries out SUBSCRIBE. The first event is emitted before it returns. The sink stays in use until
// its `end` is called, or agent_calls_disconnected().
void agent_calls_subscribe(struct agent_executor *executor, const Mesos__V1__Executor__Call *call,
                           const struct agent_sink *sink, void *data);
void agent_calls_disconnected(struct agent_executor *executor); // its client has left

// Carries out UPDATE or MESSAGE.
void agent_calls_carry_out(struct agent_executor *executor, const Mesos__V1__Executor__Call *call);

#endif
