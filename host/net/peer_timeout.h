// SPDX-License-Identifier: Apache-2.0
//
// A time-out for a peer that counts only time in which the loop turned: while a callback keeps the
// loop busy, the answer may be in the socket, unread. When the time is over the loop turns once
// more, which reads what is there, before the owner is asked; and the time begins again after the
// loop was kept busy for long.

#ifndef MESOS_LUA_NET_PEER_TIMEOUT_H
#define MESOS_LUA_NET_PEER_TIMEOUT_H

#include "loop/loop.h"

// `waited` is the time so far, in nanoseconds: either that is too long, or the owner calls
// peer_timeout_until() to be called again later.
typedef void (*peer_timeout_on_look)(void *data, uint64_t waited);

enum peer_timeout_state {
    PEER_TIMEOUT_IDLE,
    PEER_TIMEOUT_RUNNING, // until `due`
    PEER_TIMEOUT_OVER,    // the loop turns once more
    PEER_TIMEOUT_ANSWERED // the peer has answered, and nothing else is waited for yet
};

struct peer_timeout {
    struct timer timer;
    peer_timeout_on_look on_look;
    void *data;
    enum peer_timeout_state state;
    uint64_t begun; // when the time began
    uint64_t due;   // when `on_look` is to be called next
};

void peer_timeout_init(struct peer_timeout *timeout, struct loop *loop,
                       peer_timeout_on_look on_look, void *data);

// Calls `on_look` with 0, unless it has started.
void peer_timeout_start(struct peer_timeout *timeout);
void peer_timeout_stop(struct peer_timeout *timeout);
void peer_timeout_until(struct peer_timeout *timeout, uint64_t waited);

// The peer has answered: the next peer_timeout_start() begins anew.
void peer_timeout_renew(struct peer_timeout *timeout);

#endif
