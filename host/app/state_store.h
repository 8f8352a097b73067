// SPDX-License-Identifier: Apache-2.0
//
// Stores the framework id and mesos.state over restarts in the file of --state, or with --elect in
// ZooKeeper, for the next leader. What it promises of the file:
//
// - The id of a framework is on the disk before the script hears of the registration.
// - No call leaves the process before mesos.state, as it was when the call was made or later, is on
//   the disk: calls go through the barrier of the store. An update is therefore acknowledged, and a
//   task launched, only when what the script noted of it is safe.
// - The file is replaced as a whole. A file that cannot be read, or is not one of ours, is never
//   overwritten.
//
// Many calls share one write, and writing takes at most a fifth of the time. Without calls a
// changed state is written after a second at the latest, and at the end.
//
// While the disk refuses, calls wait, and the write is tried again every second. A state that
// cannot be stored (it holds a function) is the script's mistake and delays nothing: the error is
// logged, and the file keeps the last state that could be stored.
//
// ZooKeeper answers later, which makes the first promise weaker there: the script may hear of its
// registration before the id is safe, but no call leaves before. No call leaves once the process
// may have lost the leadership.

#ifndef MESOS_LUA_APP_STATE_STORE_H
#define MESOS_LUA_APP_STATE_STORE_H

#include "base/bytes.h"
#include "base/error.h"
#include "leader/election.h"
#include "loop/loop.h"
#include "mesos/call_barrier.h"
#include "script/script.h"

struct state_store;

// Locks and reads the file. NULL and `err` if it cannot be used; then nothing was changed.
struct state_store *state_store_open(struct loop *loop, const char *path, struct error *err);

// The same in ZooKeeper. The elector leads, and outlives the store.
struct state_store *state_store_open_shared(struct loop *loop, struct election *elector,
                                            struct error *err);

// The process has lost the leadership: calls that wait, and all that follow, are given up.
void state_store_fence(struct state_store *store);

// True if no write to ZooKeeper is in flight or due. A document that ZooKeeper rejected does not
// count.
bool state_store_idle(const struct state_store *store);

// True if the last snapshot is known to be stored.
bool state_store_safe(const struct state_store *store);

void state_store_close(struct state_store *store); // NULL is fine

// Of the framework; empty if there is none.
struct slice state_store_framework_id(const struct state_store *store);

// The new id, or none if it is empty, is on the disk when this returns true.
bool state_store_set_framework_id(struct state_store *store, struct slice id, struct error *err);

// Gives the stored mesos.state to a script that is not loaded yet.
bool state_store_restore(struct state_store *store, struct script *script, struct error *err);

// From now on the mesos.state of this script is stored; NULL: that of none, the stored one stays.
void state_store_follow(struct state_store *store, struct script *script);

// For call_barrier_transport_create().
struct call_barrier *state_store_barrier(struct state_store *store);

// Writes the current state to the disk if it has changed; to ZooKeeper, starts to do so.
bool state_store_save(struct state_store *store, struct error *err);

#endif
