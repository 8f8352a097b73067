// SPDX-License-Identifier: Apache-2.0
//
// A master on loopback and the program that talks to it: see fake_master.h.

#include "fake_master.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8, EVENTS = 256, PATIENCE = 60000, READ = 256 * 1024 };
enum { FIELD_TYPE = 2, FIELD_DECLINE = 5, FIELD_OFFER_IDS = 1 };

struct connection {
    int socket; // 0: unused
    struct buffer in, out;
};

struct event {
    char head[32];
    struct bytes *bytes;
};

struct peer {
    int listener;
    char address[64];
    struct connection connections[CONNECTIONS];
    struct connection *stream;
    struct event events[EVENTS]; // that are to be sent, a ring
    size_t first, count;
    size_t sent; // of the first one, with its head and the two bytes behind it
    struct peer_counts counts;
    pid_t pid;
    int output; // of the program
    struct buffer lines;
    char *line;
    char folder[64], script[96]; // a folder of its own: the program watches it
    bool ending;
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t peer_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// ---- the stream ----

void peer_send(struct peer *peer, struct bytes *bytes)
{
    check(peer->count < EVENTS, "too many events wait");
    struct event *event = &peer->events[(peer->first + peer->count++) % EVENTS];
    char length[24];
    int digits = snprintf(length, sizeof length, "%zu\n", bytes->length);
    snprintf(event->head, sizeof event->head, "%zx\r\n%s", bytes->length + (size_t)digits, length);
    event->bytes = bytes_ref(bytes);
}

// What is left of the first event.
static struct slice rest_of(const struct peer *peer)
{
    const struct event *event = &peer->events[peer->first];
    size_t head = strlen(event->head), body = event->bytes->length, at = peer->sent;
    if (at < head)
        return (struct slice){(const uint8_t *)event->head + at, head - at};
    if (at < head + body)
        return (struct slice){event->bytes->data + at - head, head + body - at};
    return (struct slice){(const uint8_t *)"\r\n" + (at - head - body), head + body + 2 - at};
}

static void drop_event(struct peer *peer)
{
    bytes_unref(peer->events[peer->first].bytes);
    peer->first = (peer->first + 1) % EVENTS;
    peer->count--;
    peer->sent = 0;
}

static void write_events(struct peer *peer)
{
    while (peer->count > 0) {
        struct slice rest = rest_of(peer);
        if (rest.length == 0) {
            drop_event(peer);
            continue;
        }
        ssize_t length = send(peer->stream->socket, rest.data, rest.length, MSG_NOSIGNAL);
        if (length < 0)
            return;
        peer->sent += (size_t)length;
    }
}

static void send_subscribed(struct peer *peer)
{
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    Mesos__V1__Scheduler__Event__Subscribed subscribed =
        MESOS__V1__SCHEDULER__EVENT__SUBSCRIBED__INIT;
    Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
    id.value = "8a1d8f0e-5b3c-4f1c-9a53-0d4f6b1f7a22-0000";
    subscribed.framework_id = &id;
    subscribed.has_heartbeat_interval_seconds = 1;
    subscribed.heartbeat_interval_seconds = 3600;
    event.has_type = 1;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED;
    event.subscribed = &subscribed;
    struct bytes *bytes = bytes_create(mesos__v1__scheduler__event__get_packed_size(&event));
    mesos__v1__scheduler__event__pack(&event, bytes->data);
    peer_send(peer, bytes);
    bytes_unref(bytes);
}

// ---- calls ----

static void on_subscribe(struct peer *peer, struct connection *connection)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"
                               "Mesos-Stream-Id: 0f9b3c62-55d1-4c2e-8a6e-3f1f5f0f7d11\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    peer->counts.subscribed_at = peer_now();
    peer->stream = connection;
    buffer_append(&connection->out, head, sizeof head - 1);
    send_subscribed(peer);
}

static void on_call(struct peer *peer, struct connection *connection, struct slice call)
{
    static const char accepted[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
    uint64_t type = 0;
    wire_find_varint(call, FIELD_TYPE, &type);
    if (type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE) {
        on_subscribe(peer, connection);
        return;
    }
    peer->counts.calls++;
    if (type == MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE) {
        struct slice ids = wire_find(call, FIELD_DECLINE), id;
        peer->counts.declines++;
        while (wire_next_bytes(&ids, FIELD_OFFER_IDS, &id))
            peer->counts.declined++;
    }
    buffer_append(&connection->out, accepted, sizeof accepted - 1);
}

// Takes one request off the front. False if none is whole.
static bool take_request(struct peer *peer, struct connection *connection)
{
    struct buffer *in = &connection->in;
    const uint8_t *end = in->length ? memmem(in->data, in->length, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return false;
    size_t head = (size_t)(end - in->data) + 4;
    const char *field = memmem(in->data, head, "Content-Length: ", 16);
    check(field != NULL, "a request without a length");
    size_t body = strtoul(field + 16, NULL, 10);
    if (in->length < head + body)
        return false;
    on_call(peer, connection, (struct slice){in->data + head, body});
    buffer_consume(in, head + body);
    return true;
}

static void close_connection(struct peer *peer, struct connection *connection)
{
    if (connection == peer->stream)
        peer->stream = NULL;
    close(connection->socket);
    buffer_free(&connection->in);
    buffer_free(&connection->out);
    connection->socket = 0;
}

static void read_connection(struct peer *peer, struct connection *connection)
{
    uint8_t *to = buffer_reserve(&connection->in, READ);
    ssize_t length = recv(connection->socket, to, READ, 0);
    if (length <= 0) {
        close_connection(peer, connection);
        return;
    }
    connection->in.length += (size_t)length;
    while (take_request(peer, connection))
        ;
}

static void write_connection(struct peer *peer, struct connection *connection)
{
    struct buffer *out = &connection->out;
    ssize_t length = 0;
    if (out->length > 0)
        length = send(connection->socket, out->data, out->length, MSG_NOSIGNAL);
    if (length > 0)
        buffer_consume(out, (size_t)length);
    if (out->length == 0 && connection == peer->stream)
        write_events(peer);
}

static void accept_connection(struct peer *peer)
{
    int yes = 1, socket = accept4(peer->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *connection = peer->connections;
    check(socket > 0, "accept");
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    while (connection->socket > 0)
        connection++;
    check(connection < peer->connections + CONNECTIONS, "too many connections");
    connection->socket = socket;
    buffer_init(&connection->in, SIZE_MAX / 2);
    buffer_init(&connection->out, SIZE_MAX / 2);
}

// ---- the program ----

static void write_script(struct peer *peer, const char *text)
{
    int file = open(peer->script, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text), "the script");
    close(file);
}

static void exec_program(struct peer *peer, int output, const char *const *more)
{
    const char *path = getenv("MESOS_LUA");
    const char *args[24] = {"mesos-lua",   "run",         "--master",
                            peer->address, "--log-level", "warning"};
    size_t count = 6;
    while (more != NULL && *more != NULL && count < 20)
        args[count++] = *more++;
    args[count] = peer->script;
    dup2(output, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(path ? path : "build/mesos-lua", (char *const *)(uintptr_t)args);
    _exit(127);
}

void peer_start(struct peer *peer, const char *script, const char *const *more)
{
    int ends[2];
    write_script(peer, script);
    check(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    peer->counts = (struct peer_counts){.calls = 0};
    peer->ending = false;
    peer->pid = vfork();
    if (peer->pid == 0)
        exec_program(peer, ends[1], more);
    check(peer->pid > 0, "fork");
    close(ends[1]);
    peer->output = ends[0];
}

void peer_end(struct peer *peer)
{
    int status;
    peer->ending = true;
    kill(peer->pid, SIGTERM);
    while (peer->output >= 0)
        peer_turn(peer, PATIENCE);
    waitpid(peer->pid, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program did not end well");
    for (int i = 0; i < CONNECTIONS; i++)
        if (peer->connections[i].socket > 0)
            close_connection(peer, &peer->connections[i]);
    while (peer->count > 0)
        drop_event(peer);
    buffer_clear(&peer->lines);
    peer->counts = (struct peer_counts){.calls = 0};
}

static void read_output(struct peer *peer)
{
    uint8_t *to = buffer_reserve(&peer->lines, 4096);
    ssize_t length = read(peer->output, to, 4096);
    if (length > 0) {
        peer->lines.length += (size_t)length;
        return;
    }
    close(peer->output);
    peer->output = -1;
    check(peer->ending, "the program ended before its work was done");
}

pid_t peer_program(const struct peer *peer)
{
    return peer->pid;
}

uint64_t peer_memory(const struct peer *peer, const char *file, const char *name)
{
    char path[64], line[256], wanted[32];
    unsigned long long figure = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)peer->pid, file);
    size_t length = (size_t)snprintf(wanted, sizeof wanted, "%s:", name);
    FILE *text = fopen(path, "r");
    check(text != NULL, path);
    while (fgets(line, sizeof line, text) != NULL)
        if (strncmp(line, wanted, length) == 0)
            figure = strtoull(line + length, NULL, 10);
    fclose(text);
    return figure;
}

// ---- turns ----

static void deal_with(struct peer *peer, const struct pollfd *polls)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &peer->connections[i];
        if (polls[i].fd >= 0 && (polls[i].revents & (POLLIN | POLLHUP | POLLERR)))
            read_connection(peer, connection);
        if (connection->socket > 0)
            write_connection(peer, connection);
    }
    if (polls[CONNECTIONS].revents)
        accept_connection(peer);
    if (polls[CONNECTIONS + 1].revents)
        read_output(peer);
}

void peer_turn(struct peer *peer, int milliseconds)
{
    struct pollfd polls[CONNECTIONS + 2];
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &peer->connections[i];
        bool more = connection->socket > 0 &&
                    (connection->out.length > 0 || (connection == peer->stream && peer->count > 0));
        polls[i] = (struct pollfd){.fd = connection->socket > 0 ? connection->socket : -1,
                                   .events = (short)(POLLIN | (more ? POLLOUT : 0))};
    }
    polls[CONNECTIONS] = (struct pollfd){.fd = peer->listener, .events = POLLIN};
    polls[CONNECTIONS + 1] = (struct pollfd){.fd = peer->output, .events = POLLIN};
    int found = poll(polls, CONNECTIONS + 2, milliseconds);
    check(found >= 0 || errno == EINTR, "poll");
    check(found > 0 || milliseconds < PATIENCE, "nothing happened for too long");
    if (found > 0)
        deal_with(peer, polls);
}

void peer_wait_subscribed(struct peer *peer)
{
    while (peer->counts.subscribed_at == 0)
        peer_turn(peer, PATIENCE);
}

const char *peer_line(struct peer *peer)
{
    struct buffer *lines = &peer->lines;
    const uint8_t *end;
    while ((end = lines->length ? memchr(lines->data, '\n', lines->length) : NULL) == NULL)
        peer_turn(peer, PATIENCE);
    size_t length = (size_t)(end - lines->data);
    free(peer->line);
    peer->line = memory_text((const char *)lines->data, length);
    buffer_consume(lines, length + 1);
    return peer->line;
}

void peer_rest(struct peer *peer, int milliseconds)
{
    uint64_t now = peer_now(), end = now + (uint64_t)milliseconds * 1000000;
    for (; now < end; now = peer_now())
        peer_turn(peer, (int)((end - now) / 1000000) + 1);
}

// ---- life ----

const struct peer_counts *peer_counts(const struct peer *peer)
{
    return &peer->counts;
}

struct peer *peer_create(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct peer *peer = memory_new(sizeof *peer);
    snprintf(peer->folder, sizeof peer->folder, "/tmp/mesos-lua-bench-XXXXXX");
    check(mkdtemp(peer->folder) != NULL, "mkdtemp");
    snprintf(peer->script, sizeof peer->script, "%s/script.lua", peer->folder);
    peer->output = -1;
    buffer_init(&peer->lines, SIZE_MAX / 2);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(peer->listener, (struct sockaddr *)&address, length) == 0, "bind");
    check(listen(peer->listener, 16) == 0, "listen");
    check(getsockname(peer->listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    snprintf(peer->address, sizeof peer->address, "127.0.0.1:%u", ntohs(address.sin_port));
    return peer;
}

void peer_destroy(struct peer *peer)
{
    close(peer->listener);
    unlink(peer->script);
    rmdir(peer->folder);
    buffer_free(&peer->lines);
    free(peer->line);
    free(peer);
}
