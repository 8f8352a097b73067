// SPDX-License-Identifier: Apache-2.0
//
// A connection to ZooKeeper on our loop, and the session behind it: finds a server that answers,
// keeps the session alive, reconnects when the connection is lost, and begins a new session when
// the old one has expired or cannot be reached for too long; the names of the servers are looked up
// anew each time. It goes on for ever, unless the server refuses the credentials.
//
// A request that was accepted is answered once, unless the session is destroyed before. Nothing is
// called inside start(), and destroy() is legal in every callback. Nothing blocks.

#ifndef MESOS_LUA_LEADER_ZOOKEEPER_SESSION_H
#define MESOS_LUA_LEADER_ZOOKEEPER_SESSION_H

#include "base/bytes.h"
#include "base/error.h"
#include "leader/zookeeper_address.h"
#include "loop/loop.h"

struct zookeeper_session;

struct zookeeper_session_events {
    // Requests are accepted from now on. Everything watched has to be read again.
    void (*connected)(void *data);
    void (*disconnected)(void *data); // only after `connected`; it goes on by itself
    void (*changed)(void *data);      // something that was read has changed
    // The session is given up, and another one begins by itself; ephemeral nodes of the old one are
    // gone or will be when it has expired at the server. May be NULL.
    void (*expired)(void *data);
    void (*failed)(void *data, const struct error *reason); // nothing follows
};

enum zookeeper_result {
    ZOOKEEPER_OK,
    ZOOKEEPER_MISSING, // there is no such node, or none above the one to create
    ZOOKEEPER_EXISTS,  // the node to create is there already
    ZOOKEEPER_AGAIN,   // a temporary failure; the same request may succeed later
    ZOOKEEPER_REFUSED, // repeating it will not help
};

struct zookeeper_reply {
    enum zookeeper_result result;
    const char *reason; // in words, if it is not OK
    struct slice data;  // of read()
    const char *path;   // of add(): as the server named it
    char *const *names; // of children(), without the path
    size_t count;       // of names
};

typedef void (*zookeeper_on_reply)(void *data, const struct zookeeper_reply *reply);

// A session with the servers of `address`, which must outlive it. `timeout` is in seconds; the
// server may settle on another one.
struct zookeeper_session *
zookeeper_session_create(struct loop *loop, const struct zookeeper_address *address, double timeout,
                         const struct zookeeper_session_events *events, void *data);
void zookeeper_session_start(struct zookeeper_session *session);

// Closes the session at the server as well, if it is connected. NULL is fine.
void zookeeper_session_destroy(struct zookeeper_session *session);

// Requests. False: it is not connected, and the request is not accepted. A node that is read is
// watched: its next change is reported by `changed`, once.
bool zookeeper_session_children(struct zookeeper_session *session, const char *path,
                                zookeeper_on_reply on_reply, void *data);
bool zookeeper_session_read(struct zookeeper_session *session, const char *path,
                            zookeeper_on_reply on_reply, void *data);

// An empty node that stays. With credentials all users may read it, and only theirs may do more;
// without, all users may do everything.
bool zookeeper_session_make(struct zookeeper_session *session, const char *path,
                            zookeeper_on_reply on_reply, void *data);

// A node with data that goes with the session, its name completed by the server's next number.
bool zookeeper_session_add(struct zookeeper_session *session, const char *path, struct slice data,
                           zookeeper_on_reply on_reply, void *data_of_reply);

// Replaces the data of a node that stays.
bool zookeeper_session_write(struct zookeeper_session *session, const char *path, struct slice data,
                             zookeeper_on_reply on_reply, void *data_of_reply);

// A node with data that stays. With credentials only their user may read it.
bool zookeeper_session_keep(struct zookeeper_session *session, const char *path, struct slice data,
                            zookeeper_on_reply on_reply, void *data_of_reply);

double zookeeper_session_timeout(const struct zookeeper_session *session); // as settled, in seconds

// Why it is not connected, in a few words; "" if that is not known.
const char *zookeeper_session_problem(const struct zookeeper_session *session);

#endif
