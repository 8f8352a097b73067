// SPDX-License-Identifier: Apache-2.0
//
// A master that stands for election in ZooKeeper, as a master of Mesos does: it has an ephemeral
// node under the path of a zk:// address, "json.info_" and a number, which holds what it says about
// itself. The lowest number leads. A contender whose session has ended enters anew, behind the
// others.

#ifndef MESOS_LUA_LEADER_CONTENDER_H
#define MESOS_LUA_LEADER_CONTENDER_H

#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

struct contender;

// Each may destroy the contender.
struct contender_events {
    // It is about to enter: what its node is to hold, valid until the next call.
    struct slice (*announce)(void *data);
    void (*entered)(void *data);                            // its node is there
    void (*elected)(void *data);                            // its number is the lowest
    void (*lost)(void *data, const char *reason);           // after `elected`; it enters anew
    void (*failed)(void *data, const struct error *reason); // nothing follows
};

// NULL and `err` if the address is wrong. `timeout` is that of the session, in seconds.
struct contender *contender_create(struct loop *loop, const char *address, double timeout,
                                   const struct contender_events *events, void *data,
                                   struct error *err);
void contender_start(struct contender *contender);

// Withdraws at once, and enters anew after so many seconds. `lost` is not called.
void contender_resign(struct contender *contender, double seconds);

void contender_destroy(struct contender *contender); // withdraws; NULL is fine

#endif
