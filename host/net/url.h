// SPDX-License-Identifier: Apache-2.0
//
// Addresses of masters as users write them and as masters name each other in redirects. A name or
// address behind "name@" is taken, the name dropped ("master@10.0.0.1:5050" is how masters print
// themselves); "user:password@" is kept apart and is in no text that this file writes.
//
// Detectors that know both name and address of a master write "https://name:port#ip": the
// connection goes to the ip, the certificate has to be that of the name.

#ifndef MESOS_LUA_NET_URL_H
#define MESOS_LUA_NET_URL_H

#include "base/error.h"

#include <stdint.h>

#define URL_PORT 5050 // of a master

struct url {
    bool scheme;    // was written
    bool tls;       // https
    bool ipv6;      // `host` belongs in brackets
    char host[256]; // a name or an address, without brackets
    char ip[46];    // where to connect, or empty: look `host` up
    uint16_t port;
    char user[128], password[128]; // both empty without "user:password@"; "%3a" and the like are
                                   // left as they are
};

#define URL_ADDRESS 350 // room for url_address()

// Reads "host:port", "http://host[:port][/]" or "https://host[:port][/]", with "#ip" behind it or
// not; an IPv6 host stands in brackets. The port of http and https may be left out and is URL_PORT
// then, since masters listen there and not on 80. The error quotes the address without its
// password.
bool url_parse(struct url *url, const char *text, struct error *err);

// Reads "host:port" alone, as a server in a list; "name@" is not taken. The error does not quote
// the whole text.
bool url_parse_server(struct url *url, const char *text, struct error *err);

// Reads the Location of a redirect that `base` answered with: a full URL, "//host:port" or
// "host:port", each with or without a path, or a path alone. Scheme, if it is left out, is that of
// `base`; a port that is left out is the scheme's own (80, 443). The path is not kept: it is known.
// User and password are never taken from a redirect.
bool url_resolve(struct url *url, const struct url *base, const char *location, struct error *err);

// Writes "http://host:port" or "https://host:port"; returns `text`. The second one adds "#ip" where
// there is one.
const char *url_address(const struct url *url, char text[URL_ADDRESS]);
const char *url_leader(const struct url *url, char text[URL_ADDRESS]);

// True if it is this machine: 127.0.0.0/8, ::1, localhost, or a name that ends in ".localhost".
bool url_is_loopback(const struct url *url);

#endif
