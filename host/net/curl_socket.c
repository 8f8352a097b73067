// SPDX-License-Identifier: Apache-2.0
//
// A connection opened by libcurl (CURLOPT_CONNECT_ONLY), or without it where it can be: see
// curl_socket.h and direct_connect.h. The handle stays in its multi, to which the connection
// belongs, until it is destroyed. Once the connection is open
// libcurl no longer watches the socket, and a watcher of our own does. Where nothing is between us
// and the socket, bytes are written and read without libcurl, which would look the connection up
// each time and read no more than 16 KiB; its words for failures are used all the same.

#include "net/curl_socket.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/poll_watcher.h"
#include "net/curl_failure.h"
#include "net/curl_loop.h"
#include "net/direct_connect.h"
#include "net/peer_timeout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct curl_socket {
    struct loop *loop;
    struct curl_loop *curl_loop; // NULL, as is `easy`: libcurl has no part in it
    CURL *easy;
    int direct; // the socket that was opened without libcurl, or -1
    struct curl_slist *addresses;
    struct curl_loop_job job;
    struct url peer;
    struct curl_socket_options options;
    struct peer_timeout timeout; // of opening it
    enum curl_socket_state state;
    const struct curl_socket_events *events;
    void *data;

    struct poll_watcher *connecting; // of a direct one, until it is open; or NULL
    struct poll_watcher *watcher;    // NULL until it is open
    int socket;                      // once it is open
    bool layered;                    // its bytes go through TLS, or a tunnel of libcurl
    bool closed;                     // by the peer: an end follows what is left to read

    // Of what went wrong.
    CURLcode result;
    bool answered; // the headers of an answer were read
    char detail[CURL_ERROR_SIZE];
    char failure[1024];
    char why[256]; // the owner's reason to give it up, or empty

    // Of a reply.
    struct buffer body;
    char address[URL_ADDRESS], challenge[256];
};

// ---- the socket ----

static void on_ready(void *data, int fd, int events)
{
    struct curl_socket *connection = data;
    (void)fd;
    connection->closed |= (events & UV_DISCONNECT) != 0;
    connection->events->ready(connection->data);
}

static curl_socket_t find_socket(const struct curl_socket *connection)
{
    curl_socket_t socket = connection->direct;
    if (connection->easy != NULL)
        curl_easy_getinfo(connection->easy, CURLINFO_ACTIVESOCKET, &socket);
    return socket;
}

static bool add_watcher(struct curl_socket *connection)
{
    curl_socket_t socket = find_socket(connection);
    connection->socket = socket;
    if (socket != CURL_SOCKET_BAD)
        connection->watcher =
            poll_watcher_create(connection->loop, socket, on_ready, connection, NULL);
    if (connection->watcher == NULL)
        return false;
    curl_socket_watch(connection, CURL_SOCKET_READ);
    return true;
}

void curl_socket_watch(struct curl_socket *connection, enum curl_socket_watch watch)
{
    static const int events[] = {
        [CURL_SOCKET_READ] = UV_READABLE | UV_DISCONNECT,
        [CURL_SOCKET_WRITE] = UV_WRITABLE,
        [CURL_SOCKET_READ_WRITE] = UV_READABLE | UV_DISCONNECT | UV_WRITABLE,
    };
    if (connection->watcher == NULL)
        return;
    if (watch == CURL_SOCKET_QUIET)
        poll_watcher_stop(connection->watcher);
    else
        poll_watcher_start(connection->watcher, events[watch]);
}

// ---- bytes ----

// What send() or recv() returned, as libcurl would report it.
static CURLcode plain_result(struct curl_socket *connection, ssize_t length, size_t *done,
                             CURLcode failure)
{
    *done = length > 0 ? (size_t)length : 0;
    if (length >= 0)
        return CURLE_OK;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return CURLE_AGAIN;
    snprintf(connection->detail, sizeof connection->detail, "%s failure: %s",
             failure == CURLE_SEND_ERROR ? "Send" : "Recv", strerror(errno));
    return failure;
}

static CURLcode write_bytes(struct curl_socket *connection, const uint8_t *bytes, size_t length,
                            size_t *done)
{
    if (connection->layered)
        return curl_easy_send(connection->easy, bytes, length, done);
    return plain_result(connection, send(connection->socket, bytes, length, MSG_NOSIGNAL), done,
                        CURLE_SEND_ERROR);
}

static CURLcode read_bytes(struct curl_socket *connection, uint8_t *data, size_t size, size_t *done)
{
    if (connection->layered)
        return curl_easy_recv(connection->easy, data, size, done);
    return plain_result(connection, recv(connection->socket, data, size, 0), done,
                        CURLE_RECV_ERROR);
}

bool curl_socket_write(struct curl_socket *connection, const uint8_t *bytes, size_t length,
                       size_t *done)
{
    CURLcode result = write_bytes(connection, bytes, length, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else
        connection->result = result;
    return result == CURLE_OK || result == CURLE_AGAIN;
}

bool curl_socket_read(struct curl_socket *connection, uint8_t *data, size_t size, size_t *done)
{
    CURLcode result = read_bytes(connection, data, size, done);
    if (result == CURLE_AGAIN)
        *done = 0;
    else if (result == CURLE_OK && *done == 0)
        result = CURLE_GOT_NOTHING;
    if (result == CURLE_OK || result == CURLE_AGAIN)
        return true;
    connection->result = result;
    return false;
}

bool curl_socket_may_have_more(const struct curl_socket *connection, size_t done, size_t size)
{
    return connection->layered || connection->closed ? done > 0 : done == size;
}

// ---- replies ----

// Never follow a redirect from https to http, or to a host that is not known to be a master: it
// would expose the credentials.
static bool resolve(const struct curl_socket *connection, const char *location, struct url *url,
                    struct error *err)
{
    const struct credentials *credentials = connection->options.credentials;
    const struct url *peer = &connection->peer;
    if (!url_resolve(url, peer, location, err))
        return false;
    if (!url->tls && peer->tls)
        return error_set(err, ERROR_REFUSED, "its redirect leads out of TLS and is not followed");
    if (credentials == NULL || credentials_follow(credentials, peer->host, url->host))
        return true;
    return error_set(err, ERROR_REFUSED,
                     "its redirect to '%s' is not followed, as that would send the credentials to "
                     "a host that neither --master nor ZooKeeper names; --redirect-hosts %s "
                     "allows it",
                     url->host, url->host);
}

// The address that a redirect names. One that cannot be read counts as none, and is quoted if the
// answer has no body; one that is refused is reported in any case.
static const char *resolve_location(struct curl_socket *connection, int status,
                                    const char *location)
{
    struct url url;
    struct error err = {.code = ERROR_NONE};
    if (location[0] == 0 || status / 100 != 3)
        return NULL;
    if (resolve(connection, location, &url, &err))
        return url_address(&url, connection->address);
    if (err.code == ERROR_REFUSED)
        buffer_clear(&connection->body);
    if (connection->body.length == 0)
        buffer_append_text(&connection->body, err.text);
    return NULL;
}

struct http_reply curl_socket_reply(struct curl_socket *connection, int status,
                                    const char *location, const char *challenge, struct slice body)
{
    struct buffer *kept = &connection->body;
    connection->answered = true;
    connection->result = CURLE_OK;
    snprintf(connection->challenge, sizeof connection->challenge, "%s", challenge);
    buffer_clear(kept);
    buffer_append(kept, body.data, body.length < kept->limit ? body.length : kept->limit);
    location = resolve_location(connection, status, location);
    return (struct http_reply){.status = status,
                               .body = buffer_slice(kept),
                               .location = location,
                               .challenge =
                                   connection->challenge[0] ? connection->challenge : NULL};
}

// ---- the end ----

void curl_socket_fail(struct curl_socket *connection, const char *why)
{
    snprintf(connection->why, sizeof connection->why, "%s", why);
}

bool curl_socket_closed(const struct curl_socket *connection)
{
    return connection->why[0] == 0 && connection->result == CURLE_GOT_NOTHING;
}

const char *curl_socket_failure(struct curl_socket *connection, bool begun)
{
    if (connection->why[0])
        return connection->why;
    if (connection->result == CURLE_OK)
        connection->result = CURLE_GOT_NOTHING;
    if (connection->result == CURLE_GOT_NOTHING && begun)
        connection->result = CURLE_PARTIAL_FILE;
    const struct tls *tls = connection->curl_loop ? curl_loop_tls(connection->curl_loop) : NULL;
    const struct curl_failure failure = {.result = connection->result,
                                         .detail = connection->detail,
                                         .easy = connection->easy,
                                         .peer = &connection->peer,
                                         .tls = tls,
                                         .answered = connection->answered};
    curl_failure_text(&failure, connection->failure, sizeof connection->failure);
    return connection->failure;
}

// ---- opening ----

// By TLS to the peer, or by a proxy: the tunnel may be in TLS, which the handle does not tell any
// more once the connection is open.
static bool is_layered(const struct curl_socket *connection)
{
    long tunnel = 0;
    if (connection->easy != NULL)
        curl_easy_getinfo(connection->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    return connection->peer.tls || tunnel != 0;
}

static void on_done(void *data, CURLcode result)
{
    struct curl_socket *connection = data;
    bool open = result == CURLE_OK;
    if (connection->state != CURL_SOCKET_OPENING)
        return; // it was given up
    connection->result = result;
    peer_timeout_stop(&connection->timeout);
    connection->layered = is_layered(connection);
    if (open && !(open = add_watcher(connection)))
        curl_socket_fail(connection, "the connection cannot be watched");
    connection->state = open ? CURL_SOCKET_OPEN : CURL_SOCKET_FAILED;
    connection->events->opened(connection->data);
}

static void give_up(struct curl_socket *connection, const char *what, double seconds)
{
    snprintf(connection->detail, sizeof connection->detail, "%s within %g seconds", what, seconds);
    on_done(connection, CURLE_OPERATION_TIMEDOUT);
}

static void on_timeout_due(void *data, uint64_t waited)
{
    struct curl_socket *connection = data;
    const struct curl_socket_options *options = &connection->options;
    uint64_t connect = loop_seconds(options->connect_timeout), all = loop_seconds(options->timeout);
    if (waited < connect && waited < all)
        peer_timeout_until(&connection->timeout, connect < all ? connect : all);
    else if (waited >= all)
        give_up(connection, "no answer", options->timeout);
    else
        give_up(connection, "no connection", options->connect_timeout);
}

// The name stays in the URL, for the certificate.
static void set_ip(struct curl_socket *connection)
{
    const struct url *peer = &connection->peer;
    if (peer->ip[0] == 0)
        return;
    bool ipv6 = strchr(peer->ip, ':') != NULL;
    char *line = memory_format(ipv6 ? "%s:%u:[%s]" : "%s:%u:%s", peer->host, peer->port, peer->ip);
    connection->addresses = curl_slist_append(NULL, line);
    free(line);
    curl_easy_setopt(connection->easy, CURLOPT_RESOLVE, connection->addresses);
}

static void set_address(struct curl_socket *connection)
{
    char address[URL_ADDRESS];
    const char *socket = connection->options.api->socket;
    CURL *easy = connection->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url_address(&connection->peer, address));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_ip(connection);
    if (socket != NULL)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket);
    if (socket != NULL || url_is_loopback(&connection->peer))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

// QUICK_EXIT: a name lookup in progress is left to its thread and not waited for. The time-out of
// libcurl for connecting is a day, as `timeout` counts the time; the addresses of a name are tried
// in any order, since a dead first one would be tried first each time. A proxy is asked for a
// tunnel.
static void set_connection(struct curl_socket *connection)
{
    const long day = 24 * 60 * 60 * 1000;
    CURL *easy = connection->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &connection->job);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mesos-lua/" MESOS_LUA_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, day);
    curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, connection->detail);
}

static void open_by_curl(struct curl_socket *connection)
{
    connection->curl_loop = curl_loop_create(connection->loop, connection->options.tls);
    connection->easy = curl_easy_init();
    connection->job = (struct curl_loop_job){.done = on_done, .data = connection, .stays = true};
    set_address(connection);
    set_connection(connection);
    if (connection->peer.tls)
        tls_apply(curl_loop_tls(connection->curl_loop), connection->easy);
    curl_loop_start(connection->curl_loop, connection->easy);
    tls_begin(curl_loop_tls(connection->curl_loop));
}

// ---- opening without libcurl ----

static void stop_connecting(struct curl_socket *connection)
{
    poll_watcher_destroy(connection->connecting);
    connection->connecting = NULL;
}

static void close_direct(struct curl_socket *connection)
{
    stop_connecting(connection);
    if (connection->direct >= 0)
        close(connection->direct);
    connection->direct = -1;
}

static void on_connected(void *data, int fd, int events)
{
    struct curl_socket *connection = data;
    (void)events;
    if (connection->state != CURL_SOCKET_OPENING) {
        stop_connecting(connection); // it was given up
    } else if (direct_connect_done(fd)) {
        stop_connecting(connection);
        on_done(connection, CURLE_OK);
    } else {
        close_direct(connection);
        open_by_curl(connection);
    }
}

static bool open_directly(struct curl_socket *connection)
{
    if (connection->options.api->socket != NULL)
        return false;
    connection->direct = direct_connect_begin(&connection->peer);
    if (connection->direct >= 0)
        connection->connecting = poll_watcher_create(connection->loop, connection->direct,
                                                     on_connected, connection, NULL);
    if (connection->connecting != NULL && poll_watcher_start(connection->connecting, UV_WRITABLE))
        return true;
    close_direct(connection);
    return false;
}

// ---- life ----

struct curl_socket *curl_socket_create(struct loop *loop, const struct url *peer,
                                       const struct curl_socket_options *options,
                                       const struct curl_socket_events *events, void *data)
{
    struct curl_socket *connection = memory_new(sizeof *connection);
    connection->loop = loop;
    connection->direct = -1;
    connection->peer = *peer;
    connection->options = *options;
    connection->events = events;
    connection->data = data;
    buffer_init(&connection->body, HTTP_REPLY_LIMIT);
    peer_timeout_init(&connection->timeout, loop, on_timeout_due, connection);
    if (!open_directly(connection))
        open_by_curl(connection);
    peer_timeout_start(&connection->timeout);
    return connection;
}

void curl_socket_destroy(struct curl_socket *connection)
{
    if (connection == NULL)
        return;
    peer_timeout_stop(&connection->timeout);
    poll_watcher_destroy(connection->watcher);
    close_direct(connection);
    if (connection->easy != NULL) {
        curl_loop_stop(connection->curl_loop, connection->easy);
        curl_easy_cleanup(connection->easy);
    }
    curl_slist_free_all(connection->addresses);
    buffer_free(&connection->body);
    curl_loop_destroy(connection->curl_loop);
    free(connection);
}

enum curl_socket_state curl_socket_state(const struct curl_socket *connection)
{
    return connection->state;
}
