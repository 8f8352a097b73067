// SPDX-License-Identifier: Apache-2.0
//
// Host names to addresses: see dns_lookup.h. A request that libuv has begun cannot always be
// cancelled, so each has memory of its own and forgets its lookup when that is gone.

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
    struct dns_lookup *lookup; // NULL: it was abandoned
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

static void add(struct dns_lookup *lookup, const char *host, uint16_t port)
{
    if (lookup->found == DNS_LOOKUP_ADDRESSES)
        return;
    struct dns_lookup_address *address = &lookup->addresses[lookup->found++];
    snprintf(address->host, sizeof address->host, "%s", host);
    address->port = port;
}

static void note_problem(struct dns_lookup *lookup, const char *host, int status)
{
    snprintf(lookup->problem, sizeof lookup->problem, "%s: %s", host, uv_strerror(status));
}

// Requests in flight no longer have a lookup.
static void abandon(struct dns_lookup *lookup)
{
    timer_stop(&lookup->timer);
    for (size_t i = 0; i < lookup->count; i++) {
        if (lookup->requests[i] == NULL)
            continue;
        lookup->requests[i]->lookup = NULL;
        uv_cancel((uv_req_t *)&lookup->requests[i]->uv);
    }
}

static void finish(struct dns_lookup *lookup)
{
    abandon(lookup);
    lookup->on_done(lookup->data, lookup->addresses, lookup->found,
                    lookup->problem[0] ? lookup->problem : NULL);
    free(lookup);
}

static void on_timer(void *data)
{
    struct dns_lookup *lookup = data;
    if (lookup->waiting == 0 || lookup->found > 0)
        finish(lookup);
}

// ---- the requests ----

static void add_answer(struct dns_lookup *lookup, const struct lookup_request *request, int status,
                       const struct addrinfo *found)
{
    char host[INET6_ADDRSTRLEN];
    for (; found != NULL; found = found->ai_next)
        if (uv_ip_name(found->ai_addr, host, sizeof host) == 0)
            add(lookup, host, request->port);
    if (status < 0)
        note_problem(lookup, request->host, status);
    for (size_t i = 0; i < lookup->count; i++)
        if (lookup->requests[i] == request)
            lookup->requests[i] = NULL;
    lookup->waiting--;
}

static void on_answer(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct lookup_request *request = uv->data;
    struct dns_lookup *lookup = request->lookup;
    if (lookup != NULL)
        add_answer(lookup, request, status, found);
    uv_freeaddrinfo(found);
    free(request);
    if (lookup != NULL && lookup->waiting == 0)
        finish(lookup);
}

static void ask(struct dns_lookup *lookup, struct loop *loop, const struct url *server,
                size_t index)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct lookup_request *request = memory_new(sizeof *request + strlen(server->host) + 1);
    memcpy(request->host, server->host, strlen(server->host) + 1);
    request->uv.data = request;
    request->lookup = lookup;
    request->port = server->port;
    int status =
        uv_getaddrinfo(loop_uv_handle(loop), &request->uv, on_answer, server->host, NULL, &hints);
    if (status < 0) {
        note_problem(lookup, server->host, status);
        free(request);
        return;
    }
    lookup->requests[index] = request;
    lookup->waiting++;
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

struct dns_lookup *dns_lookup_start(struct loop *loop, const struct url *servers, size_t count,
                                    dns_lookup_on_done on_done, void *data)
{
    struct dns_lookup *lookup = memory_new(sizeof *lookup + count * sizeof lookup->requests[0]);
    timer_init(&lookup->timer, loop, on_timer, lookup);
    lookup->on_done = on_done;
    lookup->data = data;
    lookup->count = count;
    for (size_t i = 0; i < count; i++) {
        if (is_address(servers[i].host))
            add(lookup, servers[i].host, servers[i].port);
        else
            ask(lookup, loop, &servers[i], i);
    }
    timer_start(&lookup->timer, lookup->waiting ? PATIENCE : 0);
    return lookup;
}

void dns_lookup_cancel(struct dns_lookup *lookup)
{
    if (lookup == NULL)
        return;
    abandon(lookup);
    free(lookup);
}
