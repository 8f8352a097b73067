// SPDX-License-Identifier: Apache-2.0
//
// The scheduler API over HTTP (net/http_server.h). A subscription is a response whose reader hands
// out one record a time, so that each is a chunk of its own as with a real master, and suspends the
// connection when there is none. Where many wait, as after a RECONCILE of everything, a chunk holds
// as many as fit: each by itself would cost a system call, and its client another. libmicrohttpd
// does not look at a suspended connection, so that a poll of our own sees when its client goes
// away.
//
// A stream belongs to its request, and is freed when libmicrohttpd says that the request is
// completed. `open` says that the master may still call its sink.

#include "cluster/cluster_http.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/json_message.h"
#include "cluster/text_check.h"
#include "cluster/uuid.h"
#include "loop/loop_uv.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MEMORY                                                                          \
    ((size_t)64 << 10) // headers, and the largest chunk; cleared for each call
#define CONNECTION_LIMIT 10000
#define READ_AT_ONCE ((size_t)32 << 10)
#define CROWD 64 // records

#define JSON "application/json"
#define PROTOBUF "application/x-protobuf"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

struct cluster_http {
    struct loop *loop;
    struct master *master;
    struct http_server *server;
    TAILQ_HEAD(, stream) streams;
};

struct record {
    STAILQ_ENTRY(record) link;
    size_t length, sent;
    uint8_t data[];
};

struct stream {
    struct cluster_http *http;
    struct MHD_Connection *connection;
    TAILQ_ENTRY(stream) link;
    char id[UUID_TEXT];
    bool json;
    bool open;      // the master may emit into it
    bool ended;     // a last chunk follows what is queued
    bool broken;    // nothing can be sent any more
    bool suspended; // until there is a record
    int fd;
    uv_poll_t *watch;
    STAILQ_HEAD(, record) records;
    size_t queued, waiting; // bytes and records
};

struct request {
    struct buffer body;
    bool too_large;
    struct stream *stream;
};

// ---- polls: libuv lets go of them in a close callback ----

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static uv_poll_t *open_poll(struct cluster_http *http, int fd, int events, uv_poll_cb callback,
                            void *data)
{
    uv_poll_t *poll = memory_new(sizeof *poll);
    if (uv_poll_init(loop_uv_handle(http->loop), poll, fd) != 0) {
        free(poll);
        return NULL;
    }
    poll->data = data;
    uv_poll_start(poll, events, callback);
    return poll;
}

static void close_poll(uv_poll_t **poll)
{
    if (*poll != NULL)
        uv_close((uv_handle_t *)*poll, on_poll_closed);
    *poll = NULL;
}

// ---- streams ----

static void wake(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
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
    log_warning("a client does not read its events: cutting its stream with %zu bytes unsent",
                stream->queued);
    stream->broken = true;
    shutdown(stream->fd, SHUT_RDWR); // the watch sees it, and tells the master
}

static struct record *record_new(size_t payload)
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
        record = record_new(text.length);
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
    struct record *record = record_new(size);
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

// Its client is gone: the master is told, once.
static void stream_lost(struct stream *stream)
{
    close_poll(&stream->watch);
    stream->broken = true;
    if (stream->open && stream->http->master != NULL) {
        stream->open = false;
        master_stream_closed(stream->http->master, stream->id);
    }
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
    struct stream *stream = poll->data;
    (void)status; // an error of the socket is its end as well
    (void)events;
    stream_lost(stream);
    wake(stream);
}

// Of the first record as much as there is room for.
static size_t read_record(struct stream *stream, char *to, size_t room)
{
    struct record *record = STAILQ_FIRST(&stream->records);
    size_t left = record->length - record->sent, length = left < room ? left : room;
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

static ssize_t read_stream(void *data, uint64_t position, char *to, size_t room)
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
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t length = read_record(stream, to, room);
    while (stream->waiting >= CROWD && length < room)
        length += read_record(stream, to + length, room - length);
    return (ssize_t)length;
}

static struct stream *stream_create(struct cluster_http *http, struct MHD_Connection *connection,
                                    bool json)
{
    struct stream *stream = memory_new(sizeof *stream);
    stream->http = http;
    stream->connection = connection;
    stream->json = json;
    stream->open = true;
    stream->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    uuid_random_text(stream->id);
    STAILQ_INIT(&stream->records);
    TAILQ_INSERT_TAIL(&http->streams, stream, link);
    stream->watch = open_poll(http, stream->fd, UV_DISCONNECT, on_watch, stream);
    return stream;
}

static void stream_destroy(struct stream *stream)
{
    stream_lost(stream);
    for (struct record *record; (record = STAILQ_FIRST(&stream->records)) != NULL;) {
        STAILQ_REMOVE_HEAD(&stream->records, link);
        free(record);
    }
    TAILQ_REMOVE(&stream->http->streams, stream, link);
    free(stream);
}

// ---- headers ----

struct search {
    const char *name, *value;
};

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct search *search = data;
    (void)kind;
    if (strcasecmp(name, search->name) == 0)
        search->value = value ? value : "";
    return MHD_YES;
}

// Of a repeated header the last one counts.
static const char *header(struct MHD_Connection *connection, const char *name)
{
    struct search search = {.name = name};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &search);
    return search.value;
}

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

// Does a range such as "application/*;q=0.5" cover the type? q=0 excludes it.
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

static bool accepts(struct MHD_Connection *connection, const char *type)
{
    const char *accept = header(connection, "Accept");
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

static enum MHD_Result refuse(struct MHD_Connection *connection, int status, const char *text)
{
    return http_server_reply(connection, status, "text/plain; charset=utf-8", text, NULL);
}

static enum MHD_Result refuse_method(struct MHD_Connection *connection, const char *method,
                                     const char *expected)
{
    char *text = memory_format(
        "405 Method Not Allowed. Expecting one of { '%s' }, but received '%s'.", expected, method);
    enum MHD_Result result = http_server_reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                                               "text/plain; charset=utf-8", text, expected);
    free(text);
    return result;
}

static enum MHD_Result start_stream(struct request *request, const Call *call)
{
    static const struct master_sink sink = {.event = on_event, .end = on_end};
    struct stream *stream = request->stream;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, READ_AT_ONCE, read_stream, stream, NULL);
    MHD_add_response_header(response, "Mesos-Stream-Id", stream->id);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, stream->json ? JSON : PROTOBUF);
    master_subscribe(stream->http->master, call, stream->id, &sink, stream);
    enum MHD_Result result = MHD_queue_response(stream->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

// ---- the scheduler endpoint ----

static Call *parse(const struct request *request, bool json, struct error *err)
{
    struct slice body = buffer_slice(&request->body);
    if (json)
        return (Call *)json_message_read(&mesos__v1__scheduler__call__descriptor, body, err);
    if (!text_check(body, &mesos__v1__scheduler__call__descriptor, err)) {
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

static enum MHD_Result subscribe(struct cluster_http *http, struct MHD_Connection *connection,
                                 struct request *request, const Call *call)
{
    if (header(connection, "Mesos-Stream-Id") != NULL)
        return refuse(connection, MHD_HTTP_BAD_REQUEST,
                      "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    request->stream = stream_create(http, connection, accepts(connection, JSON));
    return start_stream(request, call);
}

static enum MHD_Result answer_call(struct cluster_http *http, struct MHD_Connection *connection,
                                   struct request *request, const Call *call)
{
    struct error err = {0};
    if (!master_validate(call, &err))
        return refuse(connection, MHD_HTTP_BAD_REQUEST, err.text);
    if (needs_accept(call) && !accepts(connection, JSON) && !accepts(connection, PROTOBUF))
        return refuse(connection, MHD_HTTP_NOT_ACCEPTABLE,
                      "Expecting 'Accept' to allow '" PROTOBUF "' or '" JSON "'");
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
        return subscribe(http, connection, request, call);
    struct master_answer answer =
        master_call(http->master, call, header(connection, "Mesos-Stream-Id"));
    if (answer.status >= 400)
        return refuse(connection, answer.status, answer.error.text);
    return http_server_reply(connection, answer.status, NULL, "", NULL);
}

static enum MHD_Result on_scheduler(struct cluster_http *http, struct MHD_Connection *connection,
                                    struct request *request)
{
    const char *type = header(connection, "Content-Type");
    struct error err = {0};
    if (type == NULL)
        return refuse(connection, MHD_HTTP_BAD_REQUEST, "Expecting 'Content-Type' to be present");
    bool json = strcmp(type, JSON) == 0;
    if (!json && strcmp(type, PROTOBUF) != 0)
        return refuse(connection, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                      "Expecting 'Content-Type' of " JSON " or " PROTOBUF);
    if (request->too_large)
        return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                      "The call is larger than the local cluster takes (64 MiB)");
    Call *call = parse(request, json, &err);
    if (call == NULL)
        return refuse(connection, MHD_HTTP_BAD_REQUEST, err.text);
    enum MHD_Result result = answer_call(http, connection, request, call);
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    return result;
}

static enum MHD_Result on_health(struct cluster_http *http, struct MHD_Connection *connection,
                                 struct request *request)
{
    (void)http;
    (void)request;
    return http_server_reply(connection, MHD_HTTP_OK, NULL, "", NULL);
}

static enum MHD_Result on_state(struct cluster_http *http, struct MHD_Connection *connection,
                                struct request *request)
{
    (void)request;
    char *state = master_state(http->master);
    enum MHD_Result result = http_server_reply(connection, MHD_HTTP_OK, JSON, state, NULL);
    free(state);
    return result;
}

static const struct route {
    const char *path, *method;
    enum MHD_Result (*answer)(struct cluster_http *http, struct MHD_Connection *connection,
                              struct request *request);
} routes[] = {
    {"/api/v1/scheduler", MHD_HTTP_METHOD_POST, on_scheduler},
    {"/health", MHD_HTTP_METHOD_GET, on_health},
    {"/state", MHD_HTTP_METHOD_GET, on_state},
};

// "/master" in front, more slashes there and one at the end do not count, nor does the authority of
// an absolute URI.
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

static enum MHD_Result route(struct cluster_http *http, struct MHD_Connection *connection,
                             struct request *request, const char *url, const char *method)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!path_is(url, routes[i].path))
            continue;
        bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 &&
                    strcmp(routes[i].method, MHD_HTTP_METHOD_GET) == 0;
        if (!head && strcmp(method, routes[i].method) != 0)
            return refuse_method(connection, method, routes[i].method);
        return routes[i].answer(http, connection, request);
    }
    return refuse(connection, MHD_HTTP_NOT_FOUND, "404 Not Found.");
}

// ---- libmicrohttpd's callbacks ----

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
    struct request *request = *slot;
    (void)version;
    if (request == NULL) {
        request = *slot = memory_new(sizeof *request);
        buffer_init(&request->body, CLUSTER_HTTP_BODY_LIMIT);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        if (!request->too_large && !buffer_append(&request->body, upload, *upload_size)) {
            request->too_large = true;
            buffer_free(&request->body);
        }
        *upload_size = 0;
        return MHD_YES;
    }
    enum MHD_Result result = route(data, connection, request, url, method);
    buffer_free(&request->body);
    return result;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *slot;
    (void)data;
    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    if (request->stream != NULL)
        stream_destroy(request->stream);
    buffer_free(&request->body);
    free(request);
    *slot = NULL;
}

struct cluster_http *cluster_http_create(struct loop *loop, const char *listen, struct error *err)
{
    struct cluster_http *http = memory_new(sizeof *http);
    const struct http_server_settings settings = {.what = "the local cluster",
                                                  .request = on_request,
                                                  .completed = on_completed,
                                                  .data = http,
                                                  .memory = CONNECTION_MEMORY,
                                                  .connections = CONNECTION_LIMIT};
    http->loop = loop;
    TAILQ_INIT(&http->streams);
    http->server = http_server_create(loop, listen, &settings, err);
    if (http->server != NULL)
        return http;
    free(http);
    return NULL;
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
        close_poll(&stream->watch);
        stream->broken = true;
        wake(stream);
    }
    http_server_destroy(http->server);
    free(http);
}
