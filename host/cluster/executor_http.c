// SPDX-License-Identifier: Apache-2.0
//
// The v1 executor API of agents, with the checks, texts and framing of a real one; see the header.

#include "cluster/executor_http.h"

#include "agent/agent_calls.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "cluster/api_exchange.h"
#include "cluster/http_negotiation.h"

#include <string.h>

typedef Mesos__V1__Executor__Call Call;
typedef Mesos__V1__Executor__Event Event;

#define SCHEME "Bearer "
#define TYPE(NAME) MESOS__V1__EXECUTOR__CALL__TYPE__##NAME

// ---- whose call it is ----

// A walk over all agents that may have an executor: also those that the master has lost, and those
// that are leaving, while they end their executors.
struct agent_walk {
    const struct nodes *lists[3];
    size_t list;
    const struct node *next;
};

static struct agent_walk walk_agents(const struct master *master)
{
    return (struct agent_walk){.lists = {&master->nodes, &master->lost, &master->leaving},
                               .next = TAILQ_FIRST(&master->nodes)};
}

static const struct node *walk(struct agent_walk *agents)
{
    const struct node *node = agents->next;
    while (node == NULL && agents->list + 1 < sizeof agents->lists / sizeof agents->lists[0])
        node = TAILQ_FIRST(agents->lists[++agents->list]);
    agents->next = node ? TAILQ_NEXT(node, link) : NULL;
    return node;
}

// True if the agent is named by the call, or by its path.
static bool is_named(const struct node *node, const Call *call, unsigned number)
{
    const Mesos__V1__AgentID *id =
        call->type == TYPE(UPDATE) ? call->update->status->agent_id : NULL;
    return id != NULL ? strcmp(id->value, node->id) == 0 : node->number == number;
}

// Of several agents with such an executor the one that is named comes first, but for SUBSCRIBE one
// whose executor has not subscribed yet.
static struct agent_executor *find(const struct master *master, const Call *call, unsigned number,
                                   bool *framework)
{
    struct agent_executor *best = NULL;
    struct agent_walk agents = walk_agents(master);
    for (const struct node *node; (node = walk(&agents)) != NULL;) {
        struct agent_executor *executor = agent_calls_find(node->agent, call, framework);
        bool fresh =
            executor != NULL && call->type == TYPE(SUBSCRIBE) && !agent_calls_subscribed(executor);
        if (fresh)
            return executor;
        if (executor != NULL && (best == NULL || is_named(node, call, number)))
            best = executor;
    }
    return best;
}

static struct agent_executor *find_anywhere(const struct master *master, const Call *call,
                                            unsigned number, bool *framework)
{
    struct agent_executor *found = find(master, call, number, framework);
    struct agent_walk agents = walk_agents(master);
    for (const struct node *node; found == NULL && (node = walk(&agents)) != NULL;)
        found = agent_calls_search(node->agent, call, framework);
    return found;
}

// ---- authentication ----

static const char *token_of(const struct http_exchange *exchange)
{
    const char *header = http_exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);
    return header != NULL && strncmp(header, SCHEME, strlen(SCHEME)) == 0 ? header + strlen(SCHEME)
                                                                          : NULL;
}

static bool is_authenticated(const struct cluster_http *http, const struct http_exchange *exchange)
{
    const char *token = token_of(exchange);
    if (http_access_open(http->access))
        return true;
    struct agent_walk agents = walk_agents(http->agents);
    for (const struct node *node; token != NULL && (node = walk(&agents)) != NULL;)
        if (agent_calls_knows_token(node->agent, token))
            return true;
    return false;
}

static enum MHD_Result refuse_unauthorized(struct http_exchange *exchange)
{
    const struct http_answer answer = {.status = MHD_HTTP_UNAUTHORIZED,
                                       .type = "text/plain; charset=utf-8",
                                       .text = "401 Unauthorized.",
                                       .header_name = MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                       .header = "Bearer realm=\"mesos-agent-executor\""};
    return http_exchange_answer(exchange, &answer);
}

static enum MHD_Result refuse_claim(struct http_exchange *exchange)
{
    return http_exchange_refuse(exchange, MHD_HTTP_FORBIDDEN,
                                "Authenticated principal does not contain a 'cid' claim with the "
                                "correct active ContainerID");
}

// ---- SUBSCRIBE ----

static void on_event(void *data, const Event *event)
{
    record_stream_send(data, &event->base);
}

static void on_end(void *data)
{
    record_stream_end(data);
}

static void on_lost(void *data, const char *id)
{
    (void)id;
    agent_calls_disconnected(data);
}

static enum MHD_Result subscribe(struct cluster_http *http, struct http_exchange *exchange,
                                 struct agent_executor *executor, const Call *call)
{
    static const struct agent_sink sink = {.event = on_event, .end = on_end};
    struct cluster_request *request = exchange->data;
    const struct record_stream_owner owner = {.lost = on_lost, .data = executor, .nameless = true};
    request->stream = record_stream_create(&http->executors, exchange,
                                           http_negotiation_accepts(exchange, HTTP_JSON), &owner);
    agent_calls_subscribe(executor, call, &sink, request->stream);
    return record_stream_answer(request->stream);
}

// ---- any call ----

static enum MHD_Result answer_accepted(struct http_exchange *exchange)
{
    const struct http_answer accepted = {.status = MHD_HTTP_ACCEPTED, .text = ""};
    return http_exchange_answer(exchange, &accepted);
}

static enum MHD_Result carry_out(struct cluster_http *http, struct http_exchange *exchange,
                                 const Call *call)
{
    const struct cluster_request *request = exchange->data;
    bool framework = false;
    struct agent_executor *executor = find_anywhere(http->agents, call, request->agent, &framework);
    if (executor == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST,
                                    framework ? "Executor cannot be found"
                                              : "Framework cannot be found");
    if (!http_access_open(http->access) && !agent_calls_token_is(executor, token_of(exchange)))
        return refuse_claim(exchange);
    if (call->type == TYPE(SUBSCRIBE))
        return subscribe(http, exchange, executor, call);
    if (!agent_calls_subscribed(executor))
        return http_exchange_refuse(exchange, MHD_HTTP_FORBIDDEN, "Executor is not subscribed");
    if (call->type == TYPE(UNKNOWN))
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_IMPLEMENTED,
                                    "Calls of type UNKNOWN are not implemented");
    agent_calls_carry_out(executor, call);
    return answer_accepted(exchange);
}

static enum MHD_Result answer_call(struct cluster_http *http, struct http_exchange *exchange,
                                   const Call *call)
{
    struct error err = {0};
    if (!agent_calls_validate(call, &err))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    bool protobuf;
    enum MHD_Result result;
    if (call->type == TYPE(SUBSCRIBE) && !api_exchange_form(exchange, &protobuf, &result))
        return result;
    return call->type == TYPE(HEARTBEAT) ? answer_accepted(exchange)
                                         : carry_out(http, exchange, call);
}

enum MHD_Result executor_http_answer(struct cluster_http *http, struct http_exchange *exchange)
{
    static const char limit[] =
        "The call is larger than the local cluster accepts from executors (4 MiB)";
    enum MHD_Result result;
    if (!is_authenticated(http, exchange))
        return refuse_unauthorized(exchange);
    const Call *call = api_exchange_read(exchange, &http->room,
                                         &mesos__v1__executor__call__descriptor, limit, &result);
    if (call == NULL)
        return result;
    result = answer_call(http, exchange, call);
    message_room_empty(&http->room);
    return result;
}

size_t executor_http_limit(const struct cluster_http *http, const struct http_exchange *exchange)
{
    return is_authenticated(http, exchange) ? CLUSTER_HTTP_SMALL_LIMIT : 1;
}
