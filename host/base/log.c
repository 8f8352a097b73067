// SPDX-License-Identifier: Apache-2.0
//
// The log of the process: see log.h. A line is written in one piece, so that lines of a terminal
// shared with tasks or other programs do not mix. The sink is called under a lock, which its own
// thread may take again, so a line written by a sink does not deadlock.

#include "base/log.h"

#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {"debug", "info", "warning", "error", "quiet"};

static void write_plainly(const char *line, size_t length)
{
    fwrite(line, 1, length, stderr);
}

static void write_plainly_from_signal(const char *line, size_t length)
{
    int reason = errno;
    while (length > 0) {
        ssize_t count = write(STDERR_FILENO, line, length);
        if (count < 0 && errno != EINTR)
            break;
        line += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    errno = reason;
}

static const struct log_output plain = {.write = write_plainly,
                                        .write_from_signal = write_plainly_from_signal};

static struct {
    atomic_int level;
    pthread_mutex_t mutex; // over the two below
    log_sink sink;
    void *data;
    atomic_bool has_sink; // there is a sink
    const struct log_output *output;
    atomic_int format;
    atomic_long offset; // of local time, in seconds
} state = {.level = LOG_INFO, .mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, .output = &plain};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
    atomic_store(&state.format, (int)format);
}

void log_set_sink(log_sink sink, void *data)
{
    pthread_mutex_lock(&state.mutex);
    state.sink = sink;
    state.data = data;
    atomic_store(&state.has_sink, sink != NULL);
    pthread_mutex_unlock(&state.mutex);
}

log_sink log_get_sink(void **data)
{
    pthread_mutex_lock(&state.mutex);
    log_sink sink = state.sink;
    *data = state.data;
    pthread_mutex_unlock(&state.mutex);
    return sink;
}

void log_set_output(const struct log_output *output)
{
    state.output = output;
}

const struct log_output *log_get_output(void)
{
    return state.output;
}

void log_set_dated(void)
{
    if (atomic_load(&state.format) == LOG_TEXT)
        atomic_store(&state.format, LOG_DATED);
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

bool log_level_find(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void write_stderr(enum log_level level, const char *text, char *line, const char *end)
{
    struct timespec now;
    struct tm local;
    enum log_format format = (enum log_format)atomic_load(&state.format);
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    atomic_store_explicit(&state.offset, local.tm_gmtoff, memory_order_relaxed);
    char *at = log_line_begin(line, format, &now, local.tm_gmtoff, names[level]);
    at = log_line_end(log_line_text(at, end, format, text), format);
    state.output->write(line, (size_t)(at - line));
}

static void write_sink(enum log_level level, const char *text, char *line, const char *end)
{
    *log_line_text(line, end, LOG_BARE, text) = 0;
    state.sink(state.data, level, line);
}

static void hand_over(enum log_level level, const char *text)
{
    char fixed[4096], *line = fixed;
    size_t size = LOG_LINE_FRAME + LOG_LINE_GROWTH * strlen(text);
    if (size > sizeof fixed)
        line = memory_new(size);
    pthread_mutex_lock(&state.mutex);
    (state.sink != NULL ? write_sink : write_stderr)(level, text, line, line + size);
    pthread_mutex_unlock(&state.mutex);
    if (line != fixed)
        free(line);
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level < log_get_level())
        return;
    va_list args;
    va_start(args, format);
    char line[2048];
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char *text = line;
    if (length >= (int)sizeof line) {
        va_start(args, format);
        text = memory_new((size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
    }
    hand_over(level, text);
    if (text != line)
        free(text);
}

void log_from_signal(enum log_level level, const char *const *parts)
{
    char line[1024], *end = line + sizeof line - LOG_LINE_FRAME;
    struct timespec now;
    enum log_format format = (enum log_format)atomic_load(&state.format);
    if (level < log_get_level() || atomic_load(&state.has_sink))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    char *at = log_line_begin(line, format, &now, atomic_load(&state.offset), names[level]);
    for (; *parts != NULL; parts++)
        at = log_line_text(at, end, format, *parts);
    at = log_line_end(at, format);
    state.output->write_from_signal(line, (size_t)(at - line));
}
