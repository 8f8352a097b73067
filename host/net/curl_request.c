// SPDX-License-Identifier: Apache-2.0
//
// One POST through libcurl: see curl_request.h. The body is read through a callback that cannot
// rewind. libcurl, which repeats a request by itself when a reused connection turns out to be dead,
// then fails instead as soon as a byte of the body had been sent, and a call whose body has not
// been sent cannot have been carried out.

#include "net/curl_request.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// ---- the answer's headers ----

struct wanted {
    const char *name;
    size_t offset, size;
};

#define WANTED(header, member)                                                                     \
    {                                                                                              \
        header, offsetof(struct curl_request, member), sizeof((struct curl_request *)0)->member    \
    }

static const struct wanted wanted[] = {
    WANTED("Content-Type:", content_type),
    WANTED("Mesos-Stream-Id:", stream_id),
    WANTED("Location:", location),
    WANTED("WWW-Authenticate:", challenge),
};

static void clear_answer(struct curl_request *request)
{
    request->answered = false;
    request->status = 0;
    request->content_type[0] = request->stream_id[0] = request->location[0] = 0;
    request->challenge[0] = 0;
    request->detail[0] = request->address[0] = 0;
    request->result = CURLE_OK;
    buffer_clear(&request->body);
}

// Keeps the value of a header that is needed; if it is repeated the last one counts, as at the
// master.
static void read_header(struct curl_request *request, const char *line, size_t length)
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
static bool end_headers(struct curl_request *request)
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
    struct curl_request *request = data;
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
    struct curl_request *request = data;
    size_t room = size * count, rest = request->call->length - request->sent;
    size_t length = rest < room ? rest : room;
    memcpy(space, request->call->data + request->sent, length);
    request->sent += length;
    return length;
}

void curl_request_keep(struct curl_request *request, const uint8_t *bytes, size_t length)
{
    size_t room = request->body.limit - request->body.length;
    buffer_append(&request->body, bytes, length < room ? length : room);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct curl_request *request = data;
    size_t length = size * count;
    enum curl_request_body taken = CURL_REQUEST_TAKEN;
    if (request->events->body != NULL)
        taken = request->events->body(request->data, (const uint8_t *)bytes, length);
    else
        curl_request_keep(request, (const uint8_t *)bytes, length);
    if (taken == CURL_REQUEST_LATER)
        return CURL_WRITEFUNC_PAUSE;
    return taken == CURL_REQUEST_TAKEN ? length : 0;
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

// A hint for a master that speaks HTTPS where HTTP was used, or the reverse.
static const char *hint(const struct curl_request *request)
{
    CURLcode result = request->result;
    if (request->answered || request->master.tls)
        return "";
    if (result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_WEIRD_SERVER_REPLY)
        return " (perhaps it is TLS: https:// or --tls)";
    if (result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR)
        return " (a master that wants TLS does that: https:// or --tls)";
    return "";
}

static const char *explain(CURLcode result)
{
    return result < sizeof explanations / sizeof *explanations ? explanations[result] : NULL;
}

// libcurl's own words, or the system's where libcurl leaves them out.
static const char *find_detail(const struct curl_request *request)
{
    long system = 0;
    curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &system);
    if (request->result == CURLE_COULDNT_CONNECT && system != 0)
        return strerror((int)system);
    return request->detail[0] ? request->detail : curl_easy_strerror(request->result);
}

const char *curl_request_failure(struct curl_request *request)
{
    CURLcode result = request->result;
    if (result == CURLE_OK)
        return NULL;
    if (request->master.tls && !request->answered &&
        tls_explain(curl_loop_tls(request->curl_loop), request->master.host,
                    result == CURLE_PEER_FAILED_VERIFICATION, find_detail(request),
                    request->failure, sizeof request->failure))
        return request->failure;
    bool broke = result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR;
    const char *known =
        broke && !request->answered ? explanations[CURLE_GOT_NOTHING] : explain(result);
    const char *detail = find_detail(request);
    if (known != NULL && (broke || result == CURLE_COULDNT_CONNECT))
        snprintf(request->failure, sizeof request->failure, "%s: %s%s", known, detail,
                 hint(request));
    else
        snprintf(request->failure, sizeof request->failure, "%s%s", known ? known : detail,
                 hint(request));
    return request->failure;
}

// Never follow a redirect from https to http, or to a host that is not known to be a master: it
// would expose the credentials.
static bool resolve(const struct curl_request *request, struct url *url, struct error *err)
{
    const struct credentials *credentials = request->options.credentials;
    const char *from = request->master.host;
    if (!url_resolve(url, &request->master, request->location, err))
        return false;
    if (!url->tls && request->master.tls)
        return error_set(err, ERROR_REFUSED, "its redirect leads out of TLS and is not followed");
    if (credentials == NULL || credentials_follow(credentials, from, url->host))
        return true;
    return error_set(err, ERROR_REFUSED,
                     "its redirect to '%s' is not followed, as that would send the credentials to "
                     "a host that neither --master nor ZooKeeper names; --redirect-hosts %s "
                     "allows it",
                     url->host, url->host);
}

// The address that a redirect names. One that cannot be read counts as none, and is quoted if the
// answer has no body; one that is refused is reported in any case.
static const char *resolve_location(struct curl_request *request)
{
    struct url url;
    struct error err = {.code = ERROR_NONE};
    if (request->location[0] == 0 || request->status / 100 != 3)
        return NULL;
    if (resolve(request, &url, &err))
        return url_address(&url, request->address);
    if (err.code == ERROR_REFUSED)
        buffer_clear(&request->body);
    if (request->body.length == 0)
        buffer_append_text(&request->body, err.text);
    return NULL;
}

struct http_reply curl_request_reply(struct curl_request *request)
{
    const char *failure = curl_request_failure(request);
    if (failure != NULL && !request->answered)
        return (struct http_reply){.status = 0, .body = slice_text(failure), .broken = true};
    const char *location = resolve_location(request);
    return (struct http_reply){.status = request->status,
                               .body = buffer_slice(&request->body),
                               .location = location,
                               .challenge = request->challenge[0] ? request->challenge : NULL};
}

struct buffer curl_request_take_body(struct curl_request *request)
{
    struct buffer body = request->body;
    buffer_init(&request->body, HTTP_REPLY_LIMIT);
    return body;
}

static void drop_call(struct curl_request *request)
{
    peer_timeout_stop(&request->timeout);
    request->running = false;
    bytes_unref(request->call);
    request->call = NULL;
}

static void on_done(void *data, CURLcode result)
{
    struct curl_request *request = data;
    request->result = result;
    drop_call(request);
    request->events->done(request->data);
}

// ---- time-outs ----

static bool is_connected(const struct curl_request *request)
{
    curl_off_t taken = 0;
    curl_easy_getinfo(request->easy, CURLINFO_PRETRANSFER_TIME_T, &taken);
    return taken > 0;
}

static void give_up(struct curl_request *request, const char *what, double seconds)
{
    curl_loop_stop(request->curl_loop, request->easy);
    snprintf(request->detail, sizeof request->detail, "%s within %g seconds", what, seconds);
    on_done(request, CURLE_OPERATION_TIMEDOUT);
}

static void on_timeout_due(void *data, uint64_t waited)
{
    struct curl_request *request = data;
    uint64_t connect = loop_seconds(request->options.connect_timeout);
    uint64_t end = loop_seconds(request->options.timeout);
    if (waited >= end)
        give_up(request, "no answer", request->options.timeout);
    else if (waited < connect && connect < end)
        peer_timeout_until(&request->timeout, connect);
    else if (waited >= connect && !is_connected(request))
        give_up(request, "no connection", request->options.connect_timeout);
    else
        peer_timeout_until(&request->timeout, end);
}

void curl_request_endless(struct curl_request *request)
{
    peer_timeout_stop(&request->timeout);
}

// ---- life ----

static void add_header(struct curl_request *request, const char *line)
{
    request->headers = curl_slist_append(request->headers, line);
}

// A header without a value keeps libcurl from adding it: an Expect is never answered by a master,
// and Proxy-Connection has no meaning in HTTP/1.1.
static void set_headers(struct curl_request *request)
{
    curl_slist_free_all(request->headers);
    request->headers = NULL;
    add_header(request, "Accept: application/x-protobuf");
    add_header(request, "Content-Type: application/x-protobuf");
    add_header(request, "Expect:");
    add_header(request, "Proxy-Connection:");
    if (request->stream_id_line != NULL)
        add_header(request, request->stream_id_line);
    if (request->authorization.header != NULL)
        add_header(request, request->authorization.header);
    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
}

static void authorize(struct curl_request *request)
{
    if (authorization_renew(&request->authorization, request->options.credentials))
        set_headers(request);
}

// The name stays in the URL, for the certificate and the Host header.
static void set_ip(struct curl_request *request)
{
    const struct url *master = &request->master;
    if (master->ip[0] == 0)
        return;
    bool ipv6 = strchr(master->ip, ':') != NULL;
    char *line =
        memory_format(ipv6 ? "%s:%u:[%s]" : "%s:%u:%s", master->host, master->port, master->ip);
    request->addresses = curl_slist_append(NULL, line);
    free(line);
    curl_easy_setopt(request->easy, CURLOPT_RESOLVE, request->addresses);
}

static void set_address(struct curl_request *request)
{
    char address[URL_ADDRESS];
    const struct peer_api *api = request->options.api ? request->options.api : &peer_api_master;
    char *url = memory_format("%s%s", url_address(&request->master, address), api->path);
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    free(url);
    curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(request->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(request->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set_ip(request);
    if (api->socket != NULL)
        curl_easy_setopt(request->easy, CURLOPT_UNIX_SOCKET_PATH, api->socket);
    if (api->socket != NULL || url_is_loopback(&request->master))
        curl_easy_setopt(request->easy, CURLOPT_PROXY, "");
}

// QUICK_EXIT: a name lookup in progress is left to its thread and not waited for. The time-out of
// libcurl for connecting is a day, as `timeout` counts the time; the addresses of a name are tried
// in any order, since a dead first one would be tried first each time.
static void set_connection(struct curl_request *request)
{
    const long day = 24 * 60 * 60 * 1000;
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mesos-lua/" MESOS_LUA_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, day);
    curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->detail);
}

static void set_callbacks(struct curl_request *request)
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

void curl_request_init(struct curl_request *request, struct curl_loop *curl_loop,
                       const struct url *master, const char *stream_id,
                       const struct curl_request_options *options,
                       const struct curl_request_events *events, void *data)
{
    *request = (struct curl_request){.curl_loop = curl_loop,
                                     .easy = curl_easy_init(),
                                     .job = {.done = on_done, .data = request},
                                     .events = events,
                                     .data = data,
                                     .master = *master,
                                     .options = *options};
    buffer_init(&request->body, HTTP_REPLY_LIMIT);
    peer_timeout_init(&request->timeout, curl_loop_loop(curl_loop), on_timeout_due, request);
    if (stream_id != NULL)
        request->stream_id_line = memory_format("Mesos-Stream-Id: %s", stream_id);
    set_headers(request);
    set_address(request);
    set_connection(request);
    set_callbacks(request);
    if (master->tls)
        tls_apply(curl_loop_tls(curl_loop), request->easy);
}

// Nothing is called after it.
static void stop(struct curl_request *request)
{
    if (!request->running)
        return;
    curl_loop_stop(request->curl_loop, request->easy);
    drop_call(request);
}

void curl_request_free(struct curl_request *request)
{
    stop(request);
    if (request->job.stays)
        curl_loop_stop(request->curl_loop, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->addresses);
    free(request->stream_id_line);
    authorization_forget(&request->authorization);
    buffer_free(&request->body);
    request->easy = NULL;
    request->headers = request->addresses = NULL;
    request->stream_id_line = NULL;
}

static void begin(struct curl_request *request)
{
    request->running = true;
    curl_loop_start(request->curl_loop, request->easy);
    tls_begin(curl_loop_tls(request->curl_loop));
    peer_timeout_start(&request->timeout);
}

void curl_request_start(struct curl_request *request, struct bytes *call)
{
    clear_answer(request);
    authorize(request);
    request->call = bytes_ref(call);
    request->sent = 0;
    curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->length);
    begin(request);
}

void curl_request_connect(struct curl_request *request)
{
    clear_answer(request);
    curl_easy_setopt(request->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(request->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    request->job.stays = true;
    begin(request);
}

void curl_request_pause(struct curl_request *request, bool paused)
{
    if (request->running)
        curl_easy_pause(request->easy, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}
