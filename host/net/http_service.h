// SPDX-License-Identifier: Apache-2.0
//
// HTTP services of scripts: a request is handed to its service, which answers it when it can. A
// service belongs to an owner, a version of a script, and lies on a listening socket. While it is
// open, another owner may open the same address: its service waits, and gets the socket, with the
// connections and their next requests, when the service before is closed. So a reload loses no
// connection. Services with other certificates or names get the socket without its connections.
//
// A service that is closed answers what it has begun; the last one of an address closes the socket.

#ifndef MESOS_LUA_NET_HTTP_SERVICE_H
#define MESOS_LUA_NET_HTTP_SERVICE_H

#include "net/http_server.h"

struct http_services; // all of a program
struct http_service;
struct service_request; // one that has no answer yet

struct http_service_settings {
    const char *address;    // "ADDR:PORT", in numbers or "localhost"
    const char *hosts;      // as in struct http_server_settings; or NULL
    const char *cert, *key; // files of TLS in PEM; both NULL: none
    size_t body_limit;      // bytes of a request's body; above it is a 413
    unsigned requests;      // that may have no answer, also without client; above it is a 503
    const void *owner;      // a pointer that is compared only
    void (*request)(void *data, struct service_request *request); // to be answered once
    void *data;
};

struct http_services *http_services_create(struct loop *loop);
void http_services_destroy(struct http_services *services); // closes everything; NULL is fine

// NULL and the error if that fails; then errno tells it too, if it is the system's. Texts are
// copied.
struct http_service *http_service_open(struct http_services *services,
                                       const struct http_service_settings *settings,
                                       struct error *err);

// Its function is not called any more; what it has not answered yet, it must still answer.
void http_service_close(struct http_service *service);

const char *http_service_address(const struct http_service *service); // "ADDR:PORT", the real one

// The request, valid inside of the function that is given it.
const struct http_exchange *service_request_exchange(const struct service_request *request);

// Answers and frees the request. Legal at any time, also if the client has gone or the services
// were destroyed.
void service_request_answer(struct service_request *request, const struct http_answer *answer);

#endif
