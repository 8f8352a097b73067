// SPDX-License-Identifier: Apache-2.0
//
// Connecting to a peer that needs nothing of libcurl: no TLS, no proxy, and an address in place of
// a name. libcurl costs the start of a program more than its own connections do, as it has OpenSSL
// read its configuration. What fails here is tried again by libcurl, which has the words for it.

#ifndef MESOS_LUA_NET_DIRECT_CONNECT_H
#define MESOS_LUA_NET_DIRECT_CONNECT_H

#include "net/url.h"

#include <stdbool.h>

// Begins to connect, without waiting. The socket, or -1: libcurl has to do it. It is writable when
// it is connected, or has failed.
int direct_connect_begin(const struct url *peer);

bool direct_connect_done(int socket); // False: it failed.

#endif
