// SPDX-License-Identifier: Apache-2.0
//
// Which requests a server on this machine may take, by their Host and Origin. A page in a browser
// can make requests to any address; if its own name is made to resolve to that address (DNS
// rebinding) it can read the answers as well. The Host then has the name of the page, and an Origin
// shows in any case that a page made the request.

#ifndef MESOS_LUA_NET_HTTP_GUARD_H
#define MESOS_LUA_NET_HTTP_GUARD_H

#include <netinet/in.h>
#include <stdbool.h>

enum { HTTP_GUARD_WORDS = 512 };

struct http_guard {
    char ip[INET6_ADDRSTRLEN]; // where the server listens
    const char *named;         // the same as it was given, "" or a name; not owned, as the next
    const char *hosts;         // more names, "a,b", or NULL
    bool anywhere;             // it listens on all addresses
    bool loopback;             // on one that only this machine can reach
    char machine[256];         // this machine's own name
};

// `named` and `hosts` outlive it.
void http_guard_init(struct http_guard *guard, const char *ip, const char *named,
                     const char *hosts);

// True if a request with that Host, or with that Origin, may be taken. If not, `words` says which
// option allows it.
bool http_guard_host(const struct http_guard *guard, const char *host,
                     char words[HTTP_GUARD_WORDS]);
bool http_guard_origin(const struct http_guard *guard, const char *origin,
                       char words[HTTP_GUARD_WORDS]);

#endif
