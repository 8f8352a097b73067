// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd on our loop: see http_server.h. Its epoll descriptor is polled, and a timer runs it
// when it asks for that.

#include "net/http_server.h"

#include "base/memory.h"
#include "loop/poll_watcher.h"
#include "net/http_guard.h"
#include "net/http_listen.h"
#include "net/http_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REQUESTS_AT_ONCE = 64, // of a connection, in a turn
    FRUITLESS_MOST = 4,    // turns in a row in which it may ask to run at once without progress
    HANDSHAKE_WAIT = 20,   // milliseconds
    SPARE = 64,            // connections that were shut down and are not closed yet
};

struct http_server {
    struct loop *loop;
    struct http_server_settings settings;
    struct MHD_Daemon *daemon;
    struct http_peers *peers;
    struct http_guard guard;
    struct poll_watcher *poll;
    struct timer timer;
    struct deferral turn; // to look at what was resumed
    size_t bodies;        // bytes of all
    uint64_t progress;    // counts the progress of driving it
    uint64_t drives;      // counts that it was driven
    unsigned fruitless;   // turns in a row without progress
    bool closed;          // a connection was, so that another may be accepted
    char ip[INET6_ADDRSTRLEN];
    unsigned port;
    char *address;
    char *named, *hosts; // for the guard
    TAILQ_HEAD(, client) waiting, corked;
};

// One client's connection, with the request that it is about.
struct client {
    struct http_server *server;
    struct http_peer *peer;
    struct http_exchange exchange;
    char *query;              // of its request
    TAILQ_ENTRY(client) link; // of those that wait
    bool waits;               // with its answer, until the timer ends
    struct timer wait;
    TAILQ_ENTRY(client) cork; // of those whose answers are gathered
    bool corked;
    uint64_t answered;            // when its last request was completed, in drives
    bool chunked;                 // the body of its request
    bool forbidden;               // by the guard: the answer to any request is `words`
    char words[HTTP_GUARD_WORDS]; // for it
};

// ---- answers that go out together ----

// A client that does not wait for one answer before it sends the next request gets the answers of a
// turn in one piece: each by itself costs the kernel, on both sides, more than all of making it.
static void set_cork(const struct client *client, int on)
{
    setsockopt(http_peers_fd(client->peer), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static void cork(struct client *client)
{
    if (client->corked)
        return;
    client->corked = true;
    TAILQ_INSERT_TAIL(&client->server->corked, client, cork);
    set_cork(client, 1);
}

static void forget_cork(struct client *client)
{
    if (client->corked)
        TAILQ_REMOVE(&client->server->corked, client, cork);
    client->corked = false;
}

static void uncork_all(struct http_server *server)
{
    struct client *client;
    while ((client = TAILQ_FIRST(&server->corked)) != NULL) {
        set_cork(client, 0);
        forget_cork(client);
    }
}

// ---- driving ----

// A request whose framing never ends makes libmicrohttpd ask to run at once, for ever.
static void check_progress(struct http_server *server, uint64_t before)
{
    server->fruitless = server->progress == before ? server->fruitless + 1 : 0;
    if (server->fruitless < FRUITLESS_MOST)
        return;
    http_peers_unstick(server->peers);
    server->fruitless = 0;
}

// True if it is to run again at once. During the handshakes of TLS it asks for that in vain until
// the client has sent more, which is noticed anyway: then it is asked again soon.
static bool run_once(struct http_server *server, MHD_UNSIGNED_LONG_LONG *wait, bool *waits)
{
    uint64_t before = server->progress;
    server->closed = false;
    MHD_run(server->daemon);
    *waits = MHD_get_timeout(server->daemon, wait) == MHD_YES;
    bool busy = server->closed || (*waits && *wait == 0);
    if (!busy || server->settings.cert == NULL || server->progress != before)
        return busy;
    *wait = HANDSHAKE_WAIT;
    return false;
}

// libmicrohttpd takes one request of a connection at a time, and asks to run again at once if there
// are more.
static void drive(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    bool waits = true, busy = true;
    uint64_t before = server->progress;
    server->drives++;
    for (int i = 0; i < REQUESTS_AT_ONCE && busy; i++)
        busy = run_once(server, &wait, &waits);
    uncork_all(server);
    if (busy)
        check_progress(server, before);
    else
        http_peers_settle(server->peers);
    if (waits)
        timer_start(&server->timer, wait * (LOOP_SECOND / 1000));
    else
        timer_stop(&server->timer);
}

static void on_ready(void *data, int fd, int events)
{
    (void)fd;
    (void)events;
    drive(data);
}

static void on_timer(void *data)
{
    drive(data);
}

// ---- connections ----

static struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

// Its owner is asked for the answer again.
static void resume(struct client *client)
{
    client->waits = false;
    timer_stop(&client->wait);
    TAILQ_REMOVE(&client->server->waiting, client, link);
    MHD_resume_connection(client->exchange.connection);
}

static void on_waited(void *data)
{
    struct client *client = data;
    resume(client);
    http_server_wake(client->server);
}

static struct client *client_new(struct http_server *server, struct MHD_Connection *connection)
{
    struct client *client = memory_new(sizeof *client);
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    client->server = server;
    client->exchange.server = server;
    client->exchange.connection = connection;
    timer_init(&client->wait, server->loop, on_waited, client);
    client->peer = http_peers_add(server->peers, fd, client);
    return client;
}

static enum MHD_Result on_accept(void *data, const struct sockaddr *address, socklen_t length)
{
    struct http_server *server = data;
    (void)address;
    (void)length;
    return http_peers_welcome(server->peers) ? MHD_YES : MHD_NO;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = data;
    server->progress++;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = client_new(server, connection);
        return;
    }
    struct client *client = *slot;
    server->closed = true;
    forget_cork(client);
    http_peers_remove(client->peer);
    free(client->query);
    free(client);
    *slot = NULL;
}

static void on_left(void *data, void *context, bool endless)
{
    struct http_server *server = data;
    struct client *client = context;
    if (endless && server->settings.left != NULL)
        server->settings.left(server->settings.data, &client->exchange);
    http_server_wake(server);
}

// ---- bodies ----

static void forget_body(struct client *client)
{
    client->server->bodies -= client->exchange.body.length;
    buffer_free(&client->exchange.body);
}

static void add_body(struct client *client, const char *bytes, size_t length)
{
    struct http_server *server = client->server;
    struct http_exchange *exchange = &client->exchange;
    if (exchange->state != HTTP_BODY_WHOLE || client->forbidden)
        return;
    if (length > HTTP_SERVER_BODIES - server->bodies)
        exchange->state = HTTP_BODY_NO_ROOM;
    else if (buffer_append(&exchange->body, bytes, length))
        server->bodies += length;
    else
        exchange->state = HTTP_BODY_TOO_LONG;
    if (exchange->state != HTTP_BODY_WHOLE)
        forget_body(client);
}

// ---- headers ----

static bool passes_guard(struct client *client, const char *name, const char *value)
{
    const struct http_guard *guard = &client->server->guard;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0)
        return http_guard_host(guard, value, client->words);
    if (strcasecmp(name, MHD_HTTP_HEADER_ORIGIN) == 0)
        return http_guard_origin(guard, value, client->words);
    return true;
}

// The words of the first header that the guard does not let pass stay.
static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct client *client = data;
    struct http_exchange *exchange = &client->exchange;
    (void)kind;
    value = value ? value : "";
    if (exchange->header_count < HTTP_HEADERS_KEPT)
        exchange->headers[exchange->header_count] = (struct http_header){name, value};
    exchange->header_count++;
    client->forbidden = client->forbidden || !passes_guard(client, name, value);
    return MHD_YES;
}

static bool brings_body(const struct client *client)
{
    const char *length = http_exchange_header(&client->exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return client->chunked || (length != NULL && strtoull(length, NULL, 10) > 0);
}

// ---- requests ----

static void *on_line(void *data, const char *url, struct MHD_Connection *connection)
{
    struct http_server *server = data;
    struct client *client = client_of(connection);
    const char *query = strchr(url, '?');
    server->progress++;
    free(client->query);
    client->query = query ? memory_string(query + 1) : NULL;
    client->exchange.behind = client->answered == server->drives;
    if (client->exchange.behind)
        cork(client);
    http_peers_enter(client->peer, HTTP_PEER_RECEIVING);
    return NULL;
}

static void read_head(struct client *client)
{
    struct http_exchange *exchange = &client->exchange;
    exchange->state = HTTP_BODY_WHOLE;
    exchange->data = NULL;
    exchange->header_count = 0;
    client->forbidden = false;
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, on_header, client);
    client->chunked = http_exchange_header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    if (client->chunked)
        http_peers_moved(client->peer);
}

// A request that is answered here is the last one of its connection.
static enum MHD_Result begin(struct client *client)
{
    const struct http_server_settings *settings = &client->server->settings;
    size_t limit = 0;
    read_head(client);
    if (settings->begin != NULL)
        limit = settings->begin(settings->data, &client->exchange);
    buffer_init(&client->exchange.body, limit);
    if (limit > 0 || !brings_body(client))
        return MHD_YES;
    http_peers_enter(client->peer, HTTP_PEER_ANSWERING);
    return http_exchange_refuse(&client->exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                                "413 Content Too Large: requests have no body here.\n");
}

static enum MHD_Result answer(struct client *client)
{
    const struct http_server_settings *settings = &client->server->settings;
    http_peers_enter(client->peer, HTTP_PEER_ANSWERING);
    enum MHD_Result result =
        client->forbidden
            ? http_exchange_refuse(&client->exchange, MHD_HTTP_FORBIDDEN, client->words)
            : settings->answer(settings->data, &client->exchange);
    if (!client->waits)
        forget_body(client);
    return result;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **slot)
{
    struct http_server *server = data;
    struct client *client = client_of(connection);
    (void)version;
    server->progress++;
    client->exchange.url = url;
    client->exchange.query = client->query;
    client->exchange.method = method;
    if (*slot == NULL) {
        *slot = client;
        return begin(client);
    }
    if (*upload_size == 0)
        return answer(client);
    add_body(client, upload, *upload_size);
    if (client->chunked)
        http_peers_moved(client->peer);
    *upload_size = 0;
    return MHD_YES;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *server = data;
    struct client *client = *slot;
    (void)connection;
    (void)code;
    server->progress++;
    if (client == NULL)
        return;
    if (server->settings.completed != NULL)
        server->settings.completed(server->settings.data, &client->exchange);
    forget_body(client);
    client->answered = server->drives;
    http_peers_enter(client->peer, HTTP_PEER_IDLE);
    *slot = NULL;
}

// ---- listening ----

static void read_address(struct http_server *server, int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char port[8] = "0";
    getsockname(fd, (struct sockaddr *)&address, &length);
    getnameinfo((struct sockaddr *)&address, length, server->ip, sizeof server->ip, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    server->port = (unsigned)strtoul(port, NULL, 10);
    server->address =
        memory_format(address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", server->ip, port);
}

static bool open_poll(struct http_server *server)
{
    int epoll = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    server->poll = poll_watcher_create(server->loop, epoll, on_ready, server, NULL);
    return server->poll != NULL;
}

static bool start_daemon(struct http_server *server, int fd, struct error *err)
{
    const struct http_server_settings *settings = &server->settings;
    const struct http_peers_settings peers = {
        .what = settings->what, .most = settings->connections, .left = on_left, .data = server};
    server->peers = http_peers_create(server->loop, &peers);
    // One address may have half of all connections, unless only one address can connect.
    unsigned most = settings->connections + SPARE,
             each = server->guard.loopback ? 0 : (most + 1) / 2;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)settings->cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)settings->key},
        {MHD_OPTION_END, 0, NULL},
    };
    if (settings->cert == NULL)
        tls[0] = tls[2];
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (settings->cert ? MHD_USE_TLS : 0), 0, on_accept,
        server, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_URI_LOG_CALLBACK, on_line, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        settings->memory, MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        each, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (server->daemon == NULL) {
        close(fd);
        return error_set(err, ERROR_IO, "cannot start the HTTP server of %s: %s", settings->what,
                         strerror(errno));
    }
    return open_poll(server) ||
           error_set(err, ERROR_IO, "cannot poll the HTTP server of %s", settings->what);
}

static void set_guard(struct http_server *server, const char *listen)
{
    struct error ignored;
    char *port = NULL;
    http_listen_split(listen, &server->named, &port, &ignored);
    free(port);
    server->hosts = memory_string(server->settings.hosts);
    http_guard_init(&server->guard, server->ip, server->named, server->hosts);
}

struct http_server *http_server_create_on(struct loop *loop, int fd, const char *listen,
                                          const struct http_server_settings *settings,
                                          struct error *err)
{
    struct http_server *server = memory_new(sizeof *server);
    server->loop = loop;
    server->settings = *settings;
    timer_init(&server->timer, loop, on_timer, server);
    deferral_init(&server->turn, loop, on_timer, server);
    TAILQ_INIT(&server->waiting);
    TAILQ_INIT(&server->corked);
    read_address(server, fd);
    set_guard(server, listen);
    if (start_daemon(server, fd, err))
        return server;
    http_server_destroy(server);
    return NULL;
}

struct http_server *http_server_create(struct loop *loop, const char *listen,
                                       const struct http_server_settings *settings,
                                       struct error *err)
{
    int fd = http_listen_open(listen, settings->numeric, err);
    struct http_server *server =
        fd < 0 ? NULL : http_server_create_on(loop, fd, listen, settings, err);
    if (server != NULL)
        http_server_run(server);
    return server;
}

void http_server_run(struct http_server *server)
{
    poll_watcher_start(server->poll, UV_READABLE);
    http_server_wake(server);
}

int http_server_listener(const struct http_server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
}

void http_server_quiesce(struct http_server *server)
{
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0)
        close(fd);
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    timer_stop(&server->timer);
    poll_watcher_destroy(server->poll);
    while (!TAILQ_EMPTY(&server->waiting))
        resume(TAILQ_FIRST(&server->waiting));
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    deferral_cancel(&server->turn);
    http_peers_destroy(server->peers);
    free(server->named);
    free(server->hosts);
    free(server->address);
    free(server);
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

const char *http_server_ip(const struct http_server *server)
{
    return server->ip;
}

struct loop *http_server_loop(const struct http_server *server)
{
    return server->loop;
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

bool http_server_on_loopback(const struct http_server *server)
{
    return server->guard.loopback;
}

void http_server_wake(struct http_server *server)
{
    deferral_queue(&server->turn);
}

// ---- answers ----

enum MHD_Result http_exchange_wait(struct http_exchange *exchange, uint64_t nanoseconds)
{
    struct client *client = client_of(exchange->connection);
    client->waits = true;
    TAILQ_INSERT_TAIL(&client->server->waiting, client, link);
    MHD_suspend_connection(exchange->connection);
    timer_start(&client->wait, nanoseconds);
    return MHD_YES;
}

void http_exchange_endless(struct http_exchange *exchange)
{
    http_peers_enter(client_of(exchange->connection)->peer, HTTP_PEER_ENDLESS);
}

void http_exchange_break(struct http_exchange *exchange)
{
    shutdown(http_peers_fd(client_of(exchange->connection)->peer), SHUT_RDWR);
}
