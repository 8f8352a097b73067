// SPDX-License-Identifier: Apache-2.0
//
// libcurl on our loop: a multi handle whose sockets libuv watches and whose timeouts are one of our
// timers. Whoever wants connections of his own creates one of these; closing it closes them.
//
// libcurl must not be called from inside its own callbacks. Therefore nothing here, and nothing
// that is called from inside libcurl, calls anything above this folder: the owners of requests take
// notes and report from a deferral, where everything is allowed.

#ifndef MESOS_LUA_NET_HTTP_H
#define MESOS_LUA_NET_HTTP_H

#include "loop/loop.h"
#include "net/tls.h"

#include <curl/curl.h>
#include <stdbool.h>

struct http;

// On a loop of loop_uv.h. It keeps at most one idle connection. `tls` may be NULL and is copied.
struct http *http_create(struct loop *loop, const struct tls_options *tls);

struct tls *http_tls(struct http *http); // of its connections
struct loop *http_loop(struct http *http);

// Closes its connections; no easy handle may be in it. NULL is fine.
void http_destroy(struct http *http);

// What CURLOPT_PRIVATE of an easy handle points to.
struct http_job {
    // The transfer is over and the handle no longer in the multi. Takes notes only, see above.
    void (*done)(void *data, CURLcode result);
    void *data;
    bool stays; // in the multi when it is done, until http_stop(): its connection is used on
};

void http_start(struct http *http, CURL *easy);
void http_stop(struct http *http, CURL *easy); // done() is not called

#endif
