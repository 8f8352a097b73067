// SPDX-License-Identifier: Apache-2.0
//
// The masters of the local cluster: each listens at an address of its own, one leads, and the
// others send clients to it. There is one master behind them (master/master.h), which moves to the
// next address when it fails over.
//
// With ZooKeeper each of them is a contender (leader/contender.h) under an id of its own, and the
// one that is elected leads; clients with a zk:// address find it. If another process stands for
// election at the same path and is elected, none of these leads.

#ifndef MESOS_LUA_CLUSTER_MASTERS_H
#define MESOS_LUA_CLUSTER_MASTERS_H

#include "cluster/cluster_http.h"

#define MASTERS_MOST 9

struct masters;

struct masters_options {
    unsigned count;     // up to MASTERS_MOST
    const char *listen; // of the first; the others take the following ports, or any for port 0
    const char *hosts;
    const char *zk;    // zk://host/path, or NULL
    double zk_timeout; // of the sessions, in seconds
    struct http_access_options access;
};

// All listen when it returns; the first is going to lead.
struct masters *masters_create(struct loop *loop, const struct masters_options *options,
                               struct error *err);
void masters_serve(struct masters *masters, struct master *master); // once

struct cluster_http *masters_leading(const struct masters *masters); // or the last that led
const char *masters_addresses(const struct masters *masters);        // "A,B,C"

// The leader is gone at once. After so many seconds the others notice it, as they do when its
// session with ZooKeeper has ended; until then they redirect to it. The next one leads a moment
// later. False if there is none at the moment.
bool masters_fail_over(struct masters *masters, bool forget, double seconds, struct error *err);

void masters_stop(struct masters *masters); // no failover goes on
void masters_destroy(struct masters *masters);

#endif
