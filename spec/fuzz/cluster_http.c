// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of the local cluster on real sockets, in front of a master whose runner pretends:
// raw bytes, calls of schedulers, executors and operators in protobuf and JSON, paths, programs
// that start and end, and clients that leave, on four connections whose requests mix. After each
// input it must still answer, and when it is gone no descriptor may be left.
//
// The input is a list of steps: a byte that says what, two for the length, and so many bytes. In
// JSON "@F" is the id of the framework, "@O" that of an offer, "@A" that of an agent, and "@U" the
// uuid of an update, as none would be guessed.

#include "cluster/cluster_http.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "net/http_access.h"
#include "support/pretend_runner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4, ID = 160, TURNS = 4, PATIENCE = 100000 };

enum step {
    STEP_RAW,
    STEP_PROTOBUF,
    STEP_JSON,
    STEP_OPERATE,
    STEP_GET,
    STEP_CLOSE,
    STEP_SHUT,
    STEP_EXECUTE
};

// Bits of a step's first byte, behind its kind. A GET with POSTED is a POST of the lines that
// follow the path; a CLOSE with OF_RUN is not of a connection: the oldest program starts or ends.
enum { KINDS = 8, CONNECTION_SHIFT = 3, WITHOUT_STREAM = 32, POSTED = 64, OF_RUN = 128 };

struct server {
    struct loop *loop;
    struct master *master;
    struct cluster_http *http;
    int connections[CONNECTIONS]; // -1: none
    char stream[ID], framework[ID], offer[ID], agent[ID], uuid[ID];
};

// ---- clients ----

static int open_connection(const struct server *server)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)cluster_http_port(server->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // A connection that is reset does not stay in TIME_WAIT: there are many.
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        abort();
    return fd;
}

static void close_connection(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void turn(const struct server *server)
{
    for (int i = 0; i < TURNS; i++)
        uv_run(loop_uv_handle(server->loop), UV_RUN_NOWAIT);
}

// Copies what follows the last `mark` in the text, up to one of `ends`.
static void note(const char *text, const char *mark, const char *ends, char *to)
{
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, mark)) != NULL; at += strlen(mark))
        last = at + strlen(mark);
    if (last != NULL)
        snprintf(to, ID, "%.*s", (int)strcspn(last, ends), last);
}

static void read_answers(struct server *server, int fd)
{
    char text[65536];
    for (ssize_t length; (length = recv(fd, text, sizeof text - 1, 0)) > 0;) {
        text[length] = '\0';
        note(text, "Mesos-Stream-Id: ", "\r", server->stream);
        note(text, "\"framework_id\":{\"value\":\"", "\"", server->framework);
        note(text, "{\"id\":{\"value\":\"", "\"", server->offer);
        note(text, "\"agent_id\":{\"value\":\"", "\"", server->agent);
        note(text, "\"uuid\":\"", "\"", server->uuid);
    }
}

static void send_all(struct server *server, int fd, struct slice bytes)
{
    for (int tries = 0; bytes.length > 0 && tries < PATIENCE; tries++) {
        ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.data += sent;
            bytes.length -= (size_t)sent;
        }
        turn(server);
        read_answers(server, fd);
    }
    turn(server);
    read_answers(server, fd);
}

// ---- requests ----

static const char *known_id(const struct server *server, uint8_t letter)
{
    switch (letter) {
    case 'F':
        return server->framework;
    case 'O':
        return server->offer;
    case 'A':
        return server->agent;
    case 'U':
        return server->uuid;
    default:
        return NULL;
    }
}

static void put_body(const struct server *server, struct slice bytes, struct buffer *body)
{
    for (size_t i = 0; i < bytes.length; i++) {
        bool marked = bytes.data[i] == '@' && i + 1 < bytes.length;
        const char *id = marked ? known_id(server, bytes.data[i + 1]) : NULL;
        if (id != NULL)
            buffer_format(body, "%s", id);
        else
            buffer_append(body, &bytes.data[i], 1);
        i += id != NULL;
    }
}

static const char *path_of(enum step kind)
{
    if (kind == STEP_EXECUTE)
        return "/api/v1/executor";
    return kind == STEP_OPERATE ? "/api/v1" : "/api/v1/scheduler";
}

static void post(const struct server *server, enum step kind, bool without_stream,
                 struct slice bytes, struct buffer *out)
{
    struct buffer body;
    buffer_init(&body, (size_t)1 << 24);
    if (kind == STEP_PROTOBUF)
        buffer_append(&body, bytes.data, bytes.length);
    else
        put_body(server, bytes, &body);
    buffer_format(out, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/%s\r\n",
                  path_of(kind), kind == STEP_PROTOBUF ? "x-protobuf" : "json");
    if (!without_stream && server->stream[0] != '\0')
        buffer_format(out, "Mesos-Stream-Id: %s\r\n", server->stream);
    buffer_format(out, "Content-Length: %zu\r\n\r\n", body.length);
    buffer_append(out, body.data, body.length);
    buffer_free(&body);
}

static void get(struct slice path, struct buffer *out)
{
    buffer_format(out, "GET /");
    buffer_append(out, path.data, path.length);
    buffer_format(out, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static void post_lines(const struct server *server, struct slice bytes, struct buffer *out)
{
    const uint8_t *line = memchr(bytes.data, '\n', bytes.length);
    size_t path = line ? (size_t)(line - bytes.data) : bytes.length;
    struct buffer body;
    buffer_init(&body, (size_t)1 << 24);
    if (line != NULL)
        put_body(server, (struct slice){line + 1, bytes.length - path - 1}, &body);
    buffer_format(out, "POST /");
    buffer_append(out, bytes.data, path);
    buffer_format(out, " HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", body.length);
    buffer_append(out, body.data, body.length);
    buffer_free(&body);
}

// What is sent for a step; nothing for those that send nothing.
static void put_request(const struct server *server, uint8_t how, struct slice bytes,
                        struct buffer *out)
{
    enum step kind = how % KINDS;
    if (kind == STEP_RAW)
        buffer_append(out, bytes.data, bytes.length);
    else if (kind == STEP_GET && how & POSTED)
        post_lines(server, bytes, out);
    else if (kind == STEP_GET)
        get(bytes, out);
    else if (kind != STEP_CLOSE && kind != STEP_SHUT)
        post(server, kind, how & WITHOUT_STREAM, bytes, out);
}

static void end_or_begin(size_t length)
{
    if (length == 0)
        pretend_runner_begin();
    else if (length == 1)
        pretend_runner_fail();
    else
        pretend_runner_end((int64_t)length - 2);
}

static void step(struct server *server, uint8_t how, struct slice bytes)
{
    enum step kind = how % KINDS;
    int *fd = &server->connections[how >> CONNECTION_SHIFT & (CONNECTIONS - 1)];
    if (kind == STEP_CLOSE && how & OF_RUN) {
        end_or_begin(bytes.length);
    } else if (kind == STEP_CLOSE) {
        close_connection(fd);
    } else {
        struct buffer out;
        buffer_init(&out, (size_t)1 << 25);
        if (*fd < 0)
            *fd = open_connection(server);
        put_request(server, how, bytes, &out);
        if (kind == STEP_SHUT)
            shutdown(*fd, SHUT_WR);
        send_all(server, *fd, buffer_slice(&out));
        buffer_free(&out);
    }
    turn(server);
}

// ---- the server ----

static void check_serves(struct server *server)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[512] = "";
    int fd = open_connection(server);
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
        abort();
    for (int tries = 0; recv(fd, answer, sizeof answer - 1, 0) <= 0; tries++) {
        if (tries == PATIENCE)
            abort(); // it does not answer any more
        turn(server);
    }
    if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
        abort();
    close(fd);
}

static void add_agent(struct master *master)
{
    struct resources resources = {0};
    struct agent_description description;
    struct error err;
    if (!resources_parse(&resources, "cpus:4;mem:4096;disk:64;ports:[31000-31100]", NULL, &err) ||
        !agent_description_parse(&description, "zone=a", &err))
        abort();
    master_add_agent(master, &resources, &description);
    resources_free(&resources);
}

static void open_server(struct server *server)
{
    struct error err;
    const struct http_access_options open_to_all = {0};
    const struct cluster_http_options options = {.listen = "127.0.0.1:0",
                                                 .access = http_access_create(&open_to_all, &err)};
    server->loop = loop_uv_create(NULL);
    server->http = cluster_http_create(server->loop, &options, &err);
    if (server->http == NULL)
        abort();
    const struct master_options master = {.ip = "127.0.0.1",
                                          .port = cluster_http_port(server->http),
                                          .hostname = "localhost",
                                          .work_dir = "/nonexistent",
                                          .path = "/bin",
                                          .runner = pretend_runner()};
    server->master = master_create(server->loop, &master);
    add_agent(server->master);
    cluster_http_lead(server->http, server->master);
    cluster_http_serve_agents(server->http, server->master);
    for (int i = 0; i < CONNECTIONS; i++)
        server->connections[i] = -1;
}

static void close_server(struct server *server)
{
    for (int i = 0; i < CONNECTIONS; i++)
        close_connection(&server->connections[i]);
    turn(server);
    pretend_runner()->ops->destroy(pretend_runner());
    master_destroy(server->master);
    cluster_http_destroy(server->http);
    loop_uv_drain(server->loop);
    loop_destroy(server->loop);
}

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level(LOG_QUIET);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct server server = {0};
    int free_before = lowest_free_descriptor();
    open_server(&server);
    while (size >= 3) {
        size_t length = data[1] | (size_t)data[2] << 8, rest = size - 3;
        struct slice bytes = {data + 3, length < rest ? length : rest};
        step(&server, data[0], bytes);
        data += 3 + bytes.length;
        size -= 3 + bytes.length;
    }
    check_serves(&server);
    close_server(&server);
    if (lowest_free_descriptor() != free_before)
        abort(); // a descriptor is left
    return 0;
}
