// SPDX-License-Identifier: Apache-2.0
//
// The control socket of a running host: a unix socket that only its user can reach. The folder and
// the socket are the owner's alone, and who connects is looked at once more; root may, too.
//
// A client sends lines and gets a line for each, in order; the next is looked at when the one
// before has been answered. A request is an object in JSON,
//
//     {"command": "eval", "argument": "1 + 1"}
//
// or, for people at a terminal, the command and its argument in plain words: `eval 1 + 1`. The
// reply is an object in JSON,
//
//     {"ok": true, "output": "2\n"}
//     {"ok": false, "error": "eval:1: ...", "output": "what it printed before", "incomplete": true}
//
// where `output` and `incomplete` (more lines of code are expected) may be missing. Longer requests
// than CONTROL_REQUEST bytes are refused. When more than CONTROL_CLIENTS are connected the one that
// has been silent for the longest time has to go; the host never waits for any of them.
//
// While Lua code keeps the loop from turning, control_serve() does the requests that need no turn
// of it; the others stay where they are. A client that goes away before its answer, which is more
// than to say that it will send nothing else, is told of (control_request_follow).

#ifndef MESOS_LUA_OPS_CONTROL_H
#define MESOS_LUA_OPS_CONTROL_H

#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

#include <jansson.h>
#include <sys/types.h>

enum { CONTROL_REQUEST = 1 << 20, CONTROL_CLIENTS = 16 };

struct control;
struct control_request; // one that is to be answered

struct control_events {
    // Must answer, once, then or later. What is given is valid during the call.
    void (*handle)(void *data, struct control_request *request, const char *command,
                   struct slice argument);

    // May that be done inside of control_serve()?
    bool (*ready)(void *data, const char *command);
};

// Opens it at `path`, or, with NULL, where control_find() finds it by the process's id; there it
// can be found in either case, if possible. What hosts that ended left behind is removed.
struct control *control_open(struct loop *loop, const char *path,
                             const struct control_events *events, void *data, struct error *err);

// Removes the socket. Requests without an answer are still to be answered, which nobody hears.
void control_close(struct control *control); // NULL is fine

// Removes nothing but the socket's name, at the end of a process that takes no other steps; also in
// the handler of a signal.
void control_unlink(const struct control *control);

const char *control_path(const struct control *control);

// Looks at the clients without the loop, for a host in the midst of something that takes long.
void control_serve(struct control *control);

// Calls `left` when the client goes away before the answer, which is to be given all the same. It
// must not give it inside the call.
void control_request_follow(struct control_request *request, void (*left)(void *data), void *data);

// Ends the request. The reply is handed over.
void control_reply(struct control_request *request, json_t *reply);

// For clients: the path of the socket of that process, to be freed; NULL if there is none. `user`
// is the process's; whose the folder of the path is is for the client to look at.
char *control_find(pid_t pid, uid_t *user);

#endif
