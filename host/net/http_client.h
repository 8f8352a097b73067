// SPDX-License-Identifier: Apache-2.0
//
// One HTTP request to any server, and its whole answer: for requests of scripts, while
// event_stream.h and call_pipeline.h are for masters. Proxies are taken from the environment as
// libcurl does it, but never for this machine. Redirects are followed only if the request says so,
// and then with libcurl's rules: to http and https only, and credentials stay with the host that
// they are for.
//
// Secrets are not shown: texts and logs name an address without user, password, query and fragment,
// and no header.

#ifndef MESOS_LUA_NET_HTTP_CLIENT_H
#define MESOS_LUA_NET_HTTP_CLIENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"

struct curl_loop; // net/curl_loop.h
struct http_client;

// Everything is copied.
struct http_client_request {
    const char *method;         // "GET"
    const char *url;            // http or https
    const char *const *headers; // "Name: value", ended by NULL; or NULL
    struct slice body;          // without data: none
    double timeout;             // seconds for all of it; 0: none
    double stalled;             // seconds without a byte that end it; 0: any
    size_t limit;               // bytes of the body of the answer
    // Takes the body piece by piece; that of the reply is empty then. False ends the request. NULL:
    // the reply has it.
    bool (*piece)(void *data, struct slice piece);
    void *piece_data;
    long redirects;      // the most to follow
    const char *ca_file; // certificates to trust instead of the system's; or NULL
    bool insecure;       // accept any certificate
};

struct http_client_reply {
    int status;           // 0: no answer came, or not all of it
    struct slice headers; // of the last answer: its lines, "Name: value\n"
    struct slice body;
    const char *failure; // with status 0: what went wrong, naming method and address
    const char *code;    // and its kind: "ECONNREFUSED", "ETIMEDOUT", "ENOTFOUND", "ETLS", ...
};

// Starts it. `on_done` is called once, from the loop; the reply is valid during the call and until
// http_client_destroy(). NULL, and `err`, if the address cannot be read.
struct http_client *http_client_start(struct curl_loop *curl_loop, struct loop *loop,
                                      const struct http_client_request *request,
                                      void (*on_done)(void *data,
                                                      const struct http_client_reply *reply),
                                      void *data, struct error *err);

// Cancels it if it is in flight; `on_done` is not called then. NULL is fine.
void http_client_destroy(struct http_client *client);

#endif
