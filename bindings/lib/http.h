// SPDX-License-Identifier: Apache-2.0
//
// mesos.http(request): asks a web server, waits for its answer, and returns it. What is under way
// ends with its script.

#ifndef MESOS_LUA_BINDINGS_LIB_HTTP_H
#define MESOS_LUA_BINDINGS_LIB_HTTP_H

#include <lua.h>

void http_push(lua_State *L); // the function; behind http_open() // [-0, +1, m]

void http_open(lua_State *L); // the types of its userdata // [-0, +0, m]

#endif
