// SPDX-License-Identifier: Apache-2.0
//
// The endpoints of operators; see the header.
//
// A page in a browser can make a script of any URL, and a script that calls a function of the page
// shows it the argument: jsonp answers requests that a browser says come from its own pages, and
// those that no browser makes.

#include "cluster/operator_http.h"

#include "base/duration.h"
#include "base/memory.h"
#include "cluster/api_exchange.h"
#include "cluster/form_body.h"
#include "cluster/http_negotiation.h"
#include "operator/build_facts.h"
#include "operator/metrics_snapshot.h"
#include "operator/role_settings.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CALLBACK_LIMIT 200 // bytes of the name of a function

// ---- answers ----

size_t operator_http_limit(const struct cluster_http *http, const struct http_exchange *exchange)
{
    (void)http;
    (void)exchange;
    return OPERATOR_HTTP_LIMIT;
}

static bool is_callback(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("_$.[]", name[i]) == NULL)
            return false;
    return length <= CALLBACK_LIMIT;
}

static bool from_elsewhere(const struct http_exchange *exchange)
{
    const char *site = http_exchange_header(exchange, "Sec-Fetch-Site");
    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static enum MHD_Result send_callback(struct http_exchange *exchange, const char *name,
                                     struct buffer *json)
{
    struct http_answer answer = {.status = MHD_HTTP_OK, .type = "text/javascript"};
    if (!is_callback(name))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST,
                                    "'jsonp' must be the name of a function");
    if (from_elsewhere(exchange))
        return http_exchange_refuse(exchange, MHD_HTTP_FORBIDDEN,
                                    "'jsonp' is not for pages of other sites");
    char *text = memory_format("%s(%s);", name, buffer_string(json));
    answer.text = text;
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(text);
    return result;
}

enum MHD_Result operator_http_send_json(struct http_exchange *exchange, struct json_writer *writer)
{
    const char *callback = http_exchange_argument(exchange, "jsonp");
    struct buffer *json = writer->out;
    enum MHD_Result result;
    if (writer->failed) {
        result = http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                      "The document is longer than 256 MiB");
    } else if (callback != NULL) {
        result = send_callback(exchange, callback, json);
    } else {
        const struct http_answer answer = {.status = MHD_HTTP_OK,
                                           .type = HTTP_JSON,
                                           .text = buffer_string(json),
                                           .length = json->length};
        result = http_exchange_answer(exchange, &answer);
    }
    buffer_free(json);
    return result;
}

// An empty 200, or the error as 400 or, if its code is ERROR_REFUSED, as 409.
static enum MHD_Result report(struct http_exchange *exchange, bool good, const struct error *err)
{
    const struct http_answer done = {.status = MHD_HTTP_OK, .text = ""};
    if (good)
        return http_exchange_answer(exchange, &done);
    return http_exchange_refuse(
        exchange, err->code == ERROR_REFUSED ? MHD_HTTP_CONFLICT : MHD_HTTP_BAD_REQUEST, err->text);
}

// ---- documents ----

static const char *on_argument(void *data, const char *name)
{
    return http_exchange_argument(data, name);
}

const struct node *operator_http_node(const struct master *master, unsigned number)
{
    const struct node *node;
    if (master == NULL || number == 0)
        return NULL;
    TAILQ_FOREACH(node, &master->nodes, link)
    if (node->number == number)
        break;
    return node;
}

enum MHD_Result operator_http_document(struct cluster_http *http, struct http_exchange *exchange)
{
    const struct cluster_request *request = exchange->data;
    const struct http_route *route = request->route;
    const struct document_query query = {on_argument, exchange};
    const struct node *node = operator_http_node(http->master, request->agent);
    struct buffer json;
    buffer_init(&json, JSON_WRITER_LIMIT);
    struct json_writer writer = {.out = &json};
    if (request->agent > 0 && node == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "404 Not Found.");
    if (node != NULL && route->agent_document != NULL)
        route->agent_document(&writer, node, &query);
    else
        route->document(&writer, http->master, &query);
    return operator_http_send_json(exchange, &writer);
}

void operator_http_flags(struct json_writer *writer, const struct master *master,
                         const struct document_query *query)
{
    (void)query;
    json_writer_open(writer, NULL);
    build_facts_write_flags(writer, "flags", master, NULL);
    json_writer_close(writer);
}

void operator_http_version(struct json_writer *writer, const struct master *master,
                           const struct document_query *query)
{
    (void)master;
    (void)query;
    json_writer_open(writer, NULL);
    build_facts_write(writer);
    json_writer_text(writer, "version", MASTER_VERSION);
    json_writer_close(writer);
}

// All values are known at once, so that no time-out is ever reached.
enum MHD_Result operator_http_metrics(struct cluster_http *http, struct http_exchange *exchange)
{
    const char *timeout = http_exchange_argument(exchange, "timeout");
    const struct document_query query = {on_argument, exchange};
    double seconds;
    struct buffer json;
    if (timeout != NULL && !duration_parse(timeout, &seconds)) {
        char *words =
            memory_format("Invalid timeout '%s': Invalid duration '%s'.\n", timeout, timeout);
        enum MHD_Result result = http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, words);
        free(words);
        return result;
    }
    buffer_init(&json, JSON_WRITER_LIMIT);
    struct json_writer writer = {.out = &json};
    metrics_snapshot_document(&writer, http->master, &query);
    return operator_http_send_json(exchange, &writer);
}

enum MHD_Result operator_http_health(struct cluster_http *http, struct http_exchange *exchange)
{
    const struct http_answer answer = {.status = MHD_HTTP_OK, .text = ""};
    (void)http;
    return http_exchange_answer(exchange, &answer);
}

// ---- the log ----

// NULL, or what is wrong; to be freed.
static char *read_toggle(const struct http_exchange *exchange, const struct verbosity *verbosity,
                         long *level, double *seconds)
{
    const char *level_text = http_exchange_argument(exchange, "level");
    const char *duration = http_exchange_argument(exchange, "duration");
    char *end;
    if (duration == NULL)
        return memory_string("Expecting 'duration=value' in query.\n");
    if (level_text == NULL)
        return memory_string("Expecting 'level=value' in query.\n");
    *level = strtol(level_text, &end, 10);
    if (*level_text == '\0' || *end != '\0' || *level > INT_MAX || *level < INT_MIN)
        return memory_format("Failed to convert '%s' to number.\n", level_text);
    if (*level < 0)
        return memory_format("Invalid level '%ld'.\n", *level);
    if (*level < (long)verbosity_original(verbosity))
        return memory_format("'%ld' < original level.\n", *level);
    return duration_parse(duration, seconds) ? NULL
                                             : memory_format("Invalid duration '%s'.\n", duration);
}

static enum MHD_Result tell_verbosity(struct http_exchange *exchange, unsigned level)
{
    char *text = memory_format("%u\n", level);
    const struct http_answer answer = {
        .status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8", .text = text};
    enum MHD_Result result = http_exchange_answer(exchange, &answer);
    free(text);
    return result;
}

enum MHD_Result operator_http_logging(struct cluster_http *http, struct http_exchange *exchange)
{
    const struct http_answer done = {.status = MHD_HTTP_OK, .text = ""};
    struct verbosity *verbosity = &http->master->verbosity;
    long level = 0;
    double seconds = 0;
    if (http_exchange_argument(exchange, "level") == NULL &&
        http_exchange_argument(exchange, "duration") == NULL)
        return tell_verbosity(exchange, verbosity_level(verbosity));
    char *fault = read_toggle(exchange, verbosity, &level, &seconds);
    if (fault != NULL) {
        enum MHD_Result result = http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, fault);
        free(fault);
        return result;
    }
    verbosity_set(verbosity, (unsigned)level, loop_seconds(seconds));
    return http_exchange_answer(exchange, &done);
}

// ---- weights and quota ----

static bool is_method(const struct http_exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

enum MHD_Result operator_http_weights(struct cluster_http *http, struct http_exchange *exchange)
{
    enum MHD_Result result;
    struct error err = {0};
    if (!is_method(exchange, MHD_HTTP_METHOD_PUT))
        return operator_http_document(http, exchange);
    if (!api_exchange_check_body(exchange, API_EXCHANGE_SMALL, &result))
        return result;
    bool good = role_settings_put_weights(http->master, buffer_slice(&exchange->body), &err);
    return report(exchange, good, &err);
}

enum MHD_Result operator_http_quota(struct cluster_http *http, struct http_exchange *exchange)
{
    enum MHD_Result result;
    struct error err = {0};
    bool posted = is_method(exchange, MHD_HTTP_METHOD_POST);
    if (!posted && !is_method(exchange, MHD_HTTP_METHOD_DELETE))
        return operator_http_document(http, exchange);
    if (!api_exchange_check_body(exchange, API_EXCHANGE_SMALL, &result))
        return result;
    bool good = posted ? role_settings_post_quota(http->master, buffer_slice(&exchange->body), &err)
                       : role_settings_delete_quota(http->master, exchange->url, &err);
    return report(exchange, good, &err);
}

// ---- teardown ----

enum MHD_Result operator_http_teardown(struct cluster_http *http, struct http_exchange *exchange)
{
    enum MHD_Result result;
    struct error err = {0};
    if (!api_exchange_check_body(exchange, API_EXCHANGE_SMALL, &result))
        return result;
    char *id = form_body_value(&exchange->body, "frameworkId", &err);
    if (id != NULL)
        master_teardown(http->master, id, &err);
    else if (err.code == ERROR_NONE)
        error_set(&err, ERROR_INVALID, "Missing 'frameworkId' query parameter in the request body");
    free(id);
    return report(exchange, err.code == ERROR_NONE, &err);
}
