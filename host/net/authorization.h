// SPDX-License-Identifier: Apache-2.0
//
// The Authorization header that a client sends: a copy of that of its credentials, which may change
// while the client still needs the old one. It is overwritten before its memory is freed.

#ifndef MESOS_LUA_NET_AUTHORIZATION_H
#define MESOS_LUA_NET_AUTHORIZATION_H

#include "net/credentials.h"

struct authorization {
    char *header; // "Authorization: ...", or NULL: none is sent
};

// Copies the current header of the credentials, which may be NULL. True: it has changed.
bool authorization_renew(struct authorization *authorization,
                         const struct credentials *credentials);
void authorization_forget(struct authorization *authorization);

#endif
