// SPDX-License-Identifier: Apache-2.0
//
// Agents that are lost and come back, and what frameworks hear of it, in the words of a real
// master. The rooms above make agents fail with these functions.
//
// While an agent is not registered, its offers have ended and the master knows none of its tasks.
// What the agent itself still knows is kept in `absent` of the node: the tasks that it reports when
// it registers again. A framework that is removed meanwhile leaves its tasks there without a
// framework, and the agent ends them when it is back.

#ifndef MESOS_LUA_MASTER_AGENT_LOSS_H
#define MESOS_LUA_MASTER_AGENT_LOSS_H

#include "master/master_records.h"

// The process of the agent has died, which the master notices at once: its offers are rescinded.
// Tasks of frameworks that do not checkpoint are lost and end; the others live on. The agent is
// unreachable when the time-out has passed.
void agent_loss_kill(struct node *node);

// The agent does not answer any more: it is frozen, or behind a broken network. The master notices
// when the time-out has passed, and messages to it wait until then.
void agent_loss_silence(struct node *node);

// The operator has marked it gone: it is gone for good, and so are its tasks.
void agent_loss_mark_gone(struct node *node);

// It has unregistered, or is removed for another cause, which is part of the message: the node goes
// with it. False and an error if it is not registered.
bool agent_loss_remove(struct node *node, const char *cause, struct error *err);

// It answers again and registers, if it must, with the tasks that it has. False and an error if it
// never comes back.
bool agent_loss_return(struct node *node, struct error *err);

// A framework is going to be destroyed: its absent tasks lose it.
void agent_loss_forget_framework(struct master_framework *framework);

// The task of that name which the agent has and the master does not know; or NULL.
struct master_task *agent_loss_absent(const struct node *node, const char *framework_id,
                                      const char *task_id);

void agent_loss_init(struct node *node);
void agent_loss_free(struct node *node); // it is in no list any more

#endif
