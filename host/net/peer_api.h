// SPDX-License-Identifier: Apache-2.0
//
// The API that an event stream and the calls beside it speak to: the scheduler API of a master, or
// the executor API of an agent. They differ in where they are, and in the ids of streams.

#ifndef MESOS_LUA_NET_PEER_API_H
#define MESOS_LUA_NET_PEER_API_H

#include <stdbool.h>

struct peer_api {
    const char *peer;   // what messages call it: "master"
    const char *path;   // "/api/v1/scheduler"
    const char *socket; // the Unix domain socket to connect to, or NULL: the address says where
    bool stream_ids;    // an accepted SUBSCRIBE has a Mesos-Stream-Id, which all calls carry
};

extern const struct peer_api peer_api_master; // what NULL stands for in options

#endif
