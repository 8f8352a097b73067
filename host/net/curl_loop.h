// SPDX-License-Identifier: Apache-2.0
//
// libcurl on our loop: a multi handle whose sockets libuv watches and whose timeouts are one of our
// timers. Each has connections of its own, which are closed with it.
//
// libcurl must not be called from inside its own callbacks. Therefore no callback that runs inside
// libcurl calls anything above this folder: the owners of requests only take notes, and report from
// a deferral, where everything is allowed.

#ifndef MESOS_LUA_NET_CURL_LOOP_H
#define MESOS_LUA_NET_CURL_LOOP_H

#include "loop/loop.h"
#include "net/tls.h"

#include <curl/curl.h>
#include <stdbool.h>

struct curl_loop;

// On a loop of loop_uv.h. It keeps at most one idle connection. `tls` may be NULL and is copied.
struct curl_loop *curl_loop_create(struct loop *loop, const struct tls_options *tls);

struct tls *curl_loop_tls(struct curl_loop *curl_loop); // of its connections

// Closes its connections; no easy handle may be in it. NULL is fine.
void curl_loop_destroy(struct curl_loop *curl_loop);

// What CURLOPT_PRIVATE of an easy handle points to.
struct curl_loop_job {
    // The transfer is over and the handle no longer in the multi. Takes notes only, see above.
    void (*done)(void *data, CURLcode result);
    void *data;
    bool stays; // in the multi when it is done, until curl_loop_stop(): its connection is used on
};

void curl_loop_start(struct curl_loop *curl_loop, CURL *easy);
void curl_loop_stop(struct curl_loop *curl_loop, CURL *easy); // done() is not called

#endif
