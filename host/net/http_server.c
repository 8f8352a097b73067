// SPDX-License-Identifier: Apache-2.0
//
// libmicrohttpd on our loop: see http_server.h. Its epoll descriptor is polled, and a timer calls
// it when it wants to be called.

#include "net/http_server.h"

#include "base/memory.h"
#include "loop/loop_uv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_AT_ONCE = 64 }; // of a connection, in a turn

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t *poll;
    struct timer timer;
    struct deferral turn; // to look at what was resumed
    char ip[INET6_ADDRSTRLEN];
    unsigned port;
    char *address;
};

// ---- driving ----

// libmicrohttpd takes one request of a connection at a time, and wants to be called again at once
// when there are more.
static void drive(struct http_server *this)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    bool waits = true;
    for (int i = 0; i < REQUESTS_AT_ONCE && waits && wait == 0; i++) {
        MHD_run(this->daemon);
        waits = MHD_get_timeout(this->daemon, &wait) == MHD_YES;
    }
    if (waits)
        timer_start(&this->timer, wait * (LOOP_SECOND / 1000));
    else
        timer_stop(&this->timer);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    drive(poll->data);
}

static void on_timer(void *data)
{
    drive(data);
}

// ---- listening ----

// "ADDR:PORT" or "[ADDR]:PORT".
static bool split_address(const char *text, char **host, char **port, struct error *err)
{
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[' && colon != NULL && colon > text + 1 && colon[-1] == ']';
    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5 || strtoul(colon + 1, NULL, 10) > 65535)
        return error_set(err, ERROR_INVALID,
                         "cannot listen on '%s': an address and a port, ADDR:PORT, are expected",
                         text);
    *host = bracketed ? memory_text(text + 1, (size_t)(colon - text) - 2)
                      : memory_text(text, (size_t)(colon - text));
    *port = memory_string(colon + 1);
    return true;
}

static int listen_on(const struct addrinfo *address)
{
    int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int fault = errno;
    close(fd);
    errno = fault;
    return -1;
}

static int open_socket(const char *text, struct error *err)
{
    char *host = NULL, *port = NULL;
    if (!split_address(text, &host, &port, err))
        return -1;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *address = NULL;
    int fault = getaddrinfo(*host ? host : NULL, port, &hints, &address), fd = -1;
    if (fault != 0)
        error_set(err, ERROR_INVALID, "cannot listen on '%s': %s", text, gai_strerror(fault));
    else if ((fd = listen_on(address)) < 0)
        error_set(err, ERROR_IO, "cannot listen on '%s': %s", text, strerror(errno));
    if (address != NULL)
        freeaddrinfo(address);
    free(host);
    free(port);
    return fd;
}

static void read_address(struct http_server *this, int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char port[8] = "0";
    getsockname(fd, (struct sockaddr *)&address, &length);
    getnameinfo((struct sockaddr *)&address, length, this->ip, sizeof this->ip, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    this->port = (unsigned)strtoul(port, NULL, 10);
    this->address =
        memory_format(address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", this->ip, port);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static bool open_poll(struct http_server *this)
{
    int epoll = MHD_get_daemon_info(this->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    this->poll = memory_new(sizeof *this->poll);
    if (uv_poll_init(loop_uv_handle(this->loop), this->poll, epoll) != 0) {
        free(this->poll);
        this->poll = NULL;
        return false;
    }
    this->poll->data = this;
    uv_poll_start(this->poll, UV_READABLE, on_poll);
    return true;
}

static bool start_daemon(struct http_server *this, int fd,
                         const struct http_server_settings *settings, struct error *err)
{
    this->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, settings->request,
                         settings->data, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
                         settings->completed, settings->data, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         settings->memory, MHD_OPTION_CONNECTION_LIMIT, settings->connections,
                         MHD_OPTION_CONNECTION_TIMEOUT, settings->timeout, MHD_OPTION_END);
    if (this->daemon == NULL) {
        close(fd);
        return error_set(err, ERROR_IO, "cannot start the HTTP server of %s: %s", settings->what,
                         strerror(errno));
    }
    return open_poll(this) ||
           error_set(err, ERROR_IO, "cannot poll the HTTP server of %s", settings->what);
}

struct http_server *http_server_create(struct loop *loop, const char *listen,
                                       const struct http_server_settings *settings,
                                       struct error *err)
{
    int fd = open_socket(listen, err);
    if (fd < 0)
        return NULL;
    struct http_server *this = memory_new(sizeof *this);
    this->loop = loop;
    timer_init(&this->timer, loop, on_timer, this);
    deferral_init(&this->turn, loop, on_timer, this);
    read_address(this, fd);
    if (start_daemon(this, fd, settings, err))
        return this;
    http_server_destroy(this);
    return NULL;
}

void http_server_destroy(struct http_server *this)
{
    if (this == NULL)
        return;
    timer_stop(&this->timer);
    if (this->poll != NULL)
        uv_close((uv_handle_t *)this->poll, on_poll_closed);
    deferral_cancel(&this->turn);
    if (this->daemon != NULL)
        MHD_stop_daemon(this->daemon);
    free(this->address);
    free(this);
}

const char *http_server_address(const struct http_server *this)
{
    return this->address;
}

const char *http_server_ip(const struct http_server *this)
{
    return this->ip;
}

unsigned http_server_port(const struct http_server *this)
{
    return this->port;
}

void http_server_wake(struct http_server *this)
{
    deferral_queue(&this->turn);
}

enum MHD_Result http_server_reply(struct MHD_Connection *connection, int status, const char *type,
                                  const char *text, const char *allow)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (allow != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}
