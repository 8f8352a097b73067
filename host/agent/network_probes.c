// SPDX-License-Identifier: Apache-2.0
//
// Questions to servers: see network_probes.h. HTTP goes through the client of net/, which follows
// redirects and takes any certificate, as a real executor does; TCP is a connection that is closed
// as soon as it is there. A probe is freed when its handle is closed.

#include "agent/network_probes.h"

#include "base/memory.h"
#include "loop/loop_uv.h"
#include "net/curl_loop.h"
#include "net/http_client.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { BODY_MOST = 16 << 20, REDIRECTS_MOST = 50 };

struct runner_probe {
    struct network_probes *owner;
    runner_on_answer done; // NULL: it has answered, or was cancelled
    void *data;
    struct timer deadline;
    struct http_client *client; // of HTTP
    uv_tcp_t socket;            // of TCP
    uv_connect_t request;
    bool tcp;
    struct error err; // why it could not be asked
    LIST_ENTRY(runner_probe) link;
};

struct network_probes {
    struct loop *loop;
    struct curl_loop *curl_loop; // NULL until HTTP is asked
    LIST_HEAD(, runner_probe) probes;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void destroy(struct runner_probe *probe)
{
    probe->done = NULL;
    LIST_REMOVE(probe, link);
    timer_stop(&probe->deadline);
    if (probe->tcp) {
        uv_close((uv_handle_t *)&probe->socket, on_closed);
        return;
    }
    http_client_destroy(probe->client);
    free(probe);
}

static void answer(struct runner_probe *probe, int value, const char *fault)
{
    runner_on_answer done = probe->done;
    if (done == NULL)
        return;
    probe->done = NULL;
    done(probe->data, value, fault);
    destroy(probe);
}

// ---- HTTP ----

static void on_reply(void *data, const struct http_client_reply *reply)
{
    answer(data, reply->status, reply->status == 0 ? reply->failure : NULL);
}

static bool ask_http(struct runner_probe *probe, const struct runner_question *question,
                     struct error *err)
{
    const struct http_client_request request = {.method = "GET",
                                                .url = question->url,
                                                .limit = BODY_MOST,
                                                .redirects = REDIRECTS_MOST,
                                                .insecure = true};
    struct network_probes *probes = probe->owner;
    if (probes->curl_loop == NULL)
        probes->curl_loop = curl_loop_create(probes->loop, NULL);
    probe->client =
        http_client_start(probes->curl_loop, probes->loop, &request, on_reply, probe, err);
    return probe->client != NULL;
}

// ---- TCP ----

static void on_connected(uv_connect_t *request, int status)
{
    if (status != UV_ECANCELED)
        answer(request->data, status == 0, NULL);
}

static bool ask_tcp(struct runner_probe *probe, const struct runner_question *question,
                    struct error *err)
{
    struct sockaddr_storage address;
    int port = question->port <= UINT16_MAX ? (int)question->port : 0; // which nothing listens on
    int status = question->ipv6 ? uv_ip6_addr("::1", port, (struct sockaddr_in6 *)&address)
                                : uv_ip4_addr("127.0.0.1", port, (struct sockaddr_in *)&address);
    uv_tcp_init(loop_uv_handle(probe->owner->loop), &probe->socket);
    probe->tcp = true;
    probe->socket.data = probe->request.data = probe;
    if (status == 0)
        status = uv_tcp_connect(&probe->request, &probe->socket, (const struct sockaddr *)&address,
                                on_connected);
    return status == 0 || error_set(err, ERROR_IO, "%s", uv_strerror(status));
}

// ---- life ----

static void on_deadline(void *data)
{
    answer(data, 0, "it timed out");
}

// A question that cannot be asked is answered in the next turn.
static void on_refused(void *data)
{
    struct runner_probe *probe = data;
    answer(probe, 0, probe->err.text);
}

struct runner_probe *network_probes_ask(struct network_probes *probes,
                                        const struct runner_question *question,
                                        runner_on_answer done, void *data)
{
    struct runner_probe *probe = memory_new(sizeof *probe);
    probe->owner = probes;
    probe->done = done;
    probe->data = data;
    LIST_INSERT_HEAD(&probes->probes, probe, link);
    bool asked = (question->url != NULL ? ask_http : ask_tcp)(probe, question, &probe->err);
    timer_init(&probe->deadline, probes->loop, asked ? on_deadline : on_refused, probe);
    if (!asked || question->timeout > 0)
        timer_start(&probe->deadline, asked ? question->timeout : 0);
    return probe;
}

void network_probes_cancel(struct runner_probe *probe)
{
    destroy(probe);
}

struct network_probes *network_probes_create(struct loop *loop)
{
    struct network_probes *probes = memory_new(sizeof *probes);
    probes->loop = loop;
    LIST_INIT(&probes->probes);
    return probes;
}

void network_probes_destroy(struct network_probes *probes)
{
    while (!LIST_EMPTY(&probes->probes))
        destroy(LIST_FIRST(&probes->probes));
    curl_loop_destroy(probes->curl_loop);
    free(probes);
}
