// SPDX-License-Identifier: Apache-2.0
//
// One POST through libcurl: see http_request.h. The body is read through a callback that cannot
// rewind. libcurl, which repeats a request by itself when a kept connection turns out to be dead,
// then fails instead as soon as a byte of the body had been sent, and a call whose body has not
// been sent cannot have been carried out.

#include "net/http_request.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH "/api/v1/scheduler"

// ---- the answer's headers ----

struct wanted {
    const char *name;
    size_t offset, size;
};

#define WANTED(header, member)                                                                     \
    {                                                                                              \
        header, offsetof(struct http_request, member), sizeof((struct http_request *)0)->member    \
    }

static const struct wanted wanted[] = {
    WANTED("Content-Type:", content_type),
    WANTED("Mesos-Stream-Id:", stream_id),
    WANTED("Location:", location),
};

static void clear_answer(struct http_request *request)
{
    request->answered = false;
    request->status = 0;
    request->content_type[0] = request->stream_id[0] = request->location[0] = 0;
    request->detail[0] = request->address[0] = 0;
    request->result = CURLE_OK;
    buffer_clear(&request->body);
}

// Keeps the value of a header that we want; when one is repeated the last one counts, as at the
// master.
static void read_header(struct http_request *request, const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t name = strlen(wanted[i].name);
        if (length < name || strncasecmp(line, wanted[i].name, name) != 0)
            continue;
        while (name < length && (line[name] == ' ' || line[name] == '\t'))
            name++;
        while (length > name && (line[length - 1] == ' ' || line[length - 1] == '\t'))
            length--;
        snprintf((char *)request + wanted[i].offset, wanted[i].size, "%.*s", (int)(length - name),
                 line + name);
    }
}

// The end of a block of headers; that of a 1xx is not the last one.
static bool end_headers(struct http_request *request)
{
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)
        return true;
    request->answered = true;
    request->status = (int)status;
    return request->events->answered == NULL || request->events->answered(request->data);
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_request *request = data;
    size_t length = size * count, content = length;
    while (content && (line[content - 1] == '\n' || line[content - 1] == '\r'))
        content--;
    if (request->answered) // trailers of a chunked body
        return length;
    if (content == 0)
        return end_headers(request) ? length : 0;
    read_header(request, line, content);
    return length;
}

// ---- bodies ----

static size_t on_send(char *space, size_t size, size_t count, void *data)
{
    struct http_request *request = data;
    size_t room = size * count, rest = request->call->length - request->sent;
    size_t length = rest < room ? rest : room;
    memcpy(space, request->call->data + request->sent, length);
    request->sent += length;
    return length;
}

void http_request_keep(struct http_request *request, const uint8_t *bytes, size_t length)
{
    size_t room = request->body.limit - request->body.length;
    buffer_append(&request->body, bytes, length < room ? length : room);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_request *request = data;
    size_t length = size * count;
    enum http_request_body taken = HTTP_REQUEST_TAKEN;
    if (request->events->body != NULL)
        taken = request->events->body(request->data, (const uint8_t *)bytes, length);
    else
        http_request_keep(request, (const uint8_t *)bytes, length);
    if (taken == HTTP_REQUEST_LATER)
        return CURL_WRITEFUNC_PAUSE;
    return taken == HTTP_REQUEST_TAKEN ? length : 0;
}

// ---- the end ----

static const char *const explanations[] = {
    [CURLE_COULDNT_CONNECT] = "cannot connect",
    [CURLE_OUT_OF_MEMORY] = "out of memory, or the headers of the answer are too long",
    [CURLE_GOT_NOTHING] = "the connection was closed without an answer",
    [CURLE_UNSUPPORTED_PROTOCOL] = "the answer is not HTTP",
    [CURLE_WEIRD_SERVER_REPLY] = "the answer is not HTTP",
    [CURLE_PARTIAL_FILE] = "the connection was closed before the end of the answer",
    [CURLE_SEND_FAIL_REWIND] = "the connection was closed before the answer",
};

static const char *explain(CURLcode result)
{
    return result < sizeof explanations / sizeof *explanations ? explanations[result] : NULL;
}

// libcurl's own words, or the system's where libcurl leaves them out.
static const char *find_detail(const struct http_request *request)
{
    long system = 0;
    curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &system);
    if (request->result == CURLE_COULDNT_CONNECT && system != 0)
        return strerror((int)system);
    return request->detail[0] ? request->detail : curl_easy_strerror(request->result);
}

const char *http_request_failure(struct http_request *request)
{
    CURLcode result = request->result;
    if (result == CURLE_OK)
        return NULL;
    bool broke = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR;
    const char *known =
        broke && !request->answered ? explanations[CURLE_GOT_NOTHING] : explain(result);
    const char *detail = find_detail(request);
    if (known != NULL && (broke || result == CURLE_COULDNT_CONNECT))
        snprintf(request->failure, sizeof request->failure, "%s: %s", known, detail);
    else
        snprintf(request->failure, sizeof request->failure, "%s", known ? known : detail);
    return request->failure;
}

// The address that a redirect names. One that cannot be read counts as none, and is quoted where
// the answer has no words of its own.
static const char *resolve_location(struct http_request *request)
{
    struct url url;
    struct error err = {.code = ERROR_NONE};
    if (request->location[0] == 0 || request->status / 100 != 3)
        return NULL;
    if (url_resolve(&url, &request->master, request->location, &err))
        return url_address(&url, request->address);
    if (request->body.length == 0)
        buffer_append_text(&request->body, err.text);
    return NULL;
}

struct http_reply http_request_reply(struct http_request *request)
{
    const char *failure = http_request_failure(request);
    if (failure != NULL && !request->answered)
        return (struct http_reply){.status = 0, .body = slice_text(failure)};
    const char *location = resolve_location(request);
    return (struct http_reply){
        .status = request->status, .body = buffer_slice(&request->body), .location = location};
}

struct buffer http_request_take_body(struct http_request *request)
{
    struct buffer body = request->body;
    buffer_init(&request->body, HTTP_REPLY_LIMIT);
    return body;
}

static void drop_call(struct http_request *request)
{
    request->running = false;
    bytes_unref(request->call);
    request->call = NULL;
}

static void on_done(void *data, CURLcode result)
{
    struct http_request *request = data;
    request->result = result;
    drop_call(request);
    request->events->done(request->data);
}

// ---- life ----

static void add_header(struct http_request *request, const char *line)
{
    request->headers = curl_slist_append(request->headers, line);
}

// A header without a value keeps libcurl from adding it: an Expect is never answered by a master,
// and Proxy-Connection has no meaning in HTTP/1.1.
static void set_headers(struct http_request *request, const char *stream_id)
{
    add_header(request, "Accept: application/x-protobuf");
    add_header(request, "Content-Type: application/x-protobuf");
    add_header(request, "Expect:");
    add_header(request, "Proxy-Connection:");
    if (stream_id != NULL) {
        char *line = memory_format("Mesos-Stream-Id: %s", stream_id);
        add_header(request, line);
        free(line);
    }
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(request->easy, CURLOPT_USERAGENT, "mesos-lua/" MESOS_LUA_VERSION);
}

static void set_address(struct http_request *request)
{
    char address[URL_ADDRESS];
    char *url = memory_format("%s" PATH, url_address(&request->master, address));
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    free(url);
    curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(request->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(request->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (url_is_loopback(&request->master))
        curl_easy_setopt(request->easy, CURLOPT_PROXY, "");
}

// QUICK_EXIT: a name that is still being looked up is left to its thread instead of waited for.
static void set_connection(struct http_request *request, const struct http_request_options *options)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(options->connect_timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(options->timeout * 1000));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->detail);
}

static void set_callbacks(struct http_request *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &request->job);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_READDATA, request);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
}

void http_request_init(struct http_request *request, struct http *http, const struct url *master,
                       const char *stream_id, const struct http_request_options *options,
                       const struct http_request_events *events, void *data)
{
    *request = (struct http_request){.http = http,
                                     .easy = curl_easy_init(),
                                     .job = {.done = on_done, .data = request},
                                     .events = events,
                                     .data = data,
                                     .master = *master};
    buffer_init(&request->body, HTTP_REPLY_LIMIT);
    set_headers(request, stream_id);
    set_address(request);
    set_connection(request, options);
    set_callbacks(request);
}

void http_request_free(struct http_request *request)
{
    http_request_stop(request);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    buffer_free(&request->body);
    request->easy = NULL;
    request->headers = NULL;
}

void http_request_start(struct http_request *request, struct bytes *call)
{
    clear_answer(request);
    request->call = bytes_ref(call);
    request->sent = 0;
    request->running = true;
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->length);
    http_start(request->http, request->easy);
}

void http_request_stop(struct http_request *request)
{
    if (!request->running)
        return;
    http_stop(request->http, request->easy);
    drop_call(request);
}

void http_request_pause(struct http_request *request, bool paused)
{
    if (request->running)
        curl_easy_pause(request->easy, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}
