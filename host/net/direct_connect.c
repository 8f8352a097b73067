// SPDX-License-Identifier: Apache-2.0
//
// Plain connections: see direct_connect.h. The options of the socket are those that libcurl is told
// to set (curl_socket.c), and proxies those that it takes from the environment.

#include "net/direct_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
    socklen_t length;
};

// False: it is a name.
static bool read_address(const struct url *peer, struct address *address)
{
    const char *text = peer->ip[0] ? peer->ip : peer->host;
    *address = (struct address){.length = sizeof address->ipv4};
    address->ipv4.sin_family = AF_INET;
    address->ipv4.sin_port = htons(peer->port);
    if (inet_pton(AF_INET, text, &address->ipv4.sin_addr) == 1)
        return true;
    *address = (struct address){.length = sizeof address->ipv6};
    address->ipv6.sin6_family = AF_INET6;
    address->ipv6.sin6_port = htons(peer->port);
    return inet_pton(AF_INET6, text, &address->ipv6.sin6_addr) == 1;
}

static bool may_have_proxy(const struct url *peer)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]) != NULL)
            return !url_is_loopback(peer);
    return false;
}

static void set_option(int socket, int level, int option, int value)
{
    setsockopt(socket, level, option, &value, sizeof value);
}

static void set_options(int socket)
{
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
}

int direct_connect_begin(const struct url *peer)
{
    struct address address;
    if (peer->tls || may_have_proxy(peer) || !read_address(peer, &address))
        return -1;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    set_options(fd);
    if (connect(fd, &address.any, address.length) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

bool direct_connect_done(int socket)
{
    int failure = 0;
    socklen_t length = sizeof failure;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 && failure == 0;
}
