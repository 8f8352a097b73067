// SPDX-License-Identifier: Apache-2.0
//
// Keeps the framework id and mesos.state in the file of --state, over restarts, or with --elect in
// ZooKeeper, for the next leader. What it promises of the file:
//
// - The id of a framework is on the disk before anybody hears of the registration.
// - No call leaves the process before mesos.state, as it was when the call was made or later, is on
//   the disk: calls go through the keeper's gate. So an update is acknowledged, and a task
//   launched, only when what the script noted of it is safe.
// - The file is replaced as a whole. One that cannot be read, or is somebody else's, is never
//   overwritten.
//
// Many calls share one write, and writing takes at most a fifth of the time. Without calls a
// changed state is written after a second at the latest, and at the end.
//
// While the disk refuses, calls wait, and it is tried again every second. A state that cannot be
// kept (it holds a function) is the script's mistake and holds up nothing: the error is logged, and
// the file keeps the last one that could be.

// ZooKeeper answers later, so that there the first promise is weaker: the script may hear of its
// registration before the id is safe, but no call leaves before. And no call leaves once the
// process may lead no more.

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

// The same in ZooKeeper. The elector leads, and outlives the keeper.
struct state_store *state_store_open_shared(struct loop *loop, struct election *elector,
                                            struct error *err);

// The process leads no more: calls that wait, and all that follow, are given up.
void state_store_fence(struct state_store *keeper);

// Is nothing on its way to ZooKeeper? What it does not take is not.
bool state_store_idle(const struct state_store *keeper);

// Is the state of the last look there, as far as is known?
bool state_store_safe(const struct state_store *keeper);

void state_store_close(struct state_store *keeper); // NULL is fine

// Of the framework; empty if there is none.
struct slice state_store_framework_id(const struct state_store *keeper);

// The new id, or none if it is empty, is on the disk when this returns true.
bool state_store_set_framework_id(struct state_store *keeper, struct slice id, struct error *err);

// Gives a script that is not loaded yet the mesos.state of the file.
bool state_store_restore(struct state_store *keeper, struct script *script, struct error *err);

// From now on the mesos.state of this script is kept; NULL: that of none, what is kept stays.
void state_store_follow(struct state_store *keeper, struct script *script);

// For call_barrier_transport_create().
struct call_barrier *state_store_barrier(struct state_store *keeper);

// Brings the state of now to the disk if it has changed; to ZooKeeper, sets out to do so.
bool state_store_save(struct state_store *keeper, struct error *err);

#endif
