// SPDX-License-Identifier: Apache-2.0
//
// A time-out for a peer that counts only time in which the loop turned. The clock of a loop stands
// still during a turn, so time begins with the turn after the one in which patience_start() was
// called; and it begins again after the loop was kept busy.

#ifndef MESOS_LUA_NET_PATIENCE_H
#define MESOS_LUA_NET_PATIENCE_H

#include "loop/loop.h"

// `waited` is the time so far, in nanoseconds: either that is too long, or the owner calls
// patience_until() to be called again later.
typedef void (*patience_on_look)(void *data, uint64_t waited);

struct patience {
    struct timer timer;
    patience_on_look on_look;
    void *data;
    uint64_t begun; // when the time began
    uint64_t due;   // when `on_look` is to be called next; 0: the time begins with the next turn
};

void patience_init(struct patience *patience, struct loop *loop, patience_on_look on_look,
                   void *data);
void patience_start(struct patience *patience); // unless it has started
void patience_stop(struct patience *patience);
void patience_until(struct patience *patience, uint64_t waited);

// The peer has answered: the next patience_start() begins anew.
static inline void patience_renew(struct patience *patience)
{
    patience->due = 0;
}

#endif
