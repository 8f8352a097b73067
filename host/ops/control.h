// SPDX-License-Identifier: Apache-2.0
//
// The control socket of a running host: a unix socket that only its user, and root, can use. The
// folder and the socket are accessible to their owner only, and the user of each client is checked
// when it connects.
//
// A client sends lines and gets a line for each, in order; a line is processed when the one before
// it has been answered. A request is an object in JSON,
//
//     {"command": "eval", "argument": "1 + 1"}
//
// or, for people at a terminal, the command and its argument in plain words: `eval 1 + 1`. The
// reply is an object in JSON,
//
//     {"ok": true, "output": "2\n"}
//     {"ok": false, "error": "eval:1: ...", "output": "what it printed before", "incomplete": true}
//
// where `output` and `incomplete` (more lines of code are expected) may be missing. Requests of
// more than CONTROL_REQUEST bytes are refused. When more than CONTROL_CLIENTS are connected, the
// one that has been silent for the longest time is disconnected; the host never waits for any of
// them.
//
// While Lua code keeps the loop from turning, control_serve() carries out the requests that need no
// turn of it; the others wait. control_request_follow() reports a client that disconnects before
// its answer; a client that only shuts down its sending side has not disconnected.

#ifndef MESOS_LUA_OPS_CONTROL_H
#define MESOS_LUA_OPS_CONTROL_H

#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

#include <jansson.h>
#include <sys/types.h>

enum { CONTROL_REQUEST = 1 << 20, CONTROL_CLIENTS = 16 };

struct control;
struct control_request; // one that has not been answered

struct control_events {
    // Must answer with control_reply(), once, inside the call or later. `command` and `argument`
    // are valid during the call.
    void (*handle)(void *data, struct control_request *request, const char *command,
                   struct slice argument);

    // True if the command may be carried out inside control_serve().
    bool (*ready)(void *data, const char *command, struct slice argument);
};

// Opens the socket at `path`; NULL: where control_paths_find() finds it by the process's id. With
// another path a link is made there, if possible. Sockets that hosts which ended left there are
// removed.
struct control *control_open(struct loop *loop, const char *path,
                             const struct control_events *events, void *data, struct error *err);

// Removes the socket and ends all clients. Requests that were not answered must still be; these
// answers are discarded.
void control_close(struct control *control); // NULL is fine

// Removes the socket's name and does nothing else, for a process that exits without cleaning up.
// Legal in a signal handler.
void control_unlink(const struct control *control);

const char *control_path(const struct control *control);

// Serves the clients without the loop, for a host inside a call that takes long.
void control_serve(struct control *control);

// Calls `left` if the client disconnects before the answer. The answer must be given all the same,
// but not inside `left`.
void control_request_follow(struct control_request *request, void (*left)(void *data), void *data);

// Answers and frees the request. Takes ownership of the reply.
void control_reply(struct control_request *request, json_t *reply);

#endif
