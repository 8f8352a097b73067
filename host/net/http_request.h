// SPDX-License-Identifier: Apache-2.0
//
// One POST to the scheduler API of a master, and what comes back: the headers that matter, and a
// body, which either goes to its owner piece by piece or, of an ordinary answer, is kept.
//
// The request has these headers and no others: Host, User-Agent, Accept, Content-Type,
// Content-Length and, if there are such, Mesos-Stream-Id and Authorization. Nothing is ever sent a
// second time on libcurl's own account: the master may have carried it out.
//
// The waiting for a connection and for the answer counts the time in which the loop turned. A
// callback of a script that kept it busy for minutes is no silence of the master: what came
// meanwhile is in the socket, unread.
//
// Proxies are taken from the environment as libcurl does it (http_proxy, https_proxy, all_proxy,
// no_proxy), but never for a master on this machine.

#ifndef MESOS_LUA_NET_HTTP_REQUEST_H
#define MESOS_LUA_NET_HTTP_REQUEST_H

#include "base/buffer.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/http_reply.h"
#include "net/url.h"

enum http_request_body { HTTP_REQUEST_TAKEN, HTTP_REQUEST_LATER, HTTP_REQUEST_ENOUGH };

// Called from inside libcurl, or on its behalf: take notes and queue a deferral, start and stop
// nothing.
struct http_request_events {
    // The headers of the answer are there. False gives the answer up: done() comes next. NULL: go
    // on.
    bool (*answered)(void *data);
    // A piece of the body: HTTP_REQUEST_TAKEN, or HTTP_REQUEST_LATER to get it again after
    // http_request_pause(request, false), or HTTP_REQUEST_ENOUGH to give the answer up. NULL:
    // http_request_keep() is called.
    enum http_request_body (*body)(void *data, const uint8_t *bytes, size_t length);
    void (*done)(void *data);
};

struct http_request_options {
    double connect_timeout;          // seconds, of name, connection and TLS together
    double timeout;                  // seconds from start to end, unless http_request_endless()
    struct credentials *credentials; // or NULL; they outlive the request
};

struct http_request {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers, *addresses;
    char *stream_id_line; // or NULL
    char *authorization;  // the header as it is sent, or NULL
    struct http_job job;
    const struct http_request_events *events;
    void *data;
    struct url master;
    struct http_request_options options;
    struct timer patience;
    uint64_t begun, due; // of the waiting: since when, and when it was to be looked at next
    struct bytes *call;  // what is sent, while it is
    size_t sent;         // of it
    bool running;

    // The answer.
    bool answered; // its headers were read to their end
    int status;    // 0 until then, and for ever when no answer came
    char content_type[128], stream_id[160], location[1024], challenge[256];
    struct buffer body;
    CURLcode result;
    char detail[CURL_ERROR_SIZE];
    char address[URL_ADDRESS]; // what `location` means
    char failure[1024];
};

// Prepares a request to `master`; `stream_id` may be NULL. It may be started several times, one
// after another.
void http_request_init(struct http_request *request, struct http *http, const struct url *master,
                       const char *stream_id, const struct http_request_options *options,
                       const struct http_request_events *events, void *data);
void http_request_free(struct http_request *request); // stops it

// Sends `call` (takes a reference of its own). No other may be under way.
void http_request_start(struct http_request *request, struct bytes *call);

// Opens the connection and sends nothing; it is the owner's (curl_easy_send(), curl_easy_recv())
// until http_request_free(). A proxy is asked for a tunnel.
void http_request_connect(struct http_request *request);

// The answer has no end that should be waited for.
void http_request_endless(struct http_request *request);

void http_request_pause(struct http_request *request, bool paused); // reading the answer

// Appends to the body of the reply; what is over HTTP_REPLY_LIMIT is dropped.
void http_request_keep(struct http_request *request, const uint8_t *bytes, size_t length);

// Once done: the answer, or status 0 and what went wrong. A body that was cut is an answer.
struct http_reply http_request_reply(struct http_request *request);

// Hands the memory of that reply's body over, so that it outlives the request.
struct buffer http_request_take_body(struct http_request *request);

// What went wrong with the connection, or NULL.
const char *http_request_failure(struct http_request *request);

#endif
