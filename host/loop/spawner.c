// SPDX-License-Identifier: Apache-2.0
//
// The host's side of the spawner: see spawner.h.
//
// A spawn lives until the spawner process has reported that it failed or ended, also when its owner
// has forgotten it, so its address can be its name on the wire. It is in one of two lists: pending,
// in the order of the calls, or sent.
//
// A START is sent only when the socket's queue is empty, so that descriptors travel with its first
// byte, and are never kept longer than that.

#include "loop/spawner.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/spawner_handover.h"
#include "loop/spawner_process.h"
#include "loop/spawner_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 32,                  // programs in flight
    REPLIES = 32,                 // read in a turn of the loop
    OUT_LIMIT = 64 * 1024 * 1024, // bytes that the socket has not taken
};

#define SLICE (4 * LOOP_SECOND / 1000) // for starting, in a turn of the loop

enum spawn_state {
    SPAWN_PENDING,
    SPAWN_READY,   // pending, and its descriptors are open
    SPAWN_SENT,    // not answered
    SPAWN_RUNNING, // has a pid
};

struct spawn {
    struct spawner *owner;
    enum spawn_state state;
    const struct spawn_events *events; // NULL: forgotten
    void *data;
    struct buffer request; // the body of START; its memory goes when that is sent
    int files[WIRE_FILES];
    int fault;  // it cannot be sent: errno
    int killed; // by this signal, before it was sent
    pid_t pid;
    union {
        TAILQ_ENTRY(spawn) pending;
        LIST_ENTRY(spawn) sent;
    } link;
};

struct connection {
    uv_poll_t poll;
    struct spawner *owner; // NULL: it is being closed
    int socket, events;    // what is polled for
    pid_t pid;
    uint64_t answered; // replies
    struct buffer out; // for the socket
    struct wire_reply replies[REPLIES];
    size_t read; // bytes of them
};

struct spawner {
    struct loop *loop;
    struct connection *connection; // NULL: there is none, or none any more
    struct deferral pump;
    TAILQ_HEAD(pending, spawn) pending;
    LIST_HEAD(sent, spawn) sent;
    size_t pending_count;
    size_t unanswered;
    size_t owned; // not forgotten
    LIST_ENTRY(spawner) link;
};

struct prepared {
    int socket;
    pid_t pid;
};

static _Atomic(struct prepared *) prepared;
static _Thread_local LIST_HEAD(spawners, spawner) spawners = LIST_HEAD_INITIALIZER(spawners);

// ---- the process ----

// The process has closed its end of the socket, or ends since ours is closed: with nothing left to
// kill that takes no time. It is waited for a second at most, in case the kernel holds it.
static int wait_for_process(pid_t pid)
{
    const struct timespec moment = {.tv_nsec = 200000};
    int status = 0;
    for (int i = 0; i < 5000 && waitpid(pid, &status, WNOHANG) == 0; i++)
        nanosleep(&moment, NULL);
    return status;
}

void spawner_decline(void)
{
    pid_t pid;
    int socket = spawner_handover_take(&pid);
    if (socket < 0)
        return;
    close(socket);
    wait_for_process(pid);
}

void spawner_prepare(void)
{
    struct prepared *fresh = memory_new(sizeof *fresh);
    fresh->socket = spawner_handover_take(&fresh->pid);
    if (fresh->socket < 0)
        fresh->socket = spawner_process_fork(&fresh->pid);
    if (fresh->socket >= 0)
        atomic_store(&prepared, fresh);
    else
        free(fresh);
}

static bool is_alive(int socket)
{
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

// The prepared one, or one that is forked now.
static int take_process(pid_t *pid)
{
    struct prepared *ready = atomic_exchange(&prepared, NULL);
    int socket = -1;
    if (ready != NULL && is_alive(ready->socket)) {
        socket = ready->socket;
        *pid = ready->pid;
    } else if (ready != NULL) {
        close(ready->socket);
        waitpid(ready->pid, NULL, WNOHANG);
    }
    free(ready);
    return socket >= 0 ? socket : spawner_process_fork(pid);
}

// ---- the connection ----

static void on_socket(uv_poll_t *poll, int fault, int events);

static void listen_to(struct connection *connection)
{
    int events = UV_READABLE | (connection->out.length > 0 ? UV_WRITABLE : 0);
    if (events != connection->events)
        uv_poll_start(&connection->poll, events, on_socket);
    connection->events = events;
}

// The loop is kept alive only while something waits for an end.
static void keep_loop(struct spawner *spawner)
{
    if (spawner->connection == NULL)
        return;
    if (spawner->owned > 0)
        uv_ref((uv_handle_t *)&spawner->connection->poll);
    else
        uv_unref((uv_handle_t *)&spawner->connection->poll);
}

static bool connect_process(struct spawner *spawner, int *fault)
{
    struct connection *connection = memory_new(sizeof *connection);
    connection->owner = spawner;
    connection->socket = take_process(&connection->pid);
    *fault = connection->socket < 0 ? errno : 0;
    if (*fault == 0)
        *fault =
            -uv_poll_init(loop_uv_handle(spawner->loop), &connection->poll, connection->socket);
    if (*fault != 0) {
        if (connection->socket >= 0)
            close(connection->socket);
        free(connection);
        return false;
    }
    connection->poll.data = connection;
    buffer_init(&connection->out, OUT_LIMIT);
    spawner->connection = connection;
    listen_to(connection);
    keep_loop(spawner);
    log_debug("programs are started by process %ld", (long)connection->pid);
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    buffer_free(&connection->out);
    free(connection);
}

static void disconnect(struct spawner *spawner)
{
    struct connection *connection = spawner->connection;
    spawner->connection = NULL;
    connection->owner = NULL;
    uv_close((uv_handle_t *)&connection->poll, on_closed);
    close(connection->socket);
}

// ---- spawns ----

static void close_files(struct spawn *spawn)
{
    for (int i = 0; i < WIRE_FILES; i++) {
        if (spawn->files[i] >= 0)
            close(spawn->files[i]);
        spawn->files[i] = -1;
    }
}

// Takes it out of its list. The owner is told after this.
static void free_spawn(struct spawn *spawn)
{
    struct spawner *spawner = spawn->owner;
    if (spawn->state < SPAWN_SENT) {
        TAILQ_REMOVE(&spawner->pending, spawn, link.pending);
        spawner->pending_count--;
    } else {
        LIST_REMOVE(spawn, link.sent);
    }
    spawner->unanswered -= spawn->state == SPAWN_SENT;
    spawner->owned -= spawn->events != NULL;
    close_files(spawn);
    buffer_free(&spawn->request);
    free(spawn);
    keep_loop(spawner);
}

static void report_failure(struct spawn *spawn, enum spawn_step step, int fault)
{
    const struct spawn_failure failure = {.step = step, .fault = fault};
    const struct spawn_events *events = spawn->events;
    void *data = spawn->data;
    free_spawn(spawn);
    if (events != NULL)
        events->failed(data, &failure);
}

static void report_end(struct spawn *spawn, const struct spawn_end *end)
{
    const struct spawn_events *events = spawn->events;
    void *data = spawn->data;
    free_spawn(spawn);
    if (events != NULL)
        events->ended(data, end);
}

static void report_start(struct spawn *spawn, pid_t pid)
{
    spawn->owner->unanswered--;
    spawn->state = SPAWN_RUNNING;
    spawn->pid = pid;
    if (spawn->events != NULL)
        spawn->events->started(spawn->data, pid);
}

// ---- the spawner has ended ----

static void report_lost(struct spawn *spawn)
{
    static const struct spawn_end end = {.signal = SIGKILL, .lost = true};
    if (spawn->state == SPAWN_SENT) {
        report_failure(spawn, SPAWN_LOST, ECANCELED);
        return;
    }
    kill(-spawn->pid, SIGKILL);
    report_end(spawn, &end);
}

static size_t count_running(const struct spawner *spawner)
{
    size_t count = 0;
    struct spawn *spawn;
    LIST_FOREACH(spawn, &spawner->sent, link.sent)
    count += spawn->state == SPAWN_RUNNING && spawn->events != NULL;
    return count;
}

// If the spawner never answered, the first pending program fails too: trying it again could go on
// for ever.
static void lose(struct spawner *spawner)
{
    uint64_t answered = spawner->connection->answered;
    pid_t pid = spawner->connection->pid;
    disconnect(spawner);
    int status = wait_for_process(pid);
    log_error("the process that starts programs (%ld) ended unexpectedly%s%s; %zu programs that it "
              "had started were killed, and another one is started when it is needed",
              (long)pid, WIFSIGNALED(status) ? ": " : "",
              WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "", count_running(spawner));
    struct spawn *spawn = TAILQ_FIRST(&spawner->pending);
    if (answered == 0 && LIST_EMPTY(&spawner->sent) && spawn != NULL)
        report_failure(spawn, SPAWN_LOST, ECANCELED);
    while ((spawn = LIST_FIRST(&spawner->sent)) != NULL)
        report_lost(spawn);
    deferral_queue(&spawner->pump);
}

// ---- sending ----

static bool flush(struct connection *connection)
{
    struct buffer *out = &connection->out;
    while (out->length > 0) {
        ssize_t sent = send(connection->socket, out->data, out->length, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN;
        buffer_consume(out, (size_t)sent);
    }
    return true;
}

static struct wire_head start_head(const struct spawn *spawn)
{
    struct wire_head head = {.program = (uint64_t)(uintptr_t)spawn,
                             .request = WIRE_START,
                             .length = (uint32_t)spawn->request.length};
    for (int i = 0; i < WIRE_FILES; i++)
        head.files |= spawn->files[i] >= 0 ? 1u << i : 0;
    return head;
}

static void attach_files(const struct spawn *spawn, struct msghdr *message, void *control)
{
    int files[WIRE_FILES];
    size_t count = 0;
    for (int i = 0; i < WIRE_FILES; i++)
        if (spawn->files[i] >= 0)
            files[count++] = spawn->files[i];
    if (count == 0)
        return;
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(part), files, count * sizeof(int));
}

// Sends as much as possible; the rest, without descriptors, is queued. -1 and errno: nothing was
// sent.
static ssize_t send_start(struct connection *connection, struct spawn *spawn)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(WIRE_FILES * sizeof(int))] = {0};
    struct wire_head head = start_head(spawn);
    struct iovec parts[] = {{.iov_base = &head, .iov_len = sizeof head},
                            {.iov_base = spawn->request.data, .iov_len = spawn->request.length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    attach_files(spawn, &message, control);
    ssize_t sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL);
    if (sent < 0)
        return sent;
    size_t done = (size_t)sent, in_head = done < sizeof head ? done : sizeof head;
    buffer_append(&connection->out, (uint8_t *)&head + in_head, sizeof head - in_head);
    buffer_append(&connection->out, spawn->request.data + (done - in_head),
                  spawn->request.length - (done - in_head));
    return sent;
}

static void move_to_sent(struct spawn *spawn)
{
    struct spawner *spawner = spawn->owner;
    TAILQ_REMOVE(&spawner->pending, spawn, link.pending);
    spawner->pending_count--;
    spawn->state = SPAWN_SENT;
    spawner->unanswered++;
    LIST_INSERT_HEAD(&spawner->sent, spawn, link.sent);
    close_files(spawn);
    buffer_free(&spawn->request);
}

// The kernel limits descriptors in flight; answers to what was sent make room again.
static bool must_wait(const struct spawner *spawner, int fault)
{
    return fault == EAGAIN ||
           ((fault == ETOOMANYREFS || fault == ENOBUFS) && spawner->unanswered > 0);
}

// True: the next one may have its turn.
static bool transmit(struct spawn *spawn)
{
    struct spawner *spawner = spawn->owner;
    int fault = 0;
    if (spawner->connection == NULL && !connect_process(spawner, &fault)) {
        report_failure(spawn, SPAWN_FORK, fault);
        return true;
    }
    if (send_start(spawner->connection, spawn) >= 0) {
        move_to_sent(spawn);
        return true;
    }
    fault = errno;
    if (must_wait(spawner, fault))
        return false;
    if (fault == EPIPE || fault == ECONNRESET)
        lose(spawner);
    else
        report_failure(spawn, SPAWN_FORK, fault);
    return spawner->connection != NULL;
}

// ---- turns ----

// A program that was killed while it was pending ends as if killed at its first instruction.
static bool give_turn(struct spawn *spawn)
{
    const struct spawn_end killed = {.signal = spawn->killed};
    if (spawn->killed != 0) {
        report_end(spawn, &killed);
        return true;
    }
    if (spawn->state == SPAWN_PENDING && !spawn->events->open(spawn->data, spawn->files)) {
        report_failure(spawn, SPAWN_OPEN, 0);
        return true;
    }
    spawn->state = SPAWN_READY;
    if (spawn->fault == 0)
        return transmit(spawn);
    report_failure(spawn, SPAWN_EXECUTE, spawn->fault);
    return true;
}

static bool may_send(const struct spawner *spawner)
{
    bool clear = spawner->connection == NULL || spawner->connection->out.length == 0;
    return !TAILQ_EMPTY(&spawner->pending) && spawner->unanswered < WINDOW && clear;
}

static void on_pump(void *data)
{
    struct spawner *spawner = data;
    uint64_t end = loop_now(spawner->loop) + SLICE;
    bool go_on = true;
    while (go_on && may_send(spawner) && loop_now(spawner->loop) < end)
        go_on = give_turn(TAILQ_FIRST(&spawner->pending));
    if (spawner->connection != NULL)
        listen_to(spawner->connection);
    if (go_on && may_send(spawner))
        deferral_queue(&spawner->pump);
}

// ---- replies ----

static void handle(const struct wire_reply *reply)
{
    struct spawn *spawn = (struct spawn *)(uintptr_t)reply->program;
    const struct spawn_end end = {.status = reply->status, .signal = reply->signal};
    if (reply->answer == WIRE_STARTED)
        report_start(spawn, reply->pid);
    else if (reply->answer == WIRE_FAILED)
        report_failure(spawn, (enum spawn_step)reply->step, reply->fault);
    else
        report_end(spawn, &end);
}

// False: there is no further reply. The owner's callback may close the connection.
static bool read_replies(struct connection *connection)
{
    struct wire_reply replies[REPLIES];
    ssize_t got = recv(connection->socket, (char *)connection->replies + connection->read,
                       sizeof connection->replies - connection->read, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    connection->read += (size_t)got;
    size_t count = connection->read / sizeof *replies, rest = connection->read % sizeof *replies;
    memcpy(replies, connection->replies, count * sizeof *replies);
    memmove(connection->replies, connection->replies + count, rest);
    connection->read = rest;
    connection->answered += count;
    for (size_t i = 0; i < count && connection->owner != NULL; i++)
        handle(&replies[i]);
    return true;
}

static void on_socket(uv_poll_t *poll, int fault, int events)
{
    struct connection *connection = poll->data;
    (void)fault;
    (void)events;
    bool live = flush(connection) && read_replies(connection);
    struct spawner *spawner = connection->owner;
    if (spawner == NULL)
        return;
    if (live)
        deferral_queue(&spawner->pump);
    else
        lose(spawner);
}

// ---- public functions ----

static struct spawner *spawner_of(struct loop *loop)
{
    if (loop->spawner != NULL)
        return loop->spawner;
    struct spawner *spawner = loop->spawner = memory_new(sizeof *spawner);
    spawner->loop = loop;
    TAILQ_INIT(&spawner->pending);
    LIST_INIT(&spawner->sent);
    LIST_INSERT_HEAD(&spawners, spawner, link);
    deferral_init(&spawner->pump, loop, on_pump, spawner);
    return spawner;
}

static bool append_word(struct buffer *buffer, const char *word)
{
    return buffer_append(buffer, word, strlen(word) + 1);
}

static bool append_words(struct buffer *buffer, const char *const *words, uint32_t *count)
{
    bool good = true;
    for (*count = 0; good && words[*count] != NULL; ++*count)
        good = append_word(buffer, words[*count]);
    return good;
}

// False: it is longer than a command can be.
static bool write_request(struct buffer *buffer, const struct spawn_command *command)
{
    static const struct spawn_identity own;
    const struct spawn_identity *identity = command->identity ? command->identity : &own;
    struct wire_start start = {.switched = command->identity != NULL,
                               .uid = identity->uid,
                               .gid = identity->gid,
                               .groups = (uint32_t)identity->group_count};
    bool good = buffer_append(buffer, &start, sizeof start) &&
                buffer_append(buffer, identity->groups, start.groups * sizeof(gid_t)) &&
                append_word(buffer, command->directory ? command->directory : "") &&
                append_word(buffer, command->file) &&
                append_words(buffer, command->argv, &start.arguments) &&
                append_words(buffer, command->environment, &start.variables);
    memcpy(buffer->data, &start, sizeof start);
    return good;
}

struct spawn *spawner_start(struct loop *loop, const struct spawn_command *command,
                            const struct spawn_events *events, void *data, struct error *err)
{
    struct spawner *spawner = spawner_of(loop);
    if (spawner->pending_count >= SPAWN_PENDING_MOST) {
        error_set(err, ERROR_LIMIT, "%d programs wait to be started already", SPAWN_PENDING_MOST);
        return NULL;
    }
    struct spawn *spawn = memory_new(sizeof *spawn);
    *spawn =
        (struct spawn){.owner = spawner, .events = events, .data = data, .files = {-1, -1, -1}};
    buffer_init(&spawn->request, WIRE_LONGEST);
    if (!write_request(&spawn->request, command))
        spawn->fault = E2BIG;
    TAILQ_INSERT_TAIL(&spawner->pending, spawn, link.pending);
    spawner->pending_count++;
    spawner->owned++;
    keep_loop(spawner);
    deferral_queue(&spawner->pump);
    return spawn;
}

void spawner_kill(struct spawn *spawn, int number)
{
    struct spawner *spawner = spawn->owner;
    const struct wire_head head = {
        .program = (uint64_t)(uintptr_t)spawn, .request = WIRE_KILL, .signal = number};
    if (spawn->state < SPAWN_SENT) {
        spawn->killed = number;
        deferral_queue(&spawner->pump);
        return;
    }
    if (spawner->connection == NULL)
        return; // it is lost, and that is being reported
    if (!buffer_append(&spawner->connection->out, &head, sizeof head))
        log_error("cannot signal process %ld: too many requests are queued", (long)spawn->pid);
    flush(spawner->connection); // that it is gone is seen when it is read from
    listen_to(spawner->connection);
}

void spawner_forget(struct spawn *spawn)
{
    if (spawn->state < SPAWN_SENT) {
        free_spawn(spawn);
        return;
    }
    spawn->events = NULL;
    spawn->owner->owned--;
    keep_loop(spawn->owner);
    spawner_kill(spawn, SIGKILL);
}

void spawner_close(struct loop *loop)
{
    struct spawner *spawner = loop->spawner;
    struct spawn *spawn;
    if (spawner == NULL)
        return;
    loop->spawner = NULL;
    LIST_REMOVE(spawner, link);
    deferral_cancel(&spawner->pump);
    if (spawner->connection != NULL) {
        pid_t pid = spawner->connection->pid;
        disconnect(spawner);
        wait_for_process(pid);
    }
    while ((spawn = LIST_FIRST(&spawner->sent)) != NULL)
        free_spawn(spawn);
    free(spawner);
}

void spawner_kill_all(void)
{
    struct spawner *spawner;
    LIST_FOREACH(spawner, &spawners, link)
    if (spawner->connection != NULL)
        shutdown(spawner->connection->socket, SHUT_RDWR);
}
