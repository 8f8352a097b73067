// SPDX-License-Identifier: Apache-2.0
//
// Headers of HTTP as a table: their names are in it in small letters, and may be asked for in any;
// what comes several times is one value, joined by commas.

#ifndef MESOS_LUA_BINDINGS_LIB_HTTP_HEADERS_H
#define MESOS_LUA_BINDINGS_LIB_HTTP_HEADERS_H

#include "base/bytes.h"

#include <lua.h>

void http_headers_open(lua_State *L); // [-0, +0, m]

// Adds a header to the table at the top. // [-0, +0, m]
void http_headers_add(lua_State *L, struct slice name, struct slice value);

// Makes the table at the top one of headers. // [-0, +0, m]
void http_headers_adopt(lua_State *L);

// True if it may be the name of a header, or a method.
bool http_headers_is_token(const char *text);

#endif
