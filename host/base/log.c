// SPDX-License-Identifier: Apache-2.0
//
// The log of the process: see log.h. A line on stderr is written with one call, so that lines of a
// terminal shared with tasks or other programs do not mix. The sink is called under a lock, which
// its own thread may take again, so that a line written by a sink is no deadlock.

#include "base/log.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = {"debug", "info", "warning", "error", "quiet"};

static struct {
    atomic_int level;
    pthread_mutex_t mutex; // over the two below
    log_sink sink;
    void *data;
    atomic_bool elsewhere; // there is a sink
    atomic_long offset;    // of local time, in seconds
} state = {.level = LOG_INFO, .mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

void log_set_sink(log_sink sink, void *data)
{
    pthread_mutex_lock(&state.mutex);
    state.sink = sink;
    state.data = data;
    atomic_store(&state.elsewhere, sink != NULL);
    pthread_mutex_unlock(&state.mutex);
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

static void write_stderr(enum log_level level, const char *text)
{
    struct timespec now;
    struct tm local;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    atomic_store_explicit(&state.offset, local.tm_gmtoff, memory_order_relaxed);
    strftime(stamp, sizeof stamp, "%H:%M:%S", &local);
    fprintf(stderr, "%s.%03ld %-7s %s\n", stamp, now.tv_nsec / 1000000, names[level], text);
}

static void hand_over(enum log_level level, const char *text)
{
    pthread_mutex_lock(&state.mutex);
    if (state.sink != NULL)
        state.sink(state.data, level, text);
    else
        write_stderr(level, text);
    pthread_mutex_unlock(&state.mutex);
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

static char *put_digits(char *at, long number, int digits)
{
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

// "15:07:25.066 ", as write_stderr() has it, from nothing but numbers.
static size_t put_stamp(char *at)
{
    struct timespec now;
    const char *start = at;
    clock_gettime(CLOCK_REALTIME, &now);
    long second = (now.tv_sec + atomic_load(&state.offset)) % 86400;
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = '.';
    at = put_digits(at, now.tv_nsec / 1000000, 3);
    *at++ = ' ';
    return (size_t)(at - start);
}

static size_t put_text(char *line, size_t length, size_t size, const char *text)
{
    while (*text != 0 && length < size)
        line[length++] = *text++;
    return length;
}

void log_from_signal(enum log_level level, const char *const *parts)
{
    char line[512];
    size_t most = sizeof line - 1;
    if (level < log_get_level() || atomic_load(&state.elsewhere))
        return;
    size_t length = put_stamp(line);
    length = put_text(line, length, most, names[level]);
    length = put_text(line, length, most, " ");
    for (; *parts != NULL; parts++)
        length = put_text(line, length, most, *parts);
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}
