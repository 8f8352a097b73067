// SPDX-License-Identifier: Apache-2.0
//
// The connections of an HTTP server: what each of them is doing, and since when. A connection that
// takes too long over a request, that ends in the middle of one, or that is one too many is closed,
// by a shutdown of its socket, which the server sees as its end. The server reports the states;
// this file knows sockets and no HTTP.
//
// Time is counted in ticks of a second in which the loop turned, so a loop that was kept busy does
// not close a client whose bytes it had no time to read.

#ifndef MESOS_LUA_NET_HTTP_PEERS_H
#define MESOS_LUA_NET_HTTP_PEERS_H

#include "loop/loop.h"

#include <stddef.h>

enum http_peer_state {
    HTTP_PEER_IDLE,      // between two requests
    HTTP_PEER_RECEIVING, // a request is not whole yet
    HTTP_PEER_ANSWERING, // it was answered, and the answer is being sent
    HTTP_PEER_ENDLESS,   // the same, and the answer has no end
    HTTP_PEER_CLOSED,    // its socket was shut down
};

struct http_peers;
struct http_peer;

struct http_peers_settings {
    const char *what; // for the log: "the local cluster"
    unsigned most;    // connections; half of these may be idle or receiving
    // A client has left: the server is to read what it may have sent. `context` is the peer's.
    void (*left)(void *data, void *context, bool endless);
    void *data;
};

struct http_peers *http_peers_create(struct loop *loop, const struct http_peers_settings *settings);
void http_peers_destroy(struct http_peers *peers); // when the last was removed; NULL is fine

// True if a connection may be accepted: not while many that were shut down are still to be closed.
bool http_peers_welcome(const struct http_peers *peers);

// A new connection, which has to send its first request. It, or the oldest silent one, is closed if
// there are too many, or too few descriptors left for the rest of the program.
struct http_peer *http_peers_add(struct http_peers *peers, int fd, void *context);
void http_peers_remove(struct http_peer *peer); // before its socket is closed

void http_peers_enter(struct http_peer *peer, enum http_peer_state state);
int http_peers_fd(const struct http_peer *peer);

// A piece of its request, whose body is in chunks, has been taken.
void http_peers_moved(struct http_peer *peer);

// The server has nothing to do at the moment: connections that ended in the middle of a request are
// closed.
void http_peers_settle(struct http_peers *peers);

// The server is busy without progress: the peers are closed of which it has read more than the
// framing of a chunk can need without a piece of a request, or else the one whose request takes the
// longest time.
void http_peers_unstick(struct http_peers *peers);

#endif
