// SPDX-License-Identifier: Apache-2.0
//
// Child processes: see subprocess.h. The spawner starts them, libuv has our ends of the pipes. They
// are pipes, not sockets, since a program may open /dev/stdout again. The output ends with the
// process: what is in the pipes then is read, and output of other processes that inherited the
// pipes is not waited for.
//
// The handles and the buffers live in a block that the last close callback frees.

#include "loop/subprocess.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "loop/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN, OUT, ERR, STREAMS };

struct subprocess {
    struct loop *loop;
    struct spawn *spawn; // NULL: it has ended, or was not started
    uv_pipe_t pipes[STREAMS];
    bool used[STREAMS];
    int open; // handles that libuv has not let go of
    struct buffer buffers[STREAMS];
    enum subprocess_output modes[STREAMS];
    bool paused[STREAMS];
    pid_t pid; // 0: it has not started
    void (*on_output)(void *data, bool err, struct slice piece);
    char space[16384]; // for what is being read
    uv_write_t write;
    struct timer timer;
    bool forgotten;
    bool has_input;
    char *name, *directory; // of the command, for what is said about it
    int open_fault;         // of libuv: the pipes could not be opened
    struct error reason;    // it was not started
    struct subprocess_end end;
    void (*on_end)(void *data, const struct subprocess_end *end);
    void *data;
};

// ---- the end ----

static void free_child(struct subprocess *child)
{
    for (int i = 0; i < STREAMS; i++)
        buffer_free(&child->buffers[i]);
    free(child->name);
    free(child->directory);
    free(child);
}

static void on_closed(uv_handle_t *handle)
{
    struct subprocess *child = handle->data;
    if (--child->open == 0 && child->forgotten)
        free_child(child);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_handles(struct subprocess *child)
{
    for (int i = 0; i < STREAMS; i++)
        if (child->used[i])
            close_handle((uv_handle_t *)&child->pipes[i]);
}

static void give_up(struct subprocess *child, enum subprocess_outcome outcome)
{
    if (child->end.outcome == SUBPROCESS_ENDED)
        child->end.outcome = outcome;
    if (child->spawn != NULL)
        spawner_kill(child->spawn, SIGKILL);
}

// ---- its output ----

// Keeps what fits, or hands it on.
static void keep(struct subprocess *child, int stream, const char *bytes, size_t length)
{
    if (child->modes[stream] == SUBPROCESS_PIECES) {
        const struct slice piece = {.data = (const uint8_t *)bytes, .length = length};
        child->on_output(child->data, stream == ERR, piece);
        return;
    }
    struct buffer *buffer = &child->buffers[stream];
    size_t room = buffer->limit - buffer->length;
    buffer_append(buffer, bytes, length < room ? length : room);
    if (length > room)
        give_up(child, SUBPROCESS_TOO_LOUD);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *space)
{
    (void)suggested;
    struct subprocess *child = handle->data;
    *space = uv_buf_init(child->space, sizeof child->space);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *space)
{
    struct subprocess *child = stream->data;
    int number = stream == (uv_stream_t *)&child->pipes[OUT] ? OUT : ERR;
    if (length > 0)
        keep(child, number, space->base, (size_t)length);
    else if (length < 0)
        uv_read_stop(stream);
}

// Reads what is left in the pipe of a process that has ended, up to the limit, since others may go
// on writing.
static void drain(struct subprocess *child, int stream)
{
    int file;
    if (!child->used[stream] || uv_fileno((uv_handle_t *)&child->pipes[stream], &file) != 0)
        return;
    ssize_t length = 1;
    size_t all = 0, most = child->buffers[stream].limit;
    while (length > 0 && all <= most && child->end.outcome == SUBPROCESS_ENDED) {
        length = read(file, child->space, sizeof child->space);
        if (length > 0) {
            all += (size_t)length;
            keep(child, stream, child->space, (size_t)length);
        }
        if (length < 0 && errno == EINTR)
            length = 1;
    }
}

static void finish(struct subprocess *child)
{
    struct subprocess_end *end = &child->end;
    child->spawn = NULL;
    timer_stop(&child->timer);
    close_handles(child);
    end->out = buffer_slice(&child->buffers[OUT]);
    end->err = buffer_slice(&child->buffers[ERR]);
    child->on_end(child->data, end);
}

static void on_ended(void *data, const struct spawn_end *how)
{
    struct subprocess *child = data;
    struct subprocess_end *end = &child->end;
    child->spawn = NULL;
    drain(child, OUT);
    drain(child, ERR);
    end->status = how->signal ? -1 : how->status;
    end->signal = how->signal;
    if (how->lost && end->outcome == SUBPROCESS_ENDED) {
        end->outcome = SUBPROCESS_FAILED;
        end->code = uv_err_name(UV_ECANCELED);
        error_set(&child->reason, ERROR_IO,
                  "'%s' was killed: the process that had started it ended unexpectedly",
                  child->name);
    }
    finish(child);
}

static void on_timeout(void *data)
{
    give_up(data, SUBPROCESS_TIMED_OUT);
}

// ---- its input ----

// An error is ignored: the process may end, or close its input, before it has read all of it.
static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_handle((uv_handle_t *)write->handle);
}

static void feed(struct subprocess *child)
{
    struct buffer *buffer = &child->buffers[IN];
    uv_buf_t bytes = uv_buf_init((char *)buffer->data, (unsigned)buffer->length);
    if (uv_write(&child->write, (uv_stream_t *)&child->pipes[IN], &bytes, 1, on_written) != 0)
        close_handle((uv_handle_t *)&child->pipes[IN]);
}

// ---- starting ----

// Makes the pipe of a stream; the child's end goes into `*theirs`.
static int open_pipe(struct subprocess *child, int stream, int *theirs)
{
    uv_file files[2];
    bool input = stream == IN;
    int fault = uv_pipe(files, input ? 0 : UV_NONBLOCK_PIPE, input ? UV_NONBLOCK_PIPE : 0);
    if (fault != 0)
        return fault;
    *theirs = files[input ? 0 : 1];
    uv_pipe_init(loop_uv_handle(child->loop), &child->pipes[stream], 0);
    child->pipes[stream].data = child;
    child->used[stream] = true;
    child->open++;
    fault = uv_pipe_open(&child->pipes[stream], files[input ? 1 : 0]);
    if (fault != 0)
        close(files[input ? 1 : 0]);
    return fault;
}

static int open_output(struct subprocess *child, int stream, int *theirs)
{
    if (child->modes[stream] != SUBPROCESS_SHARED)
        return open_pipe(child, stream, theirs);
    *theirs = fcntl(stream == OUT ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return *theirs >= 0 ? 0 : -errno;
}

static bool on_open(void *data, int *files)
{
    struct subprocess *child = data;
    int fault = child->has_input ? open_pipe(child, IN, &files[IN]) : 0;
    for (int i = OUT; fault == 0 && i < STREAMS; i++)
        fault = open_output(child, i, &files[i]);
    child->open_fault = fault;
    return fault == 0;
}

static void read_output(struct subprocess *child, int stream)
{
    if (child->used[stream] && !child->paused[stream])
        uv_read_start((uv_stream_t *)&child->pipes[stream], on_space, on_read);
}

static void on_started(void *data, pid_t pid)
{
    struct subprocess *child = data;
    child->pid = pid;
    read_output(child, OUT);
    read_output(child, ERR);
    if (child->has_input)
        feed(child);
}

static void on_failed(void *data, const struct spawn_failure *failure)
{
    struct subprocess *child = data;
    int fault = failure->step == SPAWN_OPEN ? child->open_fault : -failure->fault;
    child->end.outcome = SUBPROCESS_FAILED;
    child->end.code = uv_err_name(fault);
    if (failure->step == SPAWN_DIRECTORY)
        error_set(&child->reason, ERROR_IO, "cannot run '%s' in the folder '%s': %s", child->name,
                  child->directory, strerror(failure->fault));
    else if (failure->step == SPAWN_LOST)
        error_set(&child->reason, ERROR_IO,
                  "cannot run '%s': the process that starts programs ended unexpectedly",
                  child->name);
    else
        error_set(&child->reason, ERROR_IO, "cannot run '%s': %s", child->name, uv_strerror(fault));
    finish(child);
}

static struct subprocess *new_child(struct loop *loop, const struct subprocess_command *command)
{
    struct subprocess *child = memory_new(sizeof *child);
    child->loop = loop;
    child->name = memory_string(command->argv[0]);
    child->directory = memory_string(command->directory ? command->directory : ".");
    child->has_input = command->input.data != NULL;
    child->end.text = child->reason.text;
    child->modes[OUT] = command->out;
    child->modes[ERR] = command->err;
    child->on_output = command->on_output;
    timer_init(&child->timer, loop, on_timeout, child);
    buffer_init(&child->buffers[IN], command->input.length);
    buffer_init(&child->buffers[OUT], command->limit);
    buffer_init(&child->buffers[ERR], command->limit);
    buffer_append_slice(&child->buffers[IN], command->input);
    return child;
}

struct subprocess *subprocess_start(struct loop *loop, const struct subprocess_command *command,
                                    void (*on_end)(void *data, const struct subprocess_end *end),
                                    void *data, const char **code, struct error *err)
{
    static const struct spawn_events events = {
        .open = on_open, .started = on_started, .failed = on_failed, .ended = on_ended};
    const char *const *environment = command->environment;
    const struct spawn_command start = {
        .file = command->argv[0],
        .argv = command->argv,
        .environment = environment ? environment : (const char *const *)environ,
        .directory = command->directory,
    };
    struct subprocess *child = new_child(loop, command);
    child->on_end = on_end;
    child->data = data;
    child->spawn = spawner_start(loop, &start, &events, child, err);
    if (child->spawn == NULL) {
        *code = uv_err_name(UV_EAGAIN);
        error_context(err, "cannot run '%s'", command->argv[0]);
        free_child(child);
        return NULL;
    }
    if (command->timeout != 0)
        timer_start(&child->timer, command->timeout);
    return child;
}

void subprocess_signal(struct subprocess *child, int signal)
{
    if (child->spawn != NULL)
        spawner_kill(child->spawn, signal);
}

void subprocess_pause(struct subprocess *child, bool err, bool paused)
{
    int stream = err ? ERR : OUT;
    child->paused[stream] = paused;
    if (child->pid == 0 || child->spawn == NULL)
        return;
    if (paused)
        uv_read_stop((uv_stream_t *)&child->pipes[stream]);
    else
        read_output(child, stream);
}

int64_t subprocess_pid(const struct subprocess *child)
{
    return child->pid;
}

void subprocess_destroy(struct subprocess *child)
{
    if (child == NULL)
        return;
    child->forgotten = true;
    if (child->spawn != NULL) {
        spawner_forget(child->spawn);
        child->spawn = NULL;
        timer_stop(&child->timer);
        close_handles(child);
    }
    if (child->open == 0)
        free_child(child);
}
