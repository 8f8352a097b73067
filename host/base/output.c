// SPDX-License-Identifier: Apache-2.0
//
// Standard output and error that never block: see output.h. A queue writes to a file description of
// its own, opened through /proc, so that O_NONBLOCK affects no other process; to a socket with
// MSG_DONTWAIT; and where neither is possible, after poll(2) has said that a piece of PIPE_BUF
// bytes will fit. A list of runs says which bytes of a queue were printed and which are log.

#include "base/output.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_MOST = 1 << 20, DRAIN_MOST = 1 << 20 }; // bytes that wait; bytes of one output_drain()
static const double patience = 1;                  // seconds that the end waits where it may not

enum kind { PRINTED, LOGGED, KINDS };
enum way { WAY_OWN, WAY_SOCKET, WAY_SHARED }; // how to write without waiting

struct output_run {
    size_t length;
    enum kind kind;
};

struct output_queue {
    const char *name; // of its descriptor or descriptors
    const char *file_kind;
    int file;
    enum way way;
    struct buffer bytes; // those up to `sent` have gone
    size_t sent;
    struct output_run *runs; // the first of them is at `first`
    size_t first, count, capacity;
    size_t waiting[KINDS], limit[KINDS];
    bool full[KINDS];              // what comes is dropped
    uint64_t lost_bytes;           // of what was printed
    uint64_t lost_lines;           // of the log
    volatile sig_atomic_t missed;  // by the handler of a signal
    volatile sig_atomic_t blocked; // something waits
};

static struct {
    struct output_queue queues[2];
    struct output_queue *of[STDERR_FILENO + 1]; // NULL: that descriptor is written to directly
    int poll;                                   // an epoll descriptor of the queues that wait
    bool hurried;
} output = {.poll = -1};

static volatile sig_atomic_t interrupted; // the wait at the end

// ---- descriptors ----

static const char *kind_of(int file, const struct stat *status)
{
    if (S_ISFIFO(status->st_mode))
        return "a pipe";
    if (S_ISSOCK(status->st_mode))
        return "a socket";
    return S_ISCHR(status->st_mode) && isatty(file) ? "a terminal" : NULL;
}

static void choose_way(struct output_queue *queue, int file, const struct stat *status)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    queue->way = S_ISSOCK(status->st_mode) ? WAY_SOCKET : WAY_OWN;
    queue->file = file;
    if (queue->way == WAY_OWN)
        queue->file = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (queue->file >= 0)
        return;
    queue->way = WAY_SHARED;
    queue->file = file;
}

static ssize_t write_once(const struct output_queue *queue, const uint8_t *data, size_t length)
{
    struct pollfd state = {.fd = queue->file, .events = POLLOUT};
    switch (queue->way) {
    case WAY_OWN:
        return write(queue->file, data, length);
    case WAY_SOCKET:
        return send(queue->file, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    default:
        errno = EAGAIN;
        return poll(&state, 1, 0) == 1
                   ? write(queue->file, data, length < PIPE_BUF ? length : PIPE_BUF)
                   : -1;
    }
}

// Writes what can be written without blocking. False, with errno, if writing failed for good.
static bool write_some(const struct output_queue *queue, const uint8_t *data, size_t length,
                       size_t *done)
{
    *done = 0;
    while (*done < length) {
        ssize_t count = write_once(queue, data + *done, length - *done);
        if (count > 0)
            *done += (size_t)count;
        else if (count < 0 && errno != EINTR)
            return errno == EAGAIN;
    }
    return true;
}

static bool write_directly(int file, const void *data, size_t length)
{
    for (const char *at = data; length > 0;) {
        ssize_t count = write(file, at, length);
        if (count < 0 && errno != EINTR)
            return false;
        at += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

// ---- what waits ----

static size_t total(const struct output_queue *queue)
{
    return queue->bytes.length - queue->sent;
}

static void set_blocked(struct output_queue *queue, bool blocked)
{
    struct epoll_event event = {.events = EPOLLOUT};
    if (blocked == (queue->blocked != 0))
        return;
    queue->blocked = blocked;
    epoll_ctl(output.poll, blocked ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, queue->file, &event);
}

static void forget(struct output_queue *queue)
{
    buffer_free(&queue->bytes);
    free(queue->runs);
    queue->runs = NULL;
    queue->sent = queue->first = queue->count = queue->capacity = 0;
    queue->waiting[PRINTED] = queue->waiting[LOGGED] = 0;
    set_blocked(queue, false);
}

static void note_run(struct output_queue *queue, enum kind kind, size_t length)
{
    queue->waiting[kind] += length;
    if (queue->count > queue->first && queue->runs[queue->count - 1].kind == kind) {
        queue->runs[queue->count - 1].length += length;
        return;
    }
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 16;
        queue->runs = memory_resize(queue->runs, queue->capacity * sizeof *queue->runs);
    }
    queue->runs[queue->count++] = (struct output_run){.length = length, .kind = kind};
}

static void append(struct output_queue *queue, enum kind kind, const uint8_t *data, size_t length)
{
    buffer_append(&queue->bytes, data, length);
    note_run(queue, kind, length);
    set_blocked(queue, true);
}

// Moves what is left to the front when more than half has gone.
static void compact(struct output_queue *queue)
{
    if (queue->sent > queue->bytes.length / 2) {
        buffer_consume(&queue->bytes, queue->sent);
        queue->sent = 0;
    }
    if (queue->first > queue->count / 2) {
        queue->count -= queue->first;
        memmove(queue->runs, queue->runs + queue->first, queue->count * sizeof *queue->runs);
        queue->first = 0;
    }
}

static void take_off(struct output_queue *queue, size_t length)
{
    queue->sent += length;
    while (length > 0) {
        struct output_run *run = &queue->runs[queue->first];
        size_t piece = length < run->length ? length : run->length;
        queue->waiting[run->kind] -= piece;
        run->length -= piece;
        length -= piece;
        queue->first += run->length == 0;
    }
    if (total(queue) == 0)
        forget(queue);
    else
        compact(queue);
}

// ---- what is lost ----

static void log_full(const struct output_queue *queue)
{
    log_warning("print: %zu bytes that the script printed wait, since %s, %s, is not read: what it "
                "prints from now on is lost until that is read again (--output-limit)",
                queue->waiting[PRINTED], queue->name, queue->file_kind);
}

static void log_lost(struct output_queue *queue, enum kind kind)
{
    uint64_t bytes = queue->lost_bytes, lines = queue->lost_lines + (uint64_t)queue->missed;
    queue->full[kind] = false;
    if (kind == PRINTED) {
        queue->lost_bytes = 0;
        log_warning("print: at least %" PRIu64 " bytes that the script printed were lost, since "
                    "%s, %s, was not read (--output-limit)",
                    bytes, queue->name, queue->file_kind);
        return;
    }
    queue->lost_lines = 0;
    queue->missed = 0;
    log_warning("%" PRIu64 " line%s of the log %s lost because %s, %s, was not read", lines,
                lines == 1 ? "" : "s", lines == 1 ? "was" : "were", queue->name, queue->file_kind);
}

static bool has_room(const struct output_queue *queue, enum kind kind)
{
    return queue->waiting[kind] <= queue->limit[kind] / 2;
}

static void log_losses(struct output_queue *queue)
{
    if (queue->full[PRINTED] && has_room(queue, PRINTED))
        log_lost(queue, PRINTED);
    if ((queue->full[LOGGED] || queue->missed > 0) && has_room(queue, LOGGED))
        log_lost(queue, LOGGED);
}

static void drop(struct output_queue *queue, enum kind kind, size_t length)
{
    bool first = !queue->full[kind];
    queue->full[kind] = true;
    if (kind == LOGGED) {
        queue->lost_lines++;
        return;
    }
    queue->lost_bytes += length;
    if (first)
        log_full(queue);
}

// ---- writing ----

// False, with errno, if the reader has gone: then the queue is empty.
static bool drain(struct output_queue *queue)
{
    size_t done, length = total(queue) < DRAIN_MOST ? total(queue) : DRAIN_MOST;
    bool open = write_some(queue, queue->bytes.data + queue->sent, length, &done);
    int reason = errno;
    if (!open) {
        forget(queue);
        queue->full[PRINTED] = queue->full[LOGGED] = false;
        queue->lost_bytes = queue->lost_lines = 0;
        queue->missed = 0;
    } else if (done > 0) {
        take_off(queue, done);
        log_losses(queue);
    }
    errno = reason;
    return open;
}

// A string is queued whole or not at all; it may go beyond the cap.
static bool put(struct output_queue *queue, enum kind kind, const uint8_t *data, size_t length)
{
    size_t done = 0;
    if (queue->blocked && !drain(queue))
        return false;
    if (queue->missed > 0)
        log_losses(queue);
    if (!queue->blocked && !write_some(queue, data, length, &done))
        return false;
    if (done == length)
        return true;
    if (done == 0 && (queue->full[kind] || queue->waiting[kind] >= queue->limit[kind])) {
        drop(queue, kind, length);
        errno = ENOBUFS;
        return false;
    }
    append(queue, kind, data + done, length - done);
    return true;
}

static void write_log(const char *line, size_t length)
{
    struct output_queue *queue = output.of[STDERR_FILENO];
    if (queue == NULL)
        write_directly(STDERR_FILENO, line, length);
    else
        put(queue, LOGGED, (const uint8_t *)line, length);
}

// A line that would have to wait is dropped and counted.
static void write_log_from_signal(const char *line, size_t length)
{
    struct output_queue *queue = output.of[STDERR_FILENO];
    size_t done = 0;
    int reason = errno;
    if (queue == NULL)
        write_directly(STDERR_FILENO, line, length);
    else if (queue->blocked || !write_some(queue, (const uint8_t *)line, length, &done) ||
             done < length)
        queue->missed++;
    errno = reason;
}

static const struct log_output log_output = {.write = write_log,
                                             .write_from_signal = write_log_from_signal};

int output_descriptor(void)
{
    return output.poll;
}

static bool drain_queues(void)
{
    bool waiting = false;
    for (size_t i = 0; i < sizeof output.queues / sizeof *output.queues; i++) {
        if (output.queues[i].blocked)
            drain(&output.queues[i]);
        waiting = waiting || output.queues[i].blocked;
    }
    return waiting;
}

void output_drain(void)
{
    drain_queues();
}

void output_hurry(void)
{
    output.hurried = true;
}

// ---- the end ----

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

// They are blocked outside of the wait, so none can arrive between the check of the flag and the
// wait.
static void catch_interrupts(sigset_t *during)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = on_interrupt};
    sigset_t caught;
    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&caught, numbers[i]);
    sigprocmask(SIG_BLOCK, &caught, during);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigdelset(during, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
}

static bool print_waits(void)
{
    return output.queues[0].waiting[PRINTED] + output.queues[1].waiting[PRINTED] > 0;
}

static void wait_for_readers(void)
{
    sigset_t during;
    const struct timespec tick = {.tv_nsec = 100 * 1000 * 1000};
    struct pollfd state = {.fd = output.poll, .events = POLLIN};
    double start = stopwatch_seconds();
    catch_interrupts(&during);
    while (drain_queues() && !interrupted) {
        bool limited = output.hurried || !print_waits();
        if (limited && stopwatch_seconds() - start > patience)
            break;
        ppoll(&state, 1, &tick, &during);
    }
}

static void on_exit_of_process(void)
{
    fflush(stdout);
    fflush(stderr);
    if (output.poll >= 0 && drain_queues())
        wait_for_readers();
    for (size_t i = 0; i < sizeof output.queues / sizeof *output.queues; i++) {
        struct output_queue *queue = &output.queues[i];
        if (queue->waiting[PRINTED] > 0)
            log_warning("print: the last %zu bytes that the script printed are lost, since %s, %s, "
                        "is not read",
                        queue->waiting[PRINTED], queue->name, queue->file_kind);
    }
}

// ---- the streams ----

static ssize_t on_write(void *cookie, const char *data, size_t length)
{
    return put(cookie, PRINTED, (const uint8_t *)data, length) ? (ssize_t)length : 0;
}

// Buffered like the stream that it replaces: standard error not at all, a terminal by lines.
static void replace(FILE **stream, struct output_queue *queue, int file)
{
    static const cookie_io_functions_t functions = {.write = on_write};
    FILE *fresh = fopencookie(queue, "w", functions);
    if (fresh == NULL)
        return;
    if (file == STDERR_FILENO)
        setvbuf(fresh, NULL, _IONBF, 0);
    else if (isatty(file))
        setvbuf(fresh, NULL, _IOLBF, BUFSIZ);
    *stream = fresh;
}

static void open_queue(struct output_queue *queue, int file, const struct stat *status,
                       size_t limit)
{
    queue->name = file == STDOUT_FILENO ? "stdout" : "stderr";
    queue->file_kind = kind_of(file, status);
    queue->limit[PRINTED] = limit;
    queue->limit[LOGGED] = LOG_MOST;
    buffer_init(&queue->bytes, SIZE_MAX / 2);
    choose_way(queue, file, status);
    output.of[file] = queue;
}

void output_start(size_t limit)
{
    struct stat out, error;
    struct output_queue *queues = output.queues;
    bool has_out = fstat(STDOUT_FILENO, &out) == 0 && kind_of(STDOUT_FILENO, &out) != NULL;
    bool has_error = fstat(STDERR_FILENO, &error) == 0 && kind_of(STDERR_FILENO, &error) != NULL;
    log_set_output(&log_output);
    if (!has_out && !has_error)
        return;
    output.poll = epoll_create1(EPOLL_CLOEXEC);
    if (output.poll < 0)
        return;
    if (has_out)
        open_queue(&queues[0], STDOUT_FILENO, &out, limit);
    if (has_out && has_error && out.st_dev == error.st_dev && out.st_ino == error.st_ino) {
        output.of[STDERR_FILENO] = &queues[0];
        queues[0].name = "stdout and stderr";
    } else if (has_error) {
        open_queue(&queues[1], STDERR_FILENO, &error, limit);
    }
    if (has_out)
        replace(&stdout, &queues[0], STDOUT_FILENO);
    if (has_error)
        replace(&stderr, output.of[STDERR_FILENO], STDERR_FILENO);
    atexit(on_exit_of_process);
}
