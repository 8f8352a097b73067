// SPDX-License-Identifier: Apache-2.0
//
// What the endpoints of the cluster's HTTP server share. An endpoint is a row of the table of
// routes in http_routes.c, and functions in a file of its own.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_INTERNAL_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_INTERNAL_H

#include "cluster/cluster_http.h"
#include "cluster/record_stream.h"
#include "master/master_records.h"
#include "operator/state_document.h"
#include "wire/message_room.h"

struct cluster_http {
    struct master *master;  // NULL: it does not lead here
    struct master *agents;  // whose agents are served here, also while it does not lead
    char *leader, *reason;  // then: where to go, or why nowhere
    bool dead;              // then: it answers nothing
    unsigned refused_calls; // from now on
    int refused_status;
    struct http_server *server;
    struct http_access *access;
    struct record_streams streams;   // to schedulers
    struct record_streams executors; // to executors
    struct message_room room;        // of the call that is answered
};

struct api_events;

// The data of an exchange.
struct cluster_request {
    const struct http_route *route; // NULL: there is none
    bool allowed;                   // it may use the route
    bool waited;                    // as long as a fault wants
    const char *principal;          // that was authenticated, or NULL
    struct record_stream *stream;   // its answer, if that is one; destroyed with the request
    struct api_events *events;      // what that stream shows, or NULL
    unsigned agent;                 // whose endpoint is asked, by its number; 0: the master's
};

enum http_scope {
    HTTP_MASTER,    // "/path" and "/master/path"
    HTTP_AGENT,     // "/slave(N)/path"
    HTTP_ANY_SCOPE, // all of them
};

typedef void (*http_document)(struct json_writer *writer, const struct master *master,
                              const struct document_query *query);
typedef void (*http_agent_document)(struct json_writer *writer, const struct node *node,
                                    const struct document_query *query);

struct http_route {
    const char *path;
    const char *method; // or some, with ", " between
    const char *realm;  // NULL: it needs no credentials
    // How long its body may be; NULL: it has none.
    size_t (*limit)(const struct cluster_http *http, const struct http_exchange *exchange);
    enum MHD_Result (*answer)(struct cluster_http *http, struct http_exchange *exchange);
    enum http_scope scope;
    bool deeper; // paths below it are its, too
    // What operator_http_document() writes; of an agent the other one.
    http_document document;
    http_agent_document agent_document;
};

#endif
