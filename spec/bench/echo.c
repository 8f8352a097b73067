// SPDX-License-Identifier: Apache-2.0
//
// The floor of what an update at rest costs: a loop of epoll_wait() that reads the stream with one
// recv(), sends the same acknowledgement for each update, and reads its answer with another one.
// Nothing is parsed, validated, dispatched or logged. An update is told by the agent's id in it. A
// first acknowledgement says that it is ready.
//
//   bench-echo PORT FOLDER     a folder with the bodies of its calls, `subscribe`, `acknowledge`

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536 };

struct body {
    char bytes[4096];
    size_t length;
};

static void check(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static struct body read_body(const char *folder, const char *name)
{
    struct body body;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    check(file != NULL, path);
    body.length = fread(body.bytes, 1, sizeof body.bytes, file);
    fclose(file);
    return body;
}

static int open_socket(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int made = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(made, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return made;
}

// The whole request, with a header of a stream or without (NULL).
static size_t make_request(char *request, const char *stream, const struct body *body)
{
    int head = snprintf(request, MOST,
                        "POST /api/v1/scheduler HTTP/1.1\r\nHost: master\r\n"
                        "Content-Type: application/x-protobuf\r\n"
                        "Accept: application/x-protobuf\r\n%s%.*s%sContent-Length: %zu\r\n\r\n",
                        stream ? "Mesos-Stream-Id: " : "", stream ? (int)strcspn(stream, "\r") : 0,
                        stream ? stream : "", stream ? "\r\n" : "", body->length);
    memcpy(request + head, body->bytes, body->length);
    return (size_t)head + body->length;
}

static void send_all(int to, const char *request, size_t length)
{
    check(send(to, request, length, 0) == (ssize_t)length, "send");
}

// Reads until the head of the answer is there, with the id of the stream.
static const char *read_head(int stream, char *head)
{
    static const char name[] = "Mesos-Stream-Id: ";
    size_t filled = 0;
    for (;;) {
        ssize_t length = recv(stream, head + filled, MOST - 1 - filled, 0);
        check(length > 0, "recv");
        head[filled += (size_t)length] = 0;
        char *id = strstr(head, name);
        if (id != NULL && strstr(id, "\r\n\r\n") != NULL)
            return id + sizeof name - 1;
    }
}

static int watch(const int *sockets)
{
    int poller = epoll_create1(0);
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = sockets[i]};
        check(epoll_ctl(poller, EPOLL_CTL_ADD, sockets[i], &event) == 0, "epoll_ctl");
    }
    return poller;
}

static void echo(const int *sockets, const char *request, size_t length)
{
    static const char agent[] = "-S0";
    static char data[MOST];
    int poller = watch(sockets);
    for (struct epoll_event event; epoll_wait(poller, &event, 1, -1) == 1;) {
        ssize_t got = recv(event.data.fd, data, MOST, 0);
        if (got <= 0)
            return;
        if (event.data.fd == sockets[0] && memmem(data, (size_t)got, agent, sizeof agent - 1))
            send_all(sockets[1], request, length);
    }
}

int main(int argc, char **argv)
{
    static char head[MOST], request[MOST];
    check(argc == 3, "bench-echo PORT FOLDER");
    struct body subscribe = read_body(argv[2], "subscribe");
    struct body acknowledge = read_body(argv[2], "acknowledge");
    int sockets[2] = {open_socket(argv[1]), open_socket(argv[1])};
    send_all(sockets[0], request, make_request(request, NULL, &subscribe));
    const char *id = read_head(sockets[0], head);
    size_t length = make_request(request, id, &acknowledge);
    send_all(sockets[1], request, length);
    echo(sockets, request, length);
    return 0;
}
