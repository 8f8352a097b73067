// SPDX-License-Identifier: Apache-2.0
//
// The link between the master and an agent: whatever the master tells an agent goes through it, so
// that it can be slow, held up or cut. What an agent reports is heard only while the link is up; it
// repeats its updates by itself.
//
// Messages are delivered in their order. A link holds at most NODE_LINK_MOST of them, and drops
// what comes after that.

#ifndef MESOS_LUA_MASTER_NODE_LINK_H
#define MESOS_LUA_MASTER_NODE_LINK_H

#include "master/master_records.h"

#define NODE_LINK_MOST 100000

// Carries a message out at the agent. The framework may be gone by then; the message may be NULL.
typedef void (*node_link_deliver)(struct node *node, const char *framework_id,
                                  const ProtobufCMessage *message);

// Delivers at once, or copies the message and delivers it when the link is up again, or drops it.
void node_link_send(struct node *node, const char *framework_id, const ProtobufCMessage *message,
                    node_link_deliver deliver);

void node_link_init(struct node *node);

bool node_link_hears(const struct node *node); // true if the master hears what the agent reports

void node_link_hold(struct node *node);   // nothing arrives, but nothing is lost
void node_link_resume(struct node *node); // the link is up: what was held is delivered
void node_link_cut(struct node *node);    // nothing arrives; what was held is lost
void node_link_drop(struct node *node);   // what was held is lost; the link stays as it is

#endif
