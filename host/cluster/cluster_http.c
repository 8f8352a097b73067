// SPDX-License-Identifier: Apache-2.0
//
// The scheduler API over HTTP (net/http_server.h). A subscription is a response whose reader
// returns one record at a time, so each is a chunk of its own as with a real master, and suspends
// the connection when there is none. When many wait, as after a RECONCILE of everything, a chunk
// holds as many as fit: single records would cost a system call each here and at the client.
//
// Authentication is checked first, then the route, then the contents, in the order of a real
// master. The body of a request that will be refused is read and discarded.
//
// A stream belongs to its request, and is freed when that is completed. The master may call its
// sink as long as it is `open`.

#include "cluster/cluster_http.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "cluster/json_message.h"
#include "cluster/nul_check.h"
#include "net/http_server.h"
#include "operator/status_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define CONNECTION_MEMORY                                                                          \
    ((size_t)64 << 10) // headers, and the largest chunk; cleared for each call
#define CONNECTION_LIMIT 10000
#define READ_AT_ONCE ((size_t)32 << 10)
#define BATCH_FROM 64 // waiting records; with fewer each is a chunk of its own

#define JSON "application/json"
#define PROTOBUF "application/x-protobuf"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

struct cluster_http {
    struct master *master;
    struct http_server *server;
    struct http_access *access;
    TAILQ_HEAD(, stream) streams;
};

struct record {
    STAILQ_ENTRY(record) link;
    size_t length, sent;
    uint8_t data[];
};

struct stream {
    struct cluster_http *http;
    struct http_exchange *exchange;
    TAILQ_ENTRY(stream) link;
    char id[UUID_TEXT];
    bool json;
    bool open;      // the master may emit into it
    bool ended;     // a last chunk follows what is queued
    bool broken;    // nothing can be sent any more
    bool suspended; // the connection, until there is a record
    STAILQ_HEAD(, record) records;
    size_t queued, waiting; // bytes and records
};

// The data of an exchange.
struct cluster_request {
    const struct route *route; // NULL: there is none
    bool allowed;              // it may use the route
    const char *principal;     // that was authenticated, or NULL
    bool json;                 // the body is JSON, otherwise protobuf
    struct stream *stream;     // of a subscription, or NULL
};

// ---- streams ----

static void wake(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->exchange->connection);
    http_server_wake(stream->http->server);
}

static void push(struct stream *stream, struct record *record)
{
    STAILQ_INSERT_TAIL(&stream->records, record, link);
    stream->queued += record->length;
    stream->waiting++;
    wake(stream);
    if (stream->queued <= CLUSTER_HTTP_STREAM_LIMIT)
        return;
    log_warning("a client does not read its events: closing its stream with %zu bytes unsent",
                stream->queued);
    stream->broken = true;
    http_exchange_break(stream->exchange); // this loses the stream, which is reported to the master
}

static struct record *new_record(size_t payload)
{
    char header[24];
    size_t digits = (size_t)snprintf(header, sizeof header, "%zu\n", payload);
    struct record *record = memory_new(sizeof *record + digits + payload);
    memcpy(record->data, header, digits);
    record->length = digits + payload;
    return record;
}

static struct record *encode_json(const Event *event)
{
    struct buffer text;
    buffer_init(&text, CLUSTER_HTTP_STREAM_LIMIT);
    struct record *record = NULL;
    if (json_message_write(&event->base, &text)) {
        record = new_record(text.length);
        memcpy(record->data + record->length - text.length, text.data, text.length);
    }
    buffer_free(&text);
    return record;
}

static struct record *encode(const Event *event, bool json)
{
    if (json)
        return encode_json(event);
    size_t size = protobuf_c_message_get_packed_size(&event->base);
    struct record *record = new_record(size);
    protobuf_c_message_pack(&event->base, record->data + record->length - size);
    return record;
}

static void on_event(void *data, const Event *event)
{
    struct stream *stream = data;
    if (stream->broken)
        return;
    struct record *record = encode(event, stream->json);
    if (record != NULL)
        push(stream, record);
    else
        log_warning("an event is larger than %zu bytes and cannot be sent",
                    CLUSTER_HTTP_STREAM_LIMIT);
}

static void on_end(void *data)
{
    struct stream *stream = data;
    stream->open = false;
    stream->ended = true;
    wake(stream);
}

// Its client has disconnected. Reports it to the master, once.
static void lose_stream(struct stream *stream)
{
    stream->broken = true;
    if (stream->open && stream->http->master != NULL) {
        stream->open = false;
        master_stream_closed(stream->http->master, stream->id);
    }
}

// Copies as much of the first record as fits.
static size_t read_record(struct stream *stream, char *to, size_t space)
{
    struct record *record = STAILQ_FIRST(&stream->records);
    size_t left = record->length - record->sent, length = left < space ? left : space;
    memcpy(to, record->data + record->sent, length);
    record->sent += length;
    if (record->sent == record->length) {
        STAILQ_REMOVE_HEAD(&stream->records, link);
        stream->queued -= record->length;
        stream->waiting--;
        free(record);
    }
    return length;
}

static ssize_t read_stream(void *data, uint64_t position, char *to, size_t space)
{
    struct stream *stream = data;
    struct record *record = STAILQ_FIRST(&stream->records);
    (void)position;
    if (stream->broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (record == NULL && stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (record == NULL) {
        stream->suspended = true;
        MHD_suspend_connection(stream->exchange->connection);
        return 0;
    }
    size_t length = read_record(stream, to, space);
    while (stream->waiting >= BATCH_FROM && length < space)
        length += read_record(stream, to + length, space - length);
    return (ssize_t)length;
}

static struct stream *new_stream(struct cluster_http *http, struct http_exchange *exchange,
                                 bool json)
{
    struct stream *stream = memory_new(sizeof *stream);
    stream->http = http;
    stream->exchange = exchange;
    stream->json = json;
    stream->open = true;
    uuid_random_text(stream->id);
    STAILQ_INIT(&stream->records);
    TAILQ_INSERT_TAIL(&http->streams, stream, link);
    return stream;
}

static void destroy_stream(struct stream *stream)
{
    lose_stream(stream);
    for (struct record *record; (record = STAILQ_FIRST(&stream->records)) != NULL;) {
        STAILQ_REMOVE_HEAD(&stream->records, link);
        free(record);
    }
    TAILQ_REMOVE(&stream->http->streams, stream, link);
    free(stream);
}

// ---- headers ----

static size_t span_trimmed(const char **text, size_t length)
{
    while (length > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        length--;
    }
    while (length > 0 && ((*text)[length - 1] == ' ' || (*text)[length - 1] == '\t'))
        length--;
    return length;
}

// True if a range such as "application/*;q=0.5" covers the type; q=0 excludes it.
static bool range_covers(const char *range, size_t length, const char *type)
{
    size_t name = strcspn(range, ";,");
    if (name > length)
        name = length;
    for (const char *at = range + name; at < range + length; at++) {
        if (strncasecmp(at, "q=", 2) != 0)
            continue;
        if (strtod(at + 2, NULL) <= 0)
            return false;
    }
    name = span_trimmed(&range, name);
    return (name == strlen(type) && strncasecmp(range, type, name) == 0) ||
           (name == 3 && strncmp(range, "*/*", 3) == 0) ||
           (name == 13 && strncasecmp(range, "application/*", 13) == 0);
}

static bool accepts(const struct http_exchange *exchange, const char *type)
{
    const char *accept = http_exchange_header(exchange, MHD_HTTP_HEADER_ACCEPT);
    if (accept == NULL)
        return true;
    while (*accept) {
        size_t length = strcspn(accept, ",");
        if (range_covers(accept, length, type))
            return true;
        accept += length + (accept[length] == ',');
    }
    return false;
}

// ---- answers ----

static enum MHD_Result refuse_with(struct http_exchange *exchange, int status, const char *text,
                                   const char *header_name, const char *header)
{
    const struct http_answer answer = {.status = status,
                                       .type = "text/plain; charset=utf-8",
                                       .text = text,
                                       .header_name = header_name,
                                       .header = header};
    return http_exchange_answer(exchange, &answer);
}

static enum MHD_Result refuse_method(struct http_exchange *exchange, const char *expected)
{
    char *text =
        memory_format("405 Method Not Allowed. Expecting one of { '%s' }, but received '%s'.",
                      expected, exchange->method);
    enum MHD_Result result =
        refuse_with(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, text, MHD_HTTP_HEADER_ALLOW, expected);
    free(text);
    return result;
}

static enum MHD_Result refuse_unauthorized(const struct cluster_http *http,
                                           struct http_exchange *exchange, const char *realm)
{
    char *challenge = memory_format("%s realm=\"%s\"", http_access_scheme(http->access), realm);
    enum MHD_Result result = refuse_with(exchange, MHD_HTTP_UNAUTHORIZED, "401 Unauthorized.",
                                         MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge);
    free(challenge);
    return result;
}

static enum MHD_Result answer_with(struct http_exchange *exchange, int status, const char *type,
                                   const char *text)
{
    const struct http_answer answer = {.status = status, .type = type, .text = text};
    return http_exchange_answer(exchange, &answer);
}

static enum MHD_Result start_stream(struct stream *stream, const Call *call)
{
    static const struct master_sink sink = {.event = on_event, .end = on_end};
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, READ_AT_ONCE, read_stream, stream, NULL);
    MHD_add_response_header(response, "Mesos-Stream-Id", stream->id);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, stream->json ? JSON : PROTOBUF);
    http_exchange_endless(stream->exchange);
    master_subscribe(stream->http->master, call, stream->id, &sink, stream);
    enum MHD_Result result =
        MHD_queue_response(stream->exchange->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

// ---- the scheduler endpoint ----

static Call *parse(const struct http_exchange *exchange, bool json, struct error *err)
{
    struct slice body = buffer_slice(&exchange->body);
    if (json)
        return (Call *)json_message_read(&mesos__v1__scheduler__call__descriptor, body, err);
    if (!nul_check(body, &mesos__v1__scheduler__call__descriptor, err)) {
        error_context(err, "Failed to parse body into Call protobuf");
        return NULL;
    }
    Call *call = mesos__v1__scheduler__call__unpack(NULL, body.length, body.data);
    if (call == NULL)
        error_set(err, ERROR_INVALID, "Failed to parse body into Call protobuf");
    return call;
}

static bool needs_accept(const Call *call)
{
    return call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE ||
           call->type == MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE_OPERATIONS;
}

// The principal of a framework must be the authenticated one; a missing one is set to it.
static bool check_principal(const char *authenticated, char **principal, struct error *err)
{
    if (authenticated == NULL)
        return true;
    if (*principal == NULL)
        *principal = memory_string(authenticated);
    return strcmp(*principal, authenticated) == 0 ||
           error_set(err, ERROR_INVALID,
                     "Authenticated principal '%s' does not match principal '%s' set in "
                     "`FrameworkInfo`",
                     authenticated, *principal);
}

static bool validate(const struct cluster_request *request, Call *call, struct error *err)
{
    if (!master_validate(call, err))
        return false;
    if (call->type != MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return true;
    char **principal = &call->subscribe->framework_info->principal;
    return check_principal(request->principal, principal, err) ||
           error_context(err, "Failed to validate scheduler::Call");
}

static enum MHD_Result subscribe(struct cluster_http *http, struct http_exchange *exchange,
                                 const Call *call)
{
    struct cluster_request *request = exchange->data;
    if (http_exchange_header(exchange, "Mesos-Stream-Id") != NULL)
        return http_exchange_refuse(
            exchange, MHD_HTTP_BAD_REQUEST,
            "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    request->stream = new_stream(http, exchange, accepts(exchange, JSON));
    return start_stream(request->stream, call);
}

static enum MHD_Result answer_call(struct cluster_http *http, struct http_exchange *exchange,
                                   Call *call)
{
    const struct cluster_request *request = exchange->data;
    struct error err = {0};
    if (!validate(request, call, &err))
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    if (needs_accept(call) && !accepts(exchange, JSON) && !accepts(exchange, PROTOBUF))
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_ACCEPTABLE,
                                    "Expecting 'Accept' to allow '" PROTOBUF "' or '" JSON "'");
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return subscribe(http, exchange, call);
    const struct master_caller caller = {.stream_id =
                                             http_exchange_header(exchange, "Mesos-Stream-Id"),
                                         .principal = request->principal};
    struct master_answer answer = master_call(http->master, call, &caller);
    if (answer.status >= 400)
        return http_exchange_refuse(exchange, answer.status, answer.error.text);
    return answer_with(exchange, answer.status, NULL, "");
}

static enum MHD_Result refuse_body(struct http_exchange *exchange, bool json)
{
    if (exchange->state == HTTP_BODY_NO_ROOM)
        return http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                    "Too many calls are being received at the moment");
    return http_exchange_refuse(
        exchange, MHD_HTTP_CONTENT_TOO_LARGE,
        json ? "The call is larger than the local cluster accepts in JSON (4 MiB); in protobuf it "
               "accepts 64 MiB"
             : "The call is larger than the local cluster accepts (64 MiB, and 4 MiB without the "
               "'Mesos-Stream-Id' of a subscription)");
}

static enum MHD_Result on_scheduler(struct cluster_http *http, struct http_exchange *exchange)
{
    const char *type = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    const struct cluster_request *request = exchange->data;
    struct error err = {0};
    if (type == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST,
                                    "Expecting 'Content-Type' to be present");
    if (!request->json && strcmp(type, PROTOBUF) != 0)
        return http_exchange_refuse(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                    "Expecting 'Content-Type' of " JSON " or " PROTOBUF);
    if (exchange->state != HTTP_BODY_WHOLE)
        return refuse_body(exchange, request->json);
    Call *call = parse(exchange, request->json, &err);
    if (call == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_BAD_REQUEST, err.text);
    enum MHD_Result result = answer_call(http, exchange, call);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    return result;
}

static enum MHD_Result on_health(struct cluster_http *http, struct http_exchange *exchange)
{
    (void)http;
    return answer_with(exchange, MHD_HTTP_OK, NULL, "");
}

static enum MHD_Result on_state(struct cluster_http *http, struct http_exchange *exchange)
{
    char *state = status_document(http->master);
    enum MHD_Result result = answer_with(exchange, MHD_HTTP_OK, JSON, state);
    free(state);
    return result;
}

static const struct route {
    const char *path, *method;
    const char *realm; // NULL: it needs no credentials
    enum MHD_Result (*answer)(struct cluster_http *http, struct http_exchange *exchange);
} routes[] = {
    {"/api/v1/scheduler", MHD_HTTP_METHOD_POST, "mesos-master-scheduler", on_scheduler},
    {"/health", MHD_HTTP_METHOD_GET, NULL, on_health},
    {"/state", MHD_HTTP_METHOD_GET, "mesos-master-readonly", on_state},
};

// Ignores the authority of an absolute URI, further slashes and "/master" in front, and slashes at
// the end.
static bool path_is(const char *url, const char *path)
{
    const char *authority = *url != '/' ? strstr(url, "://") : NULL;
    if (authority != NULL)
        url = authority + 3 + strcspn(authority + 3, "/");
    while (url[0] == '/' && url[1] == '/')
        url++;
    if (strncmp(url, "/master/", 8) == 0)
        url += 7;
    size_t length = strlen(path);
    return strncmp(url, path, length) == 0 && url[length + strspn(url + length, "/")] == '\0';
}

static const struct route *find_route(const char *url)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (path_is(url, routes[i].path))
            return &routes[i];
    return NULL;
}

// ---- the server's callbacks ----

static bool is_subscribed(const struct cluster_http *http, const char *stream_id)
{
    const struct stream *stream;
    TAILQ_FOREACH(stream, &http->streams, link)
    {
        if (stream_id != NULL && stream->open && strcmp(stream->id, stream_id) == 0)
            return true;
    }
    return false;
}

// Returns the limit of the body: one byte if the request will be refused, so nothing is stored.
static size_t on_begin(void *data, struct http_exchange *exchange)
{
    struct cluster_http *http = data;
    struct cluster_request *request = exchange->data = memory_new(sizeof *request);
    const char *type = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *authorization = http_exchange_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION);
    request->route = find_route(exchange->url);
    request->json = type != NULL && strcmp(type, JSON) == 0;
    request->allowed = http_access_allows(http->access, authorization, &request->principal) ||
                       (request->route != NULL && request->route->realm == NULL);
    if (!request->allowed || request->route == NULL || request->route->answer != on_scheduler)
        return 1;
    bool known = is_subscribed(http, http_exchange_header(exchange, "Mesos-Stream-Id"));
    return known && !request->json ? CLUSTER_HTTP_CALL_LIMIT : CLUSTER_HTTP_SMALL_LIMIT;
}

static enum MHD_Result on_request(void *data, struct http_exchange *exchange)
{
    const struct cluster_request *request = exchange->data;
    const struct route *route = request->route;
    if (!request->allowed)
        return refuse_unauthorized(data, exchange, route ? route->realm : "mesos-master-readonly");
    if (route == NULL)
        return http_exchange_refuse(exchange, MHD_HTTP_NOT_FOUND, "404 Not Found.");
    bool head = strcmp(exchange->method, MHD_HTTP_METHOD_HEAD) == 0 &&
                strcmp(route->method, MHD_HTTP_METHOD_GET) == 0;
    if (!head && strcmp(exchange->method, route->method) != 0)
        return refuse_method(exchange, route->method);
    return route->answer(data, exchange);
}

static void on_completed(void *data, struct http_exchange *exchange)
{
    struct cluster_request *request = exchange->data;
    (void)data;
    if (request == NULL)
        return;
    if (request->stream != NULL)
        destroy_stream(request->stream);
    free(request);
    exchange->data = NULL;
}

static void on_left(void *data, struct http_exchange *exchange)
{
    const struct cluster_request *request = exchange->data;
    (void)data;
    lose_stream(request->stream);
    wake(request->stream);
}

// ---- life ----

struct cluster_http *cluster_http_create(struct loop *loop,
                                         const struct cluster_http_options *options,
                                         struct error *err)
{
    struct cluster_http *http = memory_new(sizeof *http);
    const struct http_server_settings settings = {.what = "the local cluster",
                                                  .begin = on_begin,
                                                  .answer = on_request,
                                                  .completed = on_completed,
                                                  .left = on_left,
                                                  .data = http,
                                                  .hosts = options->hosts,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTION_LIMIT};
    http->access = options->access;
    TAILQ_INIT(&http->streams);
    http->server = http_server_create(loop, options->listen, &settings, err);
    if (http->server != NULL)
        return http;
    cluster_http_destroy(http);
    return NULL;
}

bool cluster_http_exposed(const struct cluster_http *http)
{
    return http_access_open(http->access) && !http_server_on_loopback(http->server);
}

const char *cluster_http_address(const struct cluster_http *http)
{
    return http_server_address(http->server);
}

const char *cluster_http_ip(const struct cluster_http *http)
{
    return http_server_ip(http->server);
}

unsigned cluster_http_port(const struct cluster_http *http)
{
    return http_server_port(http->server);
}

void cluster_http_serve(struct cluster_http *http, struct master *master)
{
    http->master = master;
}

void cluster_http_destroy(struct cluster_http *http)
{
    if (http == NULL)
        return;
    http->master = NULL;
    struct stream *stream;
    TAILQ_FOREACH(stream, &http->streams, link)
    {
        stream->broken = true;
        wake(stream);
    }
    http_server_destroy(http->server);
    http_access_destroy(http->access);
    free(http);
}
