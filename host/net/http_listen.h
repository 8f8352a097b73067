// SPDX-License-Identifier: Apache-2.0
//
// The listening socket of an HTTP server, from its address as text.

#ifndef MESOS_LUA_NET_HTTP_LISTEN_H
#define MESOS_LUA_NET_HTTP_LISTEN_H

#include "base/error.h"

// Splits "ADDR:PORT" or "[ADDR]:PORT" into two texts to be freed.
bool http_listen_split(const char *text, char **host, char **port, struct error *err);

// A socket that listens there, or -1 and an error, and errno. Port 0 is any. With `numeric` no name
// is looked up, which could block: the address is in numbers, or "localhost".
int http_listen_open(const char *text, bool numeric, struct error *err);

#endif
