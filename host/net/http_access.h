// SPDX-License-Identifier: Apache-2.0
//
// Who may use a server of ours: those that send one of the Authorization headers that it knows. It
// knows them from the files that clients have as well, or it is one random token that it made
// itself.

#ifndef MESOS_LUA_NET_HTTP_ACCESS_H
#define MESOS_LUA_NET_HTTP_ACCESS_H

#include "base/error.h"

#include <stdbool.h>

enum { HTTP_ACCESS_TOKEN = 64 }; // characters of a token of our own

struct http_access;

// At most one of them; all NULL: everybody may.
struct http_access_options {
    const char *token;           // itself
    const char *token_file;      // a bearer token
    const char *credential_file; // one or more principals with their secrets
};

// NULL, and an error that names the option, when a file cannot be used.
struct http_access *http_access_create(const struct http_access_options *options,
                                       struct error *err);
void http_access_destroy(struct http_access *access); // NULL is fine

bool http_access_open(const struct http_access *access); // nothing is asked for

// `authorization` is the header's value, or NULL. `principal` is set to who that is, or to NULL if
// that does not say.
bool http_access_allows(const struct http_access *access, const char *authorization,
                        const char **principal);

// The scheme that clients are asked for: "Basic" or "Bearer".
const char *http_access_scheme(const struct http_access *access);

// A random token.
bool http_access_make_token(char token[HTTP_ACCESS_TOKEN + 1], struct error *err);

#endif
