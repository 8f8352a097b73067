// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets: see http_listen.h.

#include "net/http_listen.h"

#include "base/memory.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// "ADDR:PORT" or "[ADDR]:PORT".
bool http_listen_split(const char *text, char **host, char **port, struct error *err)
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

static const char *numeric_host(const char *host)
{
    return strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
}

int http_listen_open(const char *text, bool numeric, struct error *err)
{
    char *host = NULL, *port = NULL;
    if (!http_listen_split(text, &host, &port, err))
        return -1;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | (numeric ? AI_NUMERICHOST : 0)};
    const char *name = numeric ? numeric_host(host) : host;
    struct addrinfo *address = NULL;
    errno = 0;
    int fault = getaddrinfo(*name ? name : NULL, port, &hints, &address), fd = -1;
    if (fault == EAI_NONAME && numeric)
        error_set(err, ERROR_INVALID,
                  "cannot listen on '%s': an address in numbers, or localhost, is expected: names "
                  "are not looked up here",
                  text);
    else if (fault != 0)
        error_set(err, ERROR_INVALID, "cannot listen on '%s': %s", text, gai_strerror(fault));
    else if ((fd = listen_on(address)) < 0)
        error_set(err, ERROR_IO, "cannot listen on '%s': %s", text, strerror(errno));
    int failure = errno;
    if (address != NULL)
        freeaddrinfo(address);
    free(host);
    free(port);
    errno = failure;
    return fd;
}
