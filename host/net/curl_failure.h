// SPDX-License-Identifier: Apache-2.0
//
// Why a connection of libcurl failed, in words that say what to do.

#ifndef MESOS_LUA_NET_CURL_FAILURE_H
#define MESOS_LUA_NET_CURL_FAILURE_H

#include "net/tls.h"
#include "net/url.h"

#include <curl/curl.h>
#include <stdbool.h>

struct curl_failure {
    CURLcode result;    // not CURLE_OK
    const char *detail; // libcurl's own words, or empty
    CURL *easy;         // NULL: libcurl has no part in it
    const struct url *peer;
    const struct tls *tls; // of the connection, which NULL has not
    bool answered;         // the headers of an answer were read
};

void curl_failure_text(const struct curl_failure *failure, char *text, size_t size);

// A hint for a peer that speaks TLS where plain HTTP was used; empty if it is TLS already.
const char *curl_failure_tls_hint(const struct url *peer);

#endif
