// SPDX-License-Identifier: Apache-2.0
//
// Addresses of ZooKeeper as users write them:
//
//     zk://[user:password@]host:port[,host:port...]/path
//
// The path begins at the first "/", user and password end at the last "@" in front of it. They are
// kept in one field and are in no text that this file writes.

#ifndef MESOS_LUA_LEADER_ZOOKEEPER_ADDRESS_H
#define MESOS_LUA_LEADER_ZOOKEEPER_ADDRESS_H

#include "base/error.h"
#include "net/url.h"

#define ZOOKEEPER_ADDRESS_SERVERS 32 // in one address
#define ZOOKEEPER_ADDRESS_LENGTH 4096

struct zookeeper_address {
    struct url servers[ZOOKEEPER_ADDRESS_SERVERS];
    size_t count;
    char *path;        // absolute, without a "/" at its end; never "/" alone
    char *credentials; // "user:password", or NULL
    char *name;        // for messages: "host:port,host:port/path"
};

// On failure there is nothing to free.
bool zookeeper_address_parse(struct zookeeper_address *address, const char *text,
                             struct error *err);
void zookeeper_address_free(struct zookeeper_address *address);

#endif
