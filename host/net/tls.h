// SPDX-License-Identifier: Apache-2.0
//
// TLS to a master: what we demand of it and show to it, and what a handshake that failed means to
// whoever has to mend it. libcurl does the work, on OpenSSL; this file tells it how, and listens in
// on the handshake, since libcurl keeps to itself most of what it learns there.
//
// The master's certificate is verified, against the host of its address, unless `insecure`.

#ifndef MESOS_LUA_NET_TLS_H
#define MESOS_LUA_NET_TLS_H

#include "base/error.h"

#include <stddef.h>

// Everything may be left out. The texts belong to whoever made the options and outlive every use.
struct tls_options {
    const char *ca_file, *ca_path; // authorities, in PEM; without both, those of the system
    const char *cert, *key;       // of the client, in PEM; without a key, it is in the file of cert
    const char *ciphers, *curves; // in the words of OpenSSL; NULL: its own choice
    long depth;                   // authorities between the master and a trusted one; 0: any
    bool insecure;                // takes any certificate
    bool no_tls_1_2, no_tls_1_3;  // older ones are never spoken
};

// Can the files be read, and do they hold what they should? Names the option of the one that is
// wrong.
bool tls_check(const struct tls_options *options, struct error *err);

struct tls;

struct tls *tls_create(const struct tls_options *options); // NULL: all defaults; they are copied
void tls_destroy(struct tls *tls); // after the connections that it was used for

// Prepares a libcurl handle (a CURL *) whose connection is the only one of `tls` at a time.
void tls_apply(struct tls *tls, void *easy);

// Forgets what was learned of an earlier connection.
void tls_begin(struct tls *tls);

// What the last handshake failed of, and what to do about it, if it failed and that is known.
// `host` is that of the master, `unverified` whether libcurl did not like its certificate, and
// `detail` in libcurl's words what happened. False: nothing to say.
bool tls_explain(const struct tls *tls, const char *host, bool unverified, const char *detail,
                 char *text, size_t size);

#endif
