// SPDX-License-Identifier: Apache-2.0
//
// The v1 scheduler API of a master of the local cluster by direct call: the peer of a transport of
// transport_direct.h. Calls and events are the same bytes, with the same checks, as over HTTP.
//
// It can fail as a server can, on command (faults.h): its stream breaks, stalls or is slow, calls
// are refused, no master leads.

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

// Everything takes the way that it takes over a connection: events are packed from messages, none
// of them in the encoding that the master has at hand, and pass the framing of RecordIO and its
// decoder; calls are packed anew. Before the first SUBSCRIBE.
void scheduler_direct_use_wire(struct scheduler_direct *direct);

// ---- faults ----

// The first two are false if that stream is not open.
bool scheduler_direct_cut(struct scheduler_direct *direct, const char *stream_id);
bool scheduler_direct_stall(struct scheduler_direct *direct, const char *stream_id, bool stalled);

void scheduler_direct_slow(struct scheduler_direct *direct, uint64_t delay); // of events and calls
void scheduler_direct_refuse(struct scheduler_direct *direct, int status, unsigned calls);

// No master leads any more, or again: without one the stream is cut, without the master's knowledge
// (master_failover.h), and all is answered with 503.
void scheduler_direct_lead(struct scheduler_direct *direct, bool leads);

#endif
