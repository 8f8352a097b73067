// SPDX-License-Identifier: Apache-2.0
//
// What masters write into ZooKeeper: each has a node of its own under one path, whose name ends in
// a sequence number; the lowest number leads. The name's label tells what the node holds. Nothing
// here does I/O.

#ifndef MESOS_LUA_MESOS_MASTER_NODE_H
#define MESOS_LUA_MESOS_MASTER_NODE_H

#include "base/bytes.h"
#include "base/error.h"
#include "net/url.h"

enum master_node_label {
    MASTER_NODE_NONE,     // not the node of a master: there is no number in its name
    MASTER_NODE_JSON,     // "json.info_0000000007": MasterInfo in JSON, as masters write today
    MASTER_NODE_PROTOBUF, // "info_0000000007": MasterInfo in protobuf
    MASTER_NODE_PID,      // "0000000007": "master@10.0.0.1:5050"
    MASTER_NODE_UNKNOWN,  // a number behind a label that masters do not use
};

struct master_node {
    enum master_node_label label;
    int32_t sequence; // may have wrapped around and be negative
};

struct master_node master_node_parse(const char *name);

// Which of the names is the leader's: an index, or -1 if there is none.
ptrdiff_t master_node_leader(char *const *names, size_t count);

// Where the master is that wrote `data`. The host is its IP address if the node has one, since
// names of masters do not resolve everywhere; `hostname` is what it calls itself, or "".
bool master_node_read(enum master_node_label label, struct slice data, struct url *address,
                      char hostname[sizeof((struct url *)0)->host], struct error *err);

#endif
