// SPDX-License-Identifier: Apache-2.0
//
// TLS to a master: the settings for libcurl, and explanations of failed handshakes that say what to
// do. libcurl does the work, on OpenSSL; this file also observes the handshake with callbacks of
// OpenSSL, since libcurl reports little of what happens there.
//
// The master's certificate is verified, against the host of its address, unless `insecure`.

#ifndef MESOS_LUA_NET_TLS_H
#define MESOS_LUA_NET_TLS_H

#include "base/error.h"

#include <stddef.h>

// Everything may be left out. The texts belong to the creator of the options and outlive every use.
struct tls_options {
    const char *ca_file, *ca_path; // authorities, in PEM; without both, those of the system
    const char *cert, *key;       // of the client, in PEM; without a key, it is in the file of cert
    const char *ciphers, *curves; // in the words of OpenSSL; NULL: its own choice
    long depth;                   // authorities between the master and a trusted one; 0: any
    bool insecure;                // accept any certificate
    bool no_tls_1_2, no_tls_1_3;  // older ones are never spoken
};

// True if the files can be read and have the right contents. The error names the option of the file
// that is wrong.
bool tls_check(const struct tls_options *options, struct error *err);

struct tls;

struct tls *tls_create(const struct tls_options *options); // NULL: all defaults; they are copied
void tls_destroy(struct tls *tls); // after the connections that it was used for

// Prepares a libcurl handle (a CURL *) whose connection is the only one of `tls` at a time.
void tls_apply(struct tls *tls, void *easy);

// Forgets the notes about an earlier connection.
void tls_begin(struct tls *tls);

// Why the last handshake failed, and what to do about it. `host` is that of the master,
// `unverified` says that libcurl rejected its certificate, and `detail` is the error text of
// libcurl. False: it did not fail, or the reason is not known.
bool tls_explain(const struct tls *tls, const char *host, bool unverified, const char *detail,
                 char *text, size_t size);

#endif
