// SPDX-License-Identifier: Apache-2.0
//
// One POST to the API of a master or an agent, and its answer: the headers that matter, and a body,
// which either goes to its owner piece by piece or, in an ordinary answer, is kept.
//
// The request has these headers and no others: Host, User-Agent, Accept, Content-Type,
// Content-Length and, if they are set, Mesos-Stream-Id and Authorization. libcurl never repeats a
// request by itself: the master may have carried it out.
//
// The time-outs for the connection and the answer count only time in which the loop turned. While a
// callback of a script keeps it busy for minutes, the answer may be in the socket, unread.
//
// Proxies are taken from the environment as libcurl does it (http_proxy, https_proxy, all_proxy,
// no_proxy), but never for a master on this machine.

#ifndef MESOS_LUA_NET_CURL_REQUEST_H
#define MESOS_LUA_NET_CURL_REQUEST_H

#include "base/buffer.h"
#include "net/authorization.h"
#include "net/curl_loop.h"
#include "net/http_reply.h"
#include "net/peer_api.h"
#include "net/peer_timeout.h"
#include "net/url.h"

enum curl_request_body { CURL_REQUEST_TAKEN, CURL_REQUEST_LATER, CURL_REQUEST_ENOUGH };

// Called from inside libcurl, or on its behalf: they may take notes and queue a deferral, but must
// not start or stop anything.
struct curl_request_events {
    // The headers of the answer are there. False abandons the answer: done() is called next. NULL:
    // go on.
    bool (*answered)(void *data);
    // A piece of the body: CURL_REQUEST_TAKEN, or CURL_REQUEST_LATER to get it again after
    // curl_request_pause(request, false), or CURL_REQUEST_ENOUGH to abandon the answer. NULL:
    // curl_request_keep() is called.
    enum curl_request_body (*body)(void *data, const uint8_t *bytes, size_t length);
    void (*done)(void *data);
};

struct curl_request_options {
    double connect_timeout;          // seconds, of name, connection and TLS together
    double timeout;                  // seconds from start to end, unless curl_request_endless()
    struct credentials *credentials; // or NULL; they outlive the request
    const struct peer_api *api;      // or NULL; read when the request is prepared
};

struct curl_request {
    struct curl_loop *curl_loop;
    CURL *easy;
    struct curl_slist *headers, *addresses;
    char *stream_id_line; // or NULL
    struct authorization authorization;
    struct curl_loop_job job;
    const struct curl_request_events *events;
    void *data;
    struct url master;
    struct curl_request_options options;
    struct peer_timeout timeout;
    struct bytes *call; // what is sent, while it is
    size_t sent;        // of it
    bool running;

    // The answer.
    bool answered; // its headers were read to their end
    int status;    // 0 until then, and if no answer came
    char content_type[128], stream_id[160], location[1024], challenge[256];
    struct buffer body;
    CURLcode result;
    char detail[CURL_ERROR_SIZE];
    char address[URL_ADDRESS]; // what `location` means
    char failure[1024];
};

// Prepares a request to `master`; `stream_id` may be NULL. It may be started several times, one
// after another.
void curl_request_init(struct curl_request *request, struct curl_loop *curl_loop,
                       const struct url *master, const char *stream_id,
                       const struct curl_request_options *options,
                       const struct curl_request_events *events, void *data);
void curl_request_free(struct curl_request *request); // stops it

// Sends `call` (takes a reference of its own). No other may be in flight.
void curl_request_start(struct curl_request *request, struct bytes *call);

// Opens the connection and sends nothing; it is the owner's (curl_easy_send(), curl_easy_recv())
// until curl_request_free(). A proxy is asked for a tunnel.
void curl_request_connect(struct curl_request *request);

// The answer is a stream: its end is not waited for.
void curl_request_endless(struct curl_request *request);

void curl_request_pause(struct curl_request *request, bool paused); // reading the answer

// Appends to the body of the reply; bytes beyond HTTP_REPLY_LIMIT are dropped.
void curl_request_keep(struct curl_request *request, const uint8_t *bytes, size_t length);

// Once done: the answer, or status 0 and what went wrong. An answer with a body that was cut off
// counts as an answer.
struct http_reply curl_request_reply(struct curl_request *request);

// Hands the memory of that reply's body over, so that it outlives the request.
struct buffer curl_request_take_body(struct curl_request *request);

// What went wrong with the connection, or NULL.
const char *curl_request_failure(struct curl_request *request);

#endif
