// SPDX-License-Identifier: Apache-2.0
//
// mesos.serve: a script as an HTTP server.

#ifndef MESOS_LUA_BINDINGS_LIB_SERVE_H
#define MESOS_LUA_BINDINGS_LIB_SERVE_H

#include <lua.h>

struct scheduler_environment;

//   mesos.serve { address =, handler =, tls = { cert =, key = }, hosts =, limit =, requests =,
//                 timeout = } -> server, or nil, message, code
//   server.address        "ADDR:PORT", with the real port
//   server:close()        takes no more requests; what has begun is answered
//
// Each request is a call of the handler in a routine of its own. An error in it is a 500 and is in
// the log. Pushes the function; its services are those of the environment. // [-0, +1, m]
void serve_push(lua_State *L, struct scheduler_environment *environment);

// What a script in the sandbox has instead: it raises. // [-0, +1, -]
void serve_push_refused(lua_State *L);

void serve_open(lua_State *L); // [-0, +0, e]

#endif
