// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the embedded master: the v1 scheduler endpoint with the checks, texts and
// framing of a real one, GET /health and GET /state. It runs on our loop, without a thread. If it
// requires credentials, only /health needs none.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_HTTP_H
#define MESOS_LUA_CLUSTER_CLUSTER_HTTP_H

#include "master/master.h"
#include "net/http_access.h"

struct cluster_http;

// The longest call: in protobuf from a client that is subscribed, and any other. JSON takes much
// more memory when it is parsed than as text.
#define CLUSTER_HTTP_CALL_LIMIT ((size_t)64 << 20)
#define CLUSTER_HTTP_SMALL_LIMIT ((size_t)4 << 20)

struct cluster_http_options {
    const char *listen;         // "ADDR:PORT", "[ADDR]:PORT" for IPv6; port 0 is any
    const char *hosts;          // its names in Host headers, besides the usual ones; or NULL
    struct http_access *access; // who may use it; owned from now on
};

// NULL and an error if it cannot listen there.
struct cluster_http *cluster_http_create(struct loop *loop,
                                         const struct cluster_http_options *options,
                                         struct error *err);

bool cluster_http_open(const struct cluster_http *http); // it requires no credentials

// True if other machines can reach it and it requires no credentials.
bool cluster_http_exposed(const struct cluster_http *http);

const char *cluster_http_address(const struct cluster_http *http); // "ADDR:PORT"
const char *cluster_http_ip(const struct cluster_http *http);
unsigned cluster_http_port(const struct cluster_http *http);

// Serves the agents of that master, wherever it leads.
void cluster_http_serve_agents(struct cluster_http *http, struct master *master);

// The master leads here, and calls are for it.
void cluster_http_lead(struct cluster_http *http, struct master *master);

// It does not lead here: all streams break, without a word to the master, and requests are
// redirected to the leader at "HOST:PORT", or refused with 503 and the reason if that is NULL. Both
// are copied.
void cluster_http_stand_by(struct cluster_http *http, const char *leader, const char *reason);

// The same, as if its process had died: requests get no answer, and their connections break. Those
// to agents, which are processes of their own, go on.
void cluster_http_die(struct cluster_http *http);

// Faults of single streams, by their ids, and of all. False: there is no such stream.
bool cluster_http_cut(struct cluster_http *http, const char *stream_id);
bool cluster_http_stall(struct cluster_http *http, const char *stream_id, bool stalled);
void cluster_http_slow(struct cluster_http *http, uint64_t delay); // of events; 0: none

// The next so many calls of schedulers are answered with this status and not carried out.
void cluster_http_refuse(struct cluster_http *http, int status, unsigned calls);

// Closes all connections without telling the master, which was destroyed before.
void cluster_http_destroy(struct cluster_http *http);

#endif
