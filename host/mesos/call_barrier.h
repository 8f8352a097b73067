// SPDX-License-Identifier: Apache-2.0
//
// A barrier in front of transports: calls wait until its owner lets them pass. So no decision of a
// script leaves the process before the script's state is stored. The order of the calls stays.
// Streams, and SUBSCRIBE with them, do not wait, but the owner may refuse to have one opened.

#ifndef MESOS_LUA_MESOS_CALL_BARRIER_H
#define MESOS_LUA_MESOS_CALL_BARRIER_H

#include "mesos/transport.h"

#include <sys/queue.h>

struct call_barrier {
    void (*waiting)(void *data); // a call waits: called for each; must not open the barrier
    bool (*admits)(void *data, struct error *err); // true if a stream may be opened; NULL: always
    void *data;
    uint64_t calls; // that have waited so far: the number of the last one
    LIST_HEAD(, call_barrier_transport) transports; // behind it
};

// `admits` is NULL then.
void call_barrier_init(struct call_barrier *barrier, void (*waiting)(void *data), void *data);

// True if a call waits.
bool call_barrier_waiting(const struct call_barrier *barrier);

// Sends on all calls that wait.
void call_barrier_open(struct call_barrier *barrier);

// Sends on the calls that wait, up to the one of that number (see `calls`).
void call_barrier_open_to(struct call_barrier *barrier, uint64_t number);

// Drops all calls that wait, as if the stream had been closed.
void call_barrier_refuse(struct call_barrier *barrier);

// `inner` is handed over. The barrier must outlive the transport.
struct transport *call_barrier_transport_create(struct call_barrier *barrier,
                                                struct transport *inner);

#endif
