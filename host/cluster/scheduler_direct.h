// SPDX-License-Identifier: Apache-2.0
//
// The v1 scheduler API of a master of the local cluster by direct call: the peer of a transport of
// transport_direct.h. Calls and events are the same bytes, with the same checks, as over HTTP.

#ifndef MESOS_LUA_CLUSTER_SCHEDULER_DIRECT_H
#define MESOS_LUA_CLUSTER_SCHEDULER_DIRECT_H

#include "loop/loop.h"
#include "master/master.h"
#include "mesos/transport.h"

// A transport to that master, which must outlive it. `name` tells it from the other transports of
// that master, in the ids of its streams, and is copied.
struct transport *scheduler_direct_create(struct loop *loop, struct master *master,
                                          const char *name);

#endif
