// SPDX-License-Identifier: Apache-2.0
//
// mesos.http(request): asks a web server, waits for its answer, and returns it. What is under way
// ends with its script.

#ifndef MESOS_LUA_BINDINGS_LIB_HTTP_H
#define MESOS_LUA_BINDINGS_LIB_HTTP_H

#include "script/script.h"

// Adds the function to the module's table at the top. // [-0, +0, e]
void http_open(lua_State *L, struct script *script);

#endif
