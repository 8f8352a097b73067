// SPDX-License-Identifier: Apache-2.0
//
// Access to a server of ours: a request must have one of the Authorization headers that the server
// knows. They come from the same files that clients have, or are one random token that the server
// made.

#ifndef MESOS_LUA_NET_HTTP_ACCESS_H
#define MESOS_LUA_NET_HTTP_ACCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_ACCESS_TOKEN = 64 }; // characters of a token of our own

struct http_access;

struct http_access_principal {
    const char *principal, *secret;
};

// At most one of the first three; without any of them every request is allowed.
struct http_access_options {
    const char *token;           // the token itself
    const char *token_file;      // a bearer token
    const char *credential_file; // one or more principals with their secrets

    // Further ones. With a token file or a credential file they are refused.
    const struct http_access_principal *principals;
    size_t principal_count;
};

// NULL, and an error that names the option, when a file cannot be used.
struct http_access *http_access_create(const struct http_access_options *options,
                                       struct error *err);
void http_access_destroy(struct http_access *access); // NULL is fine

bool http_access_open(const struct http_access *access); // every request is allowed

// `authorization` is the header's value, or NULL. `principal` is set to the principal of it, or to
// NULL for a token.
bool http_access_allows(const struct http_access *access, const char *authorization,
                        const char **principal);

// The scheme that clients have to use: "Basic" or "Bearer".
const char *http_access_scheme(const struct http_access *access);

// A random token.
bool http_access_make_token(char token[HTTP_ACCESS_TOKEN + 1], struct error *err);

#endif
