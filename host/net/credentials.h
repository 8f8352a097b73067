// SPDX-License-Identifier: Apache-2.0
//
// How we authenticate to a master: a principal and its secret (HTTP basic), or a token. They come
// from options, from the address of a master, or from files, which are read again when they may
// have changed. All connections to the same master share one set of credentials.
//
// No text that this file writes contains a secret.

#ifndef MESOS_LUA_NET_CREDENTIALS_H
#define MESOS_LUA_NET_CREDENTIALS_H

#include "base/error.h"
#include "net/url.h"

#include <stdbool.h>

// All may be NULL. A principal alone names the framework and is not authenticated.
struct credentials_options {
    const char *principal;
    const char *secret;          // the secret itself
    const char *secret_file;     // a file with it
    const char *credential_file; // principal and secret: JSON, or two words
    const char *token_file;      // a token, "Bearer ..." or "token=..."
    const char *token;           // the token itself, which takes precedence over all of the above
    bool name_only;              // the principal is wanted, and nothing but `token` is sent
    const char *redirect_hosts;  // "a,b" or "*": where redirects may take them, or NULL
};

struct credentials;

// NULL, and an error that names the option, when a file cannot be read or holds what no master can
// take.
struct credentials *credentials_create(const struct credentials_options *options,
                                       struct error *err);
struct credentials *credentials_ref(struct credentials *credentials);
void credentials_unref(struct credentials *credentials); // NULL is fine

// Uses user and password of an address, unless it has none or others are set already.
bool credentials_use_url(struct credentials *credentials, const struct url *url, struct error *err);

// Reads the files again. True: credentials_header() has changed. A file that cannot be used now
// changes nothing, and is logged once.
bool credentials_refresh(struct credentials *credentials);

const char *credentials_principal(const struct credentials *credentials); // or NULL
const char *credentials_header(const struct credentials *credentials); // "Authorization: ...", NULL

// All principals that such a credential_file names, with the header that each of them sends.
bool credentials_list(const char *path,
                      void (*each)(void *data, const char *principal, const char *header),
                      void *data, struct error *err);

// `host` is a master, according to an address that was given or to a detector: redirects there may
// carry the credentials.
void credentials_trust(struct credentials *credentials, const char *host);

// True if they may be sent to `to`, to which `from` redirects.
bool credentials_follow(const struct credentials *credentials, const char *from, const char *to);

// They are about to be sent to `master`: warns, once, if the connection is not encrypted.
void credentials_warn(struct credentials *credentials, const struct url *master);

// What a 401 or 403 means, and what to do; `challenge` is the WWW-Authenticate of the answer or
// NULL. `credentials` may be NULL.
void credentials_explain(const struct credentials *credentials, int status, const char *challenge,
                         char *text, size_t size);

#endif
