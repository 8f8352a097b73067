// SPDX-License-Identifier: Apache-2.0
//
// An HTTP answer of a master that is not a stream.

#ifndef MESOS_LUA_NET_HTTP_REPLY_H
#define MESOS_LUA_NET_HTTP_REPLY_H

#include "base/bytes.h"

#define HTTP_REPLY_LIMIT ((size_t)64 * 1024) // more of a body is not kept

// Valid during the callback that shows it.
struct http_reply {
    int status;            // 0: no answer came, and `body` says why
    struct slice body;     // the first HTTP_REPLY_LIMIT bytes of it
    const char *location;  // of a redirect, as an address "http://host:port", or NULL
    const char *challenge; // of a 401, its WWW-Authenticate, or NULL
    const char *advice;  // of the transport: what a refusal means and what to do about it, or NULL
    bool broken;         // status 0, and the call was on its way: it may have arrived or not
    struct slice unsent; // status 0: the call, if it certainly did not arrive, else data NULL
};

#endif
