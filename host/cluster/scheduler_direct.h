// SPDX-License-Identifier: Apache-2.0
//
// The v1 scheduler API of a master of the local cluster by direct call: the peer of a transport of
// transport_direct.h. Calls and events are the same bytes, with the same checks, as over HTTP.

#ifndef MESOS_LUA_CLUSTER_SCHEDULER_DIRECT_H
#define MESOS_LUA_CLUSTER_SCHEDULER_DIRECT_H

#include "master/master.h"
#include "mesos/transport_direct.h"

// The peer, whose data is a `struct scheduler_direct *`. For one that stands in front of it, these
// functions may be called by that one's; the transport is that of the SUBSCRIBE.
extern const struct transport_direct_peer scheduler_direct_peer;

struct scheduler_direct;

// One for each transport, which frees it when it is destroyed. `name` tells it from the others of
// that master, in the ids of its streams, and is copied. The master must outlive the transport.
struct scheduler_direct *scheduler_direct_create(struct master *master, const char *name);

#endif
