// SPDX-License-Identifier: Apache-2.0
//
// Host names to addresses without blocking the loop: all names of a list at once, on libuv's pool,
// since the resolver of the C library waits. Addresses are used as they are.

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

// `problem` says why a name was not found, or is NULL if all were. With a count of 0 none was
// found.
typedef void (*dns_lookup_on_done)(void *data, const struct dns_lookup_address *addresses,
                                   size_t count, const char *problem);

// Starts; `on_done` is called once, later, and the lookup is freed by then: it must not be
// cancelled there. A slow name does not hold up the others: after a few seconds the lookup ends
// with the addresses that it has, if any.
struct dns_lookup *dns_lookup_start(struct loop *loop, const struct url *servers, size_t count,
                                    dns_lookup_on_done on_done, void *data);

// Ends it without a call. NULL is fine.
void dns_lookup_cancel(struct dns_lookup *lookup);

#endif
