// SPDX-License-Identifier: Apache-2.0
//
// Host names to addresses: see lookup.h. A request that libuv has begun cannot be called back, so
// each has memory of its own and forgets its lookup when that is gone.

#include "net/dns_lookup.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (5 * LOOP_SECOND)

struct lookup_request {
    uv_getaddrinfo_t uv;
    struct dns_lookup *lookup; // NULL: nobody waits for it
    uint16_t port;
    char host[]; // the name
};

struct dns_lookup {
    struct timer timer; // runs at once when there is nothing to wait for
    dns_lookup_on_done on_done;
    void *data;
    struct dns_lookup_address addresses[DNS_LOOKUP_ADDRESSES];
    size_t found, waiting, count;
    char problem[512];
    struct lookup_request *requests[]; // `count` of them; NULL: not needed, or answered
};

static void add(struct dns_lookup *this, const char *host, uint16_t port)
{
    if (this->found == DNS_LOOKUP_ADDRESSES)
        return;
    struct dns_lookup_address *address = &this->addresses[this->found++];
    snprintf(address->host, sizeof address->host, "%s", host);
    address->port = port;
}

static void note_problem(struct dns_lookup *this, const char *host, int status)
{
    snprintf(this->problem, sizeof this->problem, "%s: %s", host, uv_strerror(status));
}

// Nobody waits for what is under way any more.
static void abandon(struct dns_lookup *this)
{
    timer_stop(&this->timer);
    for (size_t i = 0; i < this->count; i++) {
        if (this->requests[i] == NULL)
            continue;
        this->requests[i]->lookup = NULL;
        uv_cancel((uv_req_t *)&this->requests[i]->uv);
    }
}

static void finish(struct dns_lookup *this)
{
    abandon(this);
    this->on_done(this->data, this->addresses, this->found,
                  this->problem[0] ? this->problem : NULL);
    free(this);
}

static void on_timer(void *data)
{
    struct dns_lookup *this = data;
    if (this->waiting == 0 || this->found > 0)
        finish(this);
}

// ---- the requests ----

static void take_answer(struct dns_lookup *this, const struct lookup_request *request, int status,
                        const struct addrinfo *found)
{
    char host[INET6_ADDRSTRLEN];
    for (; found != NULL; found = found->ai_next)
        if (uv_ip_name(found->ai_addr, host, sizeof host) == 0)
            add(this, host, request->port);
    if (status < 0)
        note_problem(this, request->host, status);
    for (size_t i = 0; i < this->count; i++)
        if (this->requests[i] == request)
            this->requests[i] = NULL;
    this->waiting--;
}

static void on_answer(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct lookup_request *request = uv->data;
    struct dns_lookup *this = request->lookup;
    if (this != NULL)
        take_answer(this, request, status, found);
    uv_freeaddrinfo(found);
    free(request);
    if (this != NULL && this->waiting == 0)
        finish(this);
}

static void ask(struct dns_lookup *this, struct loop *loop, const struct url *server, size_t index)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct lookup_request *request = memory_new(sizeof *request + strlen(server->host) + 1);
    memcpy(request->host, server->host, strlen(server->host) + 1);
    request->uv.data = request;
    request->lookup = this;
    request->port = server->port;
    int status =
        uv_getaddrinfo(loop_uv_handle(loop), &request->uv, on_answer, server->host, NULL, &hints);
    if (status < 0) {
        note_problem(this, server->host, status);
        free(request);
        return;
    }
    this->requests[index] = request;
    this->waiting++;
}

static bool is_address(const char *host)
{
    struct in6_addr room;
    return inet_pton(AF_INET, host, &room) == 1 || inet_pton(AF_INET6, host, &room) == 1;
}

struct dns_lookup *dns_lookup_start(struct loop *loop, const struct url *servers, size_t count,
                                    dns_lookup_on_done on_done, void *data)
{
    struct dns_lookup *this = memory_new(sizeof *this + count * sizeof this->requests[0]);
    timer_init(&this->timer, loop, on_timer, this);
    this->on_done = on_done;
    this->data = data;
    this->count = count;
    for (size_t i = 0; i < count; i++) {
        if (is_address(servers[i].host))
            add(this, servers[i].host, servers[i].port);
        else
            ask(this, loop, &servers[i], i);
    }
    timer_start(&this->timer, this->waiting ? PATIENCE : 0);
    return this;
}

void dns_lookup_cancel(struct dns_lookup *this)
{
    if (this == NULL)
        return;
    abandon(this);
    free(this);
}
