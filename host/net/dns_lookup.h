// SPDX-License-Identifier: Apache-2.0
//
// Host names to addresses without blocking the loop: all names of a list at once, on libuv's pool,
// since the resolver of the C library waits. What is an address already is taken as it is.

#ifndef MESOS_LUA_NET_DNS_LOOKUP_H
#define MESOS_LUA_NET_DNS_LOOKUP_H

#include "loop/loop.h"
#include "net/url.h"

#define DNS_LOOKUP_ADDRESSES 64 // that one lookup finds; what is more is left out

struct dns_lookup_address {
    char host[46]; // IPv4 or IPv6, without brackets
    uint16_t port;
};

struct dns_lookup;

// `problem` is why a name was not found, if one was not, else NULL. With a count of 0 none was.
typedef void (*dns_lookup_on_done)(void *data, const struct dns_lookup_address *addresses,
                                   size_t count, const char *problem);

// Begins; `on_done` is called once, later, and the lookup is gone from then on: it must not be
// cancelled there. One name that takes long does not hold up the others: after a few seconds it
// ends with what it has, if it has any.
struct dns_lookup *dns_lookup_start(struct loop *loop, const struct url *servers, size_t count,
                                    dns_lookup_on_done on_done, void *data);

// Ends it without a call. NULL is fine.
void dns_lookup_cancel(struct dns_lookup *lookup);

#endif
