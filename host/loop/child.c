// SPDX-License-Identifier: Apache-2.0
//
// Child processes with libuv: see child.h. Their ends of the pipes are true pipes, which a program
// may open again by /dev/stdout. The end of the process is the end of the output too: what is in
// the pipes then is read, and nothing is waited for that others, who inherited them, may write.
//
// The handles and the buffers live in a block that the last close callback frees.

#include "loop/child.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/loop_uv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IN, OUT, ERR, STREAMS };

struct child {
    uv_process_t process;
    uv_pipe_t pipes[STREAMS];
    bool used[STREAMS];
    int open; // handles that libuv has not let go of
    struct buffer buffers[STREAMS];
    char space[16384]; // for what is being read
    uv_write_t write;
    struct timer timer;
    pid_t pid; // 0: gone
    bool forgotten;
    struct child_end end;
    void (*on_end)(void *data, const struct child_end *end);
    void *data;
    LIST_ENTRY(child) link; // among those that run
};

static _Thread_local LIST_HEAD(children, child) running = LIST_HEAD_INITIALIZER(running);

// ---- the end ----

static void free_child(struct child *child)
{
    for (int i = 0; i < STREAMS; i++)
        buffer_free(&child->buffers[i]);
    free(child);
}

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    if (--child->open == 0 && child->forgotten)
        free_child(child);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_handles(struct child *child)
{
    for (int i = 0; i < STREAMS; i++)
        if (child->used[i])
            close_handle((uv_handle_t *)&child->pipes[i]);
    close_handle((uv_handle_t *)&child->process);
}

static void kill_group(struct child *child)
{
    if (child->pid > 0)
        kill(-child->pid, SIGKILL);
}

static void give_up(struct child *child, enum child_outcome outcome)
{
    if (child->end.outcome == CHILD_ENDED)
        child->end.outcome = outcome;
    kill_group(child);
}

// ---- its output ----

// Keeps what fits.
static void keep(struct child *child, int stream, const char *bytes, size_t length)
{
    struct buffer *buffer = &child->buffers[stream];
    size_t room = buffer->limit - buffer->length;
    buffer_append(buffer, bytes, length < room ? length : room);
    if (length > room)
        give_up(child, CHILD_TOO_LOUD);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *space)
{
    (void)suggested;
    struct child *child = handle->data;
    *space = uv_buf_init(child->space, sizeof child->space);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *space)
{
    struct child *child = stream->data;
    int number = stream == (uv_stream_t *)&child->pipes[OUT] ? OUT : ERR;
    if (length > 0)
        keep(child, number, space->base, (size_t)length);
    else if (length < 0)
        uv_read_stop(stream);
}

// What is left in a pipe whose writer has gone. Somebody else may go on writing: up to the limit.
static void drain(struct child *child, int stream)
{
    int file;
    if (!child->used[stream] || uv_fileno((uv_handle_t *)&child->pipes[stream], &file) != 0)
        return;
    ssize_t length = 1;
    while (length > 0 && child->end.outcome == CHILD_ENDED) {
        length = read(file, child->space, sizeof child->space);
        if (length > 0)
            keep(child, stream, child->space, (size_t)length);
        else if (length < 0 && errno == EINTR)
            length = 1;
    }
}

// The group lives as long as anybody is in it, so its number cannot be another's yet.
static void on_exit_status(uv_process_t *process, int64_t status, int number)
{
    struct child *child = process->data;
    struct child_end *end = &child->end;
    kill_group(child);
    child->pid = 0;
    LIST_REMOVE(child, link);
    timer_stop(&child->timer);
    drain(child, OUT);
    drain(child, ERR);
    close_handles(child);
    end->status = number ? -1 : status;
    end->signal = number;
    end->out = buffer_slice(&child->buffers[OUT]);
    end->err = buffer_slice(&child->buffers[ERR]);
    child->on_end(child->data, end);
}

static void on_timeout(void *data)
{
    give_up(data, CHILD_TIMED_OUT);
}

// ---- its input ----

// It may have ended, or closed its input, before it had read all of that: its own affair.
static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_handle((uv_handle_t *)write->handle);
}

static void feed(struct child *child, struct slice input)
{
    struct buffer *buffer = &child->buffers[IN];
    buffer_append_slice(buffer, input);
    uv_buf_t bytes = uv_buf_init((char *)buffer->data, (unsigned)buffer->length);
    if (uv_write(&child->write, (uv_stream_t *)&child->pipes[IN], &bytes, 1, on_written) != 0)
        close_handle((uv_handle_t *)&child->pipes[IN]);
}

// ---- starting ----

// Makes the pipe of a stream; the child's end goes into `*theirs`.
static int open_pipe(struct child *child, struct loop *loop, int stream, uv_file *theirs)
{
    uv_file files[2];
    bool input = stream == IN;
    int fault = uv_pipe(files, input ? 0 : UV_NONBLOCK_PIPE, input ? UV_NONBLOCK_PIPE : 0);
    if (fault != 0)
        return fault;
    *theirs = files[input ? 0 : 1];
    uv_pipe_init(loop_uv_handle(loop), &child->pipes[stream], 0);
    child->pipes[stream].data = child;
    child->used[stream] = true;
    child->open++;
    fault = uv_pipe_open(&child->pipes[stream], files[input ? 1 : 0]);
    if (fault != 0)
        close(files[input ? 1 : 0]);
    return fault;
}

static int open_pipes(struct child *child, struct loop *loop, const struct child_command *command,
                      uv_file *theirs)
{
    int fault = command->input.data ? open_pipe(child, loop, IN, &theirs[IN]) : 0;
    for (int i = OUT; fault == 0 && i < STREAMS; i++)
        fault = open_pipe(child, loop, i, &theirs[i]);
    return fault;
}

static int spawn(struct child *child, struct loop *loop, const struct child_command *command,
                 const uv_file *theirs)
{
    uv_stdio_container_t stdio[STREAMS];
    for (int i = 0; i < STREAMS; i++)
        stdio[i] = (uv_stdio_container_t){.flags = theirs[i] < 0 ? UV_IGNORE : UV_INHERIT_FD,
                                          .data.fd = theirs[i]};
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = command->argv[0],
        .args = (char **)(uintptr_t)command->argv,
        .env = (char **)(uintptr_t)command->environment,
        .cwd = command->directory,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = STREAMS,
        .stdio = stdio,
    };
    child->process.data = child;
    child->open++;
    return uv_spawn(loop_uv_handle(loop), &child->process, &options);
}

static void listen_to(struct child *child, const struct child_command *command)
{
    child->pid = child->process.pid;
    LIST_INSERT_HEAD(&running, child, link);
    uv_read_start((uv_stream_t *)&child->pipes[OUT], on_space, on_read);
    uv_read_start((uv_stream_t *)&child->pipes[ERR], on_space, on_read);
    if (command->input.data != NULL)
        feed(child, command->input);
    if (command->timeout != 0)
        timer_start(&child->timer, command->timeout);
}

// libuv does not say whether the folder or the program is missing.
static bool explain(const struct child_command *command, int fault, struct error *err)
{
    if (command->directory != NULL && access(command->directory, X_OK) != 0)
        return error_set(err, ERROR_IO, "cannot run '%s' in the folder '%s': %s", command->argv[0],
                         command->directory, strerror(errno));
    return error_set(err, ERROR_IO, "cannot run '%s': %s", command->argv[0], uv_strerror(fault));
}

static struct child *new_child(struct loop *loop, const struct child_command *command)
{
    struct child *child = memory_new(sizeof *child);
    timer_init(&child->timer, loop, on_timeout, child);
    buffer_init(&child->buffers[IN], command->input.length);
    buffer_init(&child->buffers[OUT], command->limit);
    buffer_init(&child->buffers[ERR], command->limit);
    return child;
}

static void abandon(struct child *child, bool spawned)
{
    child->forgotten = true;
    for (int i = 0; i < STREAMS; i++)
        if (child->used[i])
            close_handle((uv_handle_t *)&child->pipes[i]);
    if (spawned)
        close_handle((uv_handle_t *)&child->process);
    if (child->open == 0)
        free_child(child);
}

struct child *child_start(struct loop *loop, const struct child_command *command,
                          void (*on_end)(void *data, const struct child_end *end), void *data,
                          const char **code, struct error *err)
{
    uv_file theirs[STREAMS] = {-1, -1, -1};
    struct child *child = new_child(loop, command);
    child->on_end = on_end;
    child->data = data;
    int fault = open_pipes(child, loop, command, theirs);
    bool spawned = fault == 0;
    if (spawned)
        fault = spawn(child, loop, command, theirs);
    for (int i = 0; i < STREAMS; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    if (fault == 0) {
        listen_to(child, command);
        return child;
    }
    *code = uv_err_name(fault);
    explain(command, fault, err);
    abandon(child, spawned);
    return NULL;
}

// ---- destroying ----

// libuv forgets a process with its handle. A killed one is gone within moments; one that the kernel
// holds is not waited for longer than a second.
static void reap(const struct child *child)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 1000 && waitpid(child->pid, NULL, WNOHANG) == 0; i++)
        nanosleep(&moment, NULL);
}

void child_destroy(struct child *child)
{
    if (child == NULL)
        return;
    child->forgotten = true;
    if (child->pid > 0) {
        kill_group(child);
        LIST_REMOVE(child, link);
        timer_stop(&child->timer);
        reap(child);
        close_handles(child);
        child->pid = 0;
    }
    if (child->open == 0)
        free_child(child);
}

void child_kill_all(void)
{
    struct child *child;
    LIST_FOREACH(child, &running, link)
    kill_group(child);
}
