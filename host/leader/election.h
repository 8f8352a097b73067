// SPDX-License-Identifier: Apache-2.0
//
// One of several processes leads: an election in ZooKeeper, and the document that the leader hands
// on to the next. Under the path of a zk:// address stand
//
//     PATH/candidate-<random>_<number>   one a process, ephemeral; the lowest number leads
//     PATH/state                         the document
//
// The leader asks ZooKeeper for its own node again and again. From the moment in which it sent a
// question that was answered, the server keeps its session for a whole time-out; it leads for two
// thirds of that and is then lost, unless a later question was answered. So it has stopped before
// another process can be elected, even if the connection is lost. And since the document is written
// in the session of the node, the writes of a leader whose session has ended are refused.

#ifndef MESOS_LUA_LEADER_ELECTION_H
#define MESOS_LUA_LEADER_ELECTION_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "leader/zookeeper_session.h"
#include "loop/loop.h"

enum { ELECTION_DOCUMENT_MOST = 900 * 1000 }; // ZooKeeper takes no more than a megabyte

struct election;

// Each may destroy the election.
struct election_events {
    void (*elected)(void *data);                            // once
    void (*lost)(void *data, const char *reason);           // after `elected`; nothing follows
    void (*failed)(void *data, const struct error *reason); // nothing follows
};

// NULL and `err` if the address is wrong. `timeout` is that of the session, in seconds; 0: 10.
struct election *election_create(struct loop *loop, const char *address, double timeout,
                                 const struct election_events *events, void *data,
                                 struct error *err);
void election_start(struct election *election);

// Withdraws: the next candidate leads. NULL is fine.
void election_destroy(struct election *election);

const char *election_name(const struct election *election); // "host:port/path", for messages

// True if it leads at this moment by the clock, not by the time of the turn of the loop.
bool election_leads(const struct election *election);

// The document as it was at the election; empty: there is none.
struct slice election_document(const struct election *election);

// Replaces the document; one at a time. False: there is no connection, or another one is being
// written; nothing was done.
bool election_write(struct election *election, struct slice document, zookeeper_on_reply on_reply,
                    void *data);

#endif
