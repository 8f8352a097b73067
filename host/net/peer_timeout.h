// SPDX-License-Identifier: Apache-2.0
//
// A time-out for a peer that counts only time in which the loop turned. The clock of a loop stands
// still during a turn, so time begins with the turn after the one in which peer_timeout_start() was
// called; and it begins again after the loop was kept busy.

#ifndef MESOS_LUA_NET_PEER_TIMEOUT_H
#define MESOS_LUA_NET_PEER_TIMEOUT_H

#include "loop/loop.h"

// `waited` is the time so far, in nanoseconds: either that is too long, or the owner calls
// peer_timeout_until() to be called again later.
typedef void (*peer_timeout_on_look)(void *data, uint64_t waited);

struct peer_timeout {
    struct timer timer;
    peer_timeout_on_look on_look;
    void *data;
    uint64_t begun; // when the time began
    uint64_t due;   // when `on_look` is to be called next; 0: the time begins with the next turn
};

void peer_timeout_init(struct peer_timeout *timeout, struct loop *loop,
                       peer_timeout_on_look on_look, void *data);
void peer_timeout_start(struct peer_timeout *timeout); // unless it has started
void peer_timeout_stop(struct peer_timeout *timeout);
void peer_timeout_until(struct peer_timeout *timeout, uint64_t waited);

// The peer has answered: the next peer_timeout_start() begins anew.
static inline void peer_timeout_renew(struct peer_timeout *timeout)
{
    timeout->due = 0;
}

#endif
