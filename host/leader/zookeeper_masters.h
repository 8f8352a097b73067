// SPDX-License-Identifier: Apache-2.0
//
// What masters write into ZooKeeper: each has a node of its own under one path, whose name ends in
// a sequence number; the lowest number leads. The name's label tells what the node holds. Nothing
// here does I/O.

#ifndef MESOS_LUA_LEADER_ZOOKEEPER_MASTERS_H
#define MESOS_LUA_LEADER_ZOOKEEPER_MASTERS_H

#include "base/bytes.h"
#include "base/error.h"
#include "net/url.h"

enum zookeeper_masters_label {
    ZOOKEEPER_MASTERS_NONE, // not the node of a master: there is no number in its name
    ZOOKEEPER_MASTERS_JSON, // "json.info_0000000007": MasterInfo in JSON, as masters write today
    ZOOKEEPER_MASTERS_PROTOBUF, // "info_0000000007": MasterInfo in protobuf
    ZOOKEEPER_MASTERS_PID,      // "0000000007": "master@10.0.0.1:5050"
    ZOOKEEPER_MASTERS_UNKNOWN,  // a number behind a label that masters do not use
};

struct zookeeper_masters {
    enum zookeeper_masters_label label;
    int32_t sequence; // may have wrapped around and be negative
};

struct zookeeper_masters zookeeper_masters_parse(const char *name);

// Which of the names is the leader's: an index, or -1 if there is none.
ptrdiff_t zookeeper_masters_leader(char *const *names, size_t count);

// Where the master is that wrote `data`. The host is its IP address if the node has one, since
// names of masters do not resolve everywhere; `hostname` is what it calls itself, or "".
bool zookeeper_masters_read(enum zookeeper_masters_label label, struct slice data,
                            struct url *address, char hostname[sizeof((struct url *)0)->host],
                            struct error *err);

#endif
