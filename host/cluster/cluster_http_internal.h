// SPDX-License-Identifier: Apache-2.0
//
// What the endpoints of the cluster's HTTP server share. An endpoint is a row of the table of
// routes in cluster_http.c, and functions in a file of its own.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_INTERNAL_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_INTERNAL_H

#include "cluster/cluster_http.h"
#include "cluster/record_stream.h"

struct cluster_http {
    struct master *master;  // NULL: it does not lead here
    char *leader, *reason;  // then: where to go, or why nowhere
    uint64_t delay;         // of events
    unsigned refused_calls; // from now on
    int refused_status;
    struct http_server *server;
    struct http_access *access;
    struct record_streams streams;
};

// The data of an exchange.
struct cluster_request {
    const struct http_route *route; // NULL: there is none
    bool allowed;                   // it may use the route
    const char *principal;          // that was authenticated, or NULL
    struct record_stream *stream;   // its answer, if that is one; destroyed with the request
};

struct http_route {
    const char *path;
    const char *method; // or two, with ", " between
    const char *realm;  // NULL: it needs no credentials
    // How long its body may be; NULL: it has none.
    size_t (*limit)(const struct cluster_http *http, const struct http_exchange *exchange);
    enum MHD_Result (*answer)(struct cluster_http *http, struct http_exchange *exchange);
};

#endif
