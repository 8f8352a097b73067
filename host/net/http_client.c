// SPDX-License-Identifier: Apache-2.0
//
// One request through libcurl: see http_client.h. libcurl's callbacks take notes; the end is
// reported from a deferral, outside of libcurl.

#include "net/http_client.h"

#include "base/log.h"
#include "base/memory.h"
#include "net/curl_loop.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum { HEADERS_LIMIT = 256 * 1024 };

struct http_client {
    struct curl_loop *curl_loop;
    CURL *easy;
    struct curl_slist *lines;
    struct curl_loop_job job;
    struct deferral done;
    bool running, too_long;
    char *method, *address; // for messages
    struct buffer sent, headers, body;
    bool (*piece)(void *data, struct slice piece);
    void *piece_data;
    size_t received; // bytes of the body
    CURLcode result;
    char detail[CURL_ERROR_SIZE], failure[CURL_ERROR_SIZE + 512];
    struct http_client_reply reply;
    void (*on_done)(void *data, const struct http_client_reply *reply);
    void *data;
};

// ---- the answer ----

// A line with a status begins a new block: that of a 1xx, a redirect or a proxy goes.
static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_client *client = data;
    size_t length = size * count, content = length;
    while (content > 0 && (line[content - 1] == '\n' || line[content - 1] == '\r'))
        content--;
    if (content >= 5 && strncmp(line, "HTTP/", 5) == 0)
        buffer_clear(&client->headers);
    else if (content > 0 && (!buffer_append(&client->headers, line, content) ||
                             !buffer_append_text(&client->headers, "\n")))
        return 0;
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_client *client = data;
    const struct slice piece = {(const uint8_t *)bytes, size * count};
    if (piece.length > client->body.limit - client->received) {
        client->too_long = true;
        return 0;
    }
    client->received += piece.length;
    bool taken = client->piece ? client->piece(client->piece_data, piece)
                               : buffer_append_slice(&client->body, piece);
    return taken ? piece.length : 0;
}

// ---- the end ----

static const struct {
    CURLcode result;
    const char *code, *text;
} faults[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "ENOTFOUND", "the name of the host is not known"},
    {CURLE_COULDNT_RESOLVE_PROXY, "ENOTFOUND", "the name of the proxy is not known"},
    {CURLE_OPERATION_TIMEDOUT, "ETIMEDOUT", NULL},
    {CURLE_GOT_NOTHING, "ECONNRESET", "the connection was closed without an answer"},
    {CURLE_RECV_ERROR, "ECONNRESET", NULL},
    {CURLE_SEND_ERROR, "ECONNRESET", NULL},
    {CURLE_PARTIAL_FILE, "ECONNRESET", "the connection was closed before the end of the answer"},
    {CURLE_TOO_MANY_REDIRECTS, "ELOOP", "too many redirects"},
    {CURLE_PEER_FAILED_VERIFICATION, "ETLS", NULL},
    {CURLE_SSL_CONNECT_ERROR, "ETLS", NULL},
    {CURLE_SSL_CERTPROBLEM, "ETLS", NULL},
    {CURLE_SSL_CACERT_BADFILE, "ETLS", "the file of ca_file cannot be read"},
    {CURLE_WEIRD_SERVER_REPLY, "EPROTO", "the answer is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, "EPROTO", NULL},
};

static void fail(struct http_client *client, const char *code, const char *text)
{
    snprintf(client->failure, sizeof client->failure, "%s %s: %s", client->method, client->address,
             text);
    client->reply = (struct http_client_reply){.failure = client->failure, .code = code};
}

static void fail_by_curl(struct http_client *client)
{
    const char *code = "EIO";
    const char *text = *client->detail ? client->detail : curl_easy_strerror(client->result);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i].result != client->result)
            continue;
        code = faults[i].code;
        text = faults[i].text ? faults[i].text : text;
    }
    long system = 0;
    curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &system);
    if (client->result == CURLE_COULDNT_CONNECT) {
        code = system ? uv_err_name(-(int)system) : "ECONNREFUSED";
        text = system ? strerror((int)system) : text;
    }
    fail(client, code, text);
}

static void make_reply(struct http_client *client)
{
    char text[80];
    long status = 0;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(text, sizeof text, "the body of the answer is longer than %zu bytes (limit)",
             client->body.limit);
    if (client->too_long || client->result == CURLE_FILESIZE_EXCEEDED)
        fail(client, "ENOBUFS", text);
    else if (client->result != CURLE_OK)
        fail_by_curl(client);
    else
        client->reply = (struct http_client_reply){.status = (int)status,
                                                   .headers = buffer_slice(&client->headers),
                                                   .body = buffer_slice(&client->body)};
}

static void on_job_done(void *data, CURLcode result)
{
    struct http_client *client = data;
    client->running = false;
    client->result = result;
    deferral_queue(&client->done);
}

static void on_done(void *data)
{
    struct http_client *client = data;
    make_reply(client);
    if (client->reply.status != 0)
        log_debug("%s %s: %d, %zu bytes", client->method, client->address, client->reply.status,
                  client->reply.body.length);
    client->on_done(client->data, &client->reply);
}

// ---- the address ----

// Writes the part of an address that may be shown; NULL if it is malformed.
static char *show(CURLU *url)
{
    static const CURLUPart hidden[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                       CURLUPART_QUERY, CURLUPART_FRAGMENT};
    char *text = NULL, *copy;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        curl_url_set(url, hidden[i], NULL, 0);
    if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return NULL;
    copy = memory_string(text);
    curl_free(text);
    return copy;
}

static bool is_here(CURLU *url)
{
    char *host = NULL;
    struct url where = {.tls = false};
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    size_t length = strlen(host);
    where.ipv6 = host[0] == '[' && length > 2;
    snprintf(where.host, sizeof where.host, "%.*s", (int)(where.ipv6 ? length - 2 : length),
             where.ipv6 ? host + 1 : host);
    curl_free(host);
    return url_is_loopback(&where);
}

static bool is_web(CURLU *url)
{
    char *scheme = NULL;
    bool web = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
               (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    return web;
}

// A wrong address is not repeated in the error: it may hold a password.
static bool read_address(struct http_client *client, const char *text, struct error *err)
{
    CURLU *url = curl_url();
    CURLUcode fault = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (fault != CURLUE_OK)
        error_set(err, ERROR_INVALID, "the address cannot be read: %s", curl_url_strerror(fault));
    else if (!is_web(url))
        error_set(err, ERROR_INVALID, "the address must begin with http:// or https://");
    else if (is_here(url))
        curl_easy_setopt(client->easy, CURLOPT_PROXY, "");
    bool good = fault == CURLUE_OK && is_web(url) && (client->address = show(url)) != NULL;
    curl_url_cleanup(url);
    return good;
}

// ---- setting up ----

static bool has_header(const struct http_client_request *request, const char *name)
{
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        if (strncasecmp(request->headers[i], name, strlen(name)) == 0)
            return true;
    return false;
}

// libcurl uses the right method after a redirect only if it chose the method itself.
static void set_method(struct http_client *client, const struct http_client_request *request)
{
    bool body = request->body.data != NULL;
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(client->easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(request->method, body ? "POST" : "GET") != 0)
        curl_easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_sending(struct http_client *client, const struct http_client_request *request)
{
    CURL *easy = client->easy;
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        client->lines = curl_slist_append(client->lines, request->headers[i]);
    client->lines = curl_slist_append(client->lines, "Expect:");
    if (!has_header(request, "Content-Type:"))
        client->lines = curl_slist_append(client->lines, "Content-Type:");
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->lines);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mesos-lua/" MESOS_LUA_VERSION);
    if (request->body.data != NULL) {
        buffer_append_slice(&client->sent, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)client->sent.length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buffer_string(&client->sent));
    }
    set_method(client, request);
}

static void set_connection(struct http_client *client, const struct http_client_request *request)
{
    CURL *easy = client->easy;
    double milliseconds = request->timeout * 1000;
    long timeout = milliseconds < 1e9 ? (long)(milliseconds + 0.999) : 0;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
    if (request->stalled > 0) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)request->stalled);
    }
    if (request->piece != NULL)
        curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->redirects > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, request->redirects);
    if (request->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
    if (request->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_callbacks(struct http_client *client)
{
    CURL *easy = client->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &client->job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->detail);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
}

static struct http_client *new_client(struct curl_loop *curl_loop, struct loop *loop,
                                      const struct http_client_request *request)
{
    struct http_client *client = memory_new(sizeof *client);
    client->curl_loop = curl_loop;
    client->easy = curl_easy_init();
    client->job = (struct curl_loop_job){.done = on_job_done, .data = client};
    client->method = memory_string(request->method);
    buffer_init(&client->sent, request->body.length + 1);
    buffer_init(&client->headers, HEADERS_LIMIT);
    buffer_init(&client->body, request->limit);
    client->piece = request->piece;
    client->piece_data = request->piece_data;
    deferral_init(&client->done, loop, on_done, client);
    return client;
}

struct http_client *http_client_start(struct curl_loop *curl_loop, struct loop *loop,
                                      const struct http_client_request *request,
                                      void (*on_reply)(void *data,
                                                       const struct http_client_reply *reply),
                                      void *data, struct error *err)
{
    struct http_client *client = new_client(curl_loop, loop, request);
    client->on_done = on_reply;
    client->data = data;
    if (!read_address(client, request->url, err)) {
        http_client_destroy(client);
        return NULL;
    }
    set_sending(client, request);
    set_connection(client, request);
    set_callbacks(client);
    client->running = true;
    curl_loop_start(curl_loop, client->easy);
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL)
        return;
    if (client->running)
        curl_loop_stop(client->curl_loop, client->easy);
    deferral_cancel(&client->done);
    curl_easy_cleanup(client->easy);
    curl_slist_free_all(client->lines);
    buffer_free(&client->sent);
    buffer_free(&client->headers);
    buffer_free(&client->body);
    free(client->method);
    free(client->address);
    free(client);
}
