// SPDX-License-Identifier: Apache-2.0
//
// The failover of the master: another one takes over, at another address or at the same one. It has
// an id of its own, and counts frameworks and offers anew. What it knows at first is in the
// registry: which agents there are. The rest it learns from those who register: agents bring their
// tasks, and frameworks, which subscribe with their ids, all else. A new master without a registry
// does not even know the agents.
//
// A framework that has tasks on agents is `remembered` by these until it subscribes, or until the
// first of these agents registers; then the new master knows it, too.

#ifndef MESOS_LUA_MASTER_MASTER_FAILOVER_H
#define MESOS_LUA_MASTER_MASTER_FAILOVER_H

#include "master/master_records.h"

// The old master is gone. All subscriptions must have ended without a word to it: its sinks are
// not called any more.
void master_failover_begin(struct master *master, bool forget);

// The new master answers at that port from now on, under this id, a uuid, or a new one for NULL.
// Agents that can be reached register within a second.
void master_failover_end(struct master *master, const char *id, unsigned port);

void master_failover_init(struct master *master);
void master_failover_stop(struct master *master); // and forgets what agents remember

#endif
