// SPDX-License-Identifier: Apache-2.0
//
// The control socket: see control.h. The request of a client is a block of its own that outlives
// the client, since the answer may come after the client has gone. While a request is pending,
// input is read up to the length of one request, and no further.
//
// control_serve() accepts connections and reads bytes from the descriptors directly; libuv finds
// them empty later. An answer that the socket accepts at once needs no turn of the loop either.

#include "ops/control.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "ops/control_line.h"
#include "ops/control_paths.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIECE = 65536 };

static const uint64_t probe_interval = LOOP_SECOND / 2; // of clients that will send nothing else

struct control_client;

struct control {
    struct loop *loop;
    const struct control_events *events;
    void *data;
    uv_pipe_t *pipe;
    char *path,
        *link; // link: a symbolic link to the path, where control_paths_find() looks; or NULL
    struct stat made;
    TAILQ_HEAD(, control_client) clients; // by their last request, the latest at the end
    unsigned count;
    bool serving;           // inside control_serve(): the loop does not turn
    struct deferral resume; // processes the requests that were held
    struct timer probe;
};

struct control_request {
    struct control_client *client; // NULL: its client is gone
    void (*left)(void *data);
    void *left_data;
};

struct control_client {
    struct control *control;
    TAILQ_ENTRY(control_client) link;
    uv_pipe_t pipe;
    uv_write_t write;
    char *reply; // being written, or NULL
    struct buffer input;
    struct control_request *request;
    bool reading, ended; // ended: the client sends no more
    bool held;           // its next request waits for a turn of the loop
    bool dispatching;    // a request is being given to control_events.handle
};

static void process_requests(struct control_client *client);

// ---- listening ----

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

// Removes a socket at which no process listens. False if anything else is there.
static bool remove_stale(const char *path, struct error *err)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return true;
    if (!S_ISSOCK(there.st_mode))
        return error_set(err, ERROR_INVALID, "%s is there and is no socket", path);
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool left =
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!left)
        return error_set(err, ERROR_INVALID, "another process listens at %s", path);
    unlink(path);
    return true;
}

static int bind_socket(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int result = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    int fault = errno;
    umask(mask);
    if (result == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = fault;
    return -1;
}

static bool is_allowed(uv_pipe_t *pipe)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    if (peer.uid == geteuid() || peer.uid == 0)
        return true;
    log_warning("a process of user %u was refused at the control socket", (unsigned)peer.uid);
    return false;
}

// ---- clients ----

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *client = handle->data;
    buffer_free(&client->input);
    free(client->reply);
    free(client);
}

static void end_client(struct control_client *client)
{
    struct control *control = client->control;
    struct control_request *request = client->request;
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    client->request = NULL;
    if (control != NULL) {
        TAILQ_REMOVE(&control->clients, client, link);
        control->count--;
    }
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    if (request == NULL)
        return;
    request->client = NULL;
    if (request->left != NULL)
        request->left(request->left_data);
}

static void on_written(uv_write_t *write, int status)
{
    struct control_client *client = write->data;
    free(client->reply);
    client->reply = NULL;
    if (status != 0)
        end_client(client);
    else
        process_requests(client);
}

// A line with its newline. To be freed.
static char *reply_line(json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT);
    char *line =
        memory_format("%s\n", text ? text : "{\"ok\":false,\"error\":\"the reply is not UTF-8\"}");
    free(text);
    return line;
}

// What the socket does not accept at once is written asynchronously.
static void send_reply(struct control_client *client, json_t *reply)
{
    char *line = reply_line(reply);
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;
    uv_buf_t whole = uv_buf_init(line, (unsigned)strlen(line));
    int sent = uv_try_write(stream, &whole, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done == whole.len) {
        free(line);
        return;
    }
    uv_buf_t remaining = uv_buf_init(line + done, (unsigned)(whole.len - done));
    client->reply = line;
    client->write.data = client;
    if (uv_write(&client->write, stream, &remaining, 1, on_written) != 0)
        end_client(client);
}

static struct control_request *new_request(struct control_client *client)
{
    client->request = memory_new(sizeof *client->request);
    client->request->client = client;
    TAILQ_REMOVE(&client->control->clients, client, link);
    TAILQ_INSERT_TAIL(&client->control->clients, client, link);
    return client->request;
}

void control_reply(struct control_request *request, json_t *reply)
{
    struct control_client *client = request->client;
    if (client != NULL) {
        client->request = NULL;
        send_reply(client, reply);
        if (client->control != NULL && client->reply == NULL && !client->dispatching)
            deferral_queue(&client->control->resume);
    }
    json_decref(reply);
    free(request);
}

void control_request_follow(struct control_request *request, void (*left)(void *data), void *data)
{
    request->left = left;
    request->left_data = data;
}

static void refuse(struct control_client *client, const char *text)
{
    control_reply(new_request(client), json_pack("{s:b, s:s}", "ok", 0, "error", text));
}

// ---- requests ----

static void hold(struct control_client *client)
{
    client->held = true;
    deferral_queue(&client->control->resume);
}

static void dispatch(struct control_client *client, const struct control_line *line)
{
    struct control *control = client->control;
    if (line->complaint != NULL)
        refuse(client, line->complaint);
    else if (line->command != NULL)
        control->events->handle(control->data, new_request(client), line->command, line->argument);
}

// Processes the first line of the input. False if none is complete, or if it has to wait.
static bool dispatch_next(struct control_client *client)
{
    struct control *control = client->control;
    struct control_line line;
    if (client->held || !control_line_read(buffer_slice(&client->input), client->ended, &line))
        return false;
    if (control->serving && line.command != NULL &&
        !control->events->ready(control->data, line.command, line.argument)) {
        hold(client);
    } else {
        buffer_consume(&client->input, line.length);
        client->dispatching = true;
        dispatch(client, &line);
        client->dispatching = false;
    }
    control_line_free(&line);
    return !client->held;
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
    struct control_client *client = handle->data;
    size_t space = client->input.limit - client->input.length;
    size_t length = suggested < space ? suggested : space;
    *to = uv_buf_init((char *)buffer_reserve(&client->input, length), (unsigned)length);
}

static int descriptor_of(struct control_client *client)
{
    uv_os_fd_t fd = -1;
    uv_fileno((uv_handle_t *)&client->pipe, &fd);
    return fd;
}

// True if the other end is closed, and not only for writing.
static bool has_hung_up(struct control_client *client)
{
    struct pollfd descriptor = {.fd = descriptor_of(client)};
    return poll(&descriptor, 1, 0) > 0 && (descriptor.revents & (POLLHUP | POLLERR)) != 0;
}

static bool unanswered(const struct control_client *client)
{
    return client->request != NULL || client->held;
}

// Bytes were received, or, with a length below 0, the end of the input.
static void receive(struct control_client *client, ssize_t length)
{
    if (length > 0)
        client->input.length += (size_t)length;
    if (length < 0) {
        client->ended = true;
        client->reading = false;
        uv_read_stop((uv_stream_t *)&client->pipe);
    }
    if (client->ended && unanswered(client) && has_hung_up(client))
        end_client(client);
    else
        process_requests(client);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *from)
{
    (void)from;
    receive(stream->data, length);
}

static void set_reading(struct control_client *client, bool on)
{
    if (on == client->reading || client->ended)
        return;
    client->reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&client->pipe, allocate, on_read);
    else
        uv_read_stop((uv_stream_t *)&client->pipe);
}

static bool idle(const struct control_client *client)
{
    return client->request == NULL && client->reply == NULL && !client->held &&
           !uv_is_closing((const uv_handle_t *)&client->pipe);
}

static void refuse_long(struct control_client *client)
{
    client->ended = true;
    buffer_clear(&client->input);
    uv_read_stop((uv_stream_t *)&client->pipe);
    refuse(client, "the request is longer than 1 MiB");
}

// Processes requests as long as each is answered at once.
static void process_requests(struct control_client *client)
{
    struct control *control = client->control;
    while (idle(client) && dispatch_next(client))
        ;
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    bool full = client->input.length == client->input.limit;
    if (idle(client) && full)
        refuse_long(client);
    if (idle(client) && client->ended) {
        end_client(client);
    } else {
        set_reading(client, !full);
        if (client->ended && !timer_active(&control->probe))
            timer_start(&control->probe, probe_interval);
    }
}

// A snapshot of the clients: an action on one of them may free that one, and no other.
static size_t list_clients(const struct control *control, struct control_client **list)
{
    size_t count = 0;
    struct control_client *client;
    TAILQ_FOREACH(client, &control->clients, link)
    list[count++] = client;
    return count;
}

static void on_resume(void *data)
{
    struct control *control = data;
    struct control_client *list[CONTROL_CLIENTS + 1];
    size_t count = list_clients(control, list);
    for (size_t i = 0; i < count; i++) {
        list[i]->held = false;
        process_requests(list[i]);
    }
}

// libuv does not report that a client which will send nothing else has gone.
static void on_probe(void *data)
{
    struct control *control = data;
    struct control_client *list[CONTROL_CLIENTS + 1];
    size_t count = list_clients(control, list);
    bool more = false;
    for (size_t i = 0; i < count; i++) {
        bool waits = list[i]->ended && unanswered(list[i]);
        if (waits && has_hung_up(list[i]))
            end_client(list[i]);
        else
            more = more || waits;
    }
    if (more)
        timer_start(&control->probe, probe_interval);
}

// Ends the client that has been silent for the longest time, preferably one without a request.
static void evict(struct control *control)
{
    struct control_client *client;
    TAILQ_FOREACH(client, &control->clients, link)
    if (client->request == NULL)
        break;
    end_client(client ? client : TAILQ_FIRST(&control->clients));
}

static struct control_client *new_client(struct control *control)
{
    struct control_client *client = memory_new(sizeof *client);
    client->control = control;
    buffer_init(&client->input, CONTROL_REQUEST);
    uv_pipe_init(loop_uv_handle(control->loop), &client->pipe, 0);
    client->pipe.data = client;
    if (control->count >= CONTROL_CLIENTS)
        evict(control);
    control->count++;
    TAILQ_INSERT_TAIL(&control->clients, client, link);
    return client;
}

static void welcome(struct control_client *client)
{
    if (is_allowed(&client->pipe)) {
        process_requests(client);
        return;
    }
    client->ended = true;
    refuse(client, "this host belongs to another user");
    process_requests(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = stream->data;
    if (status != 0)
        return;
    struct control_client *client = new_client(control);
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0)
        end_client(client);
    else
        welcome(client);
}

// ---- without the loop ----

static void accept_without_loop(struct control *control)
{
    uv_os_fd_t listener = -1;
    uv_fileno((uv_handle_t *)control->pipe, &listener);
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct control_client *client = new_client(control);
        if (uv_pipe_open(&client->pipe, fd) == 0) {
            welcome(client);
        } else {
            close(fd);
            end_client(client);
        }
    }
}

// Reads no more than one request may have.
static void read_without_loop(struct control_client *client)
{
    while (!client->ended && !uv_is_closing((uv_handle_t *)&client->pipe)) {
        size_t space = client->input.limit - client->input.length;
        uint8_t *to =
            space > 0 ? buffer_reserve(&client->input, space < PIECE ? space : PIECE) : NULL;
        if (to == NULL)
            return;
        ssize_t length =
            recv(descriptor_of(client), to, space < PIECE ? space : PIECE, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        receive(client, length > 0 ? length : -1);
    }
}

void control_serve(struct control *control)
{
    struct control_client *list[CONTROL_CLIENTS + 1];
    control->serving = true;
    accept_without_loop(control);
    size_t count = list_clients(control, list);
    for (size_t i = 0; i < count; i++)
        read_without_loop(list[i]);
    control->serving = false;
}

// ---- opening and closing ----

static bool start(struct control *control, struct error *err)
{
    if (!remove_stale(control->path, err))
        return false;
    int fd = bind_socket(control->path);
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot listen at %s: %s", control->path, strerror(errno));
    lstat(control->path, &control->made);
    control->pipe = memory_new(sizeof *control->pipe);
    uv_pipe_init(loop_uv_handle(control->loop), control->pipe, 0);
    control->pipe->data = control;
    int fault = uv_pipe_open(control->pipe, fd);
    if (fault != 0)
        close(fd);
    else
        fault = uv_listen((uv_stream_t *)control->pipe, SOMAXCONN, on_connection);
    return fault == 0 ||
           error_set(err, ERROR_IO, "cannot listen at %s: %s", control->path, uv_strerror(fault));
}

// Lets clients find a socket at another path by the id of the process, too.
static void add_link(struct control *control)
{
    char *target = realpath(control->path, NULL);
    control->link = target ? control_paths_make(NULL) : NULL;
    if (control->link != NULL && symlink(target, control->link) != 0) {
        free(control->link);
        control->link = NULL;
    }
    free(target);
}

struct control *control_open(struct loop *loop, const char *path,
                             const struct control_events *events, void *data, struct error *err)
{
    char *chosen = path ? memory_string(path) : control_paths_make(err);
    if (chosen == NULL)
        return NULL;
    if (!control_paths_fit(chosen)) {
        error_set(err, ERROR_LIMIT, "the path %s is too long for a socket", chosen);
        free(chosen);
        return NULL;
    }
    struct control *control = memory_new(sizeof *control);
    *control = (struct control){.loop = loop, .events = events, .data = data, .path = chosen};
    TAILQ_INIT(&control->clients);
    deferral_init(&control->resume, loop, on_resume, control);
    timer_init(&control->probe, loop, on_probe, control);
    if (!start(control, err)) {
        control_close(control);
        return NULL;
    }
    if (path != NULL)
        add_link(control);
    return control;
}

static void on_pipe_closed(uv_handle_t *handle)
{
    free(handle);
}

void control_unlink(const struct control *control)
{
    struct stat there;
    if (control->made.st_ino != 0 && lstat(control->path, &there) == 0 &&
        there.st_ino == control->made.st_ino && there.st_dev == control->made.st_dev)
        unlink(control->path);
    if (control->link != NULL)
        unlink(control->link);
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    while (!TAILQ_EMPTY(&control->clients))
        end_client(TAILQ_FIRST(&control->clients));
    deferral_cancel(&control->resume);
    timer_stop(&control->probe);
    control_unlink(control);
    if (control->pipe != NULL)
        uv_close((uv_handle_t *)control->pipe, on_pipe_closed);
    free(control->link);
    free(control->path);
    free(control);
}

const char *control_path(const struct control *control)
{
    return control->path;
}
