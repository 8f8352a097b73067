// SPDX-License-Identifier: Apache-2.0
//
// How long a peer is waited for. The clock of a loop stands still during a turn, so time begins
// with the turn behind the one in which patience_start() was called; and it begins again when the
// loop was kept busy and was not there to see it pass.

#ifndef MESOS_LUA_NET_PATIENCE_H
#define MESOS_LUA_NET_PATIENCE_H

#include "loop/loop.h"

// `waited` so far, in the unit of the loop's clock: either that is too long, or patience_until()
// says when to look again.
typedef void (*patience_on_look)(void *data, uint64_t waited);

struct patience {
    struct timer timer;
    patience_on_look on_look;
    void *data;
    uint64_t begun; // since when it is waited
    uint64_t due;   // when it was to be looked at next; 0: a new turn begins
};

void patience_init(struct patience *patience, struct loop *loop, patience_on_look on_look,
                   void *data);
void patience_start(struct patience *patience); // unless it has started
void patience_stop(struct patience *patience);
void patience_until(struct patience *patience, uint64_t waited);

// What was waited for has come: the next patience_start() begins anew.
static inline void patience_renew(struct patience *patience)
{
    patience->due = 0;
}

#endif
