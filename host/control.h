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

#ifndef MESOS_LUA_CONTROL_H
#define MESOS_LUA_CONTROL_H

#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

#include <jansson.h>
#include <sys/types.h>

enum { CONTROL_REQUEST = 1 << 20, CONTROL_CLIENTS = 16 };

struct control;
struct control_request; // one that is to be answered

// Must answer, once, then or later. What is given is valid during the call.
typedef void (*control_handler)(void *data, struct control_request *request, const char *command,
                                struct slice argument);

// Opens it at `path`, or, with NULL, where control_find() finds it by the process's id; there it
// can be found in either case, if possible. What hosts that ended left behind is removed.
struct control *control_open(struct loop *loop, const char *path, control_handler handler,
                             void *data, struct error *err);

// Removes the socket. Requests without an answer are still to be answered, which nobody hears.
void control_close(struct control *control); // NULL is fine

const char *control_path(const struct control *control);

// Ends the request. The reply is handed over.
void control_reply(struct control_request *request, json_t *reply);

// For clients: the path of the socket of that process, to be freed; NULL if there is none.
char *control_find(pid_t pid);

#endif
