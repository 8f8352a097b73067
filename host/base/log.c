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

static const char *const names[] = {"debug", "info", "warning", "error", "quiet"};

static struct {
    atomic_int level;
    pthread_mutex_t mutex; // over the two below
    log_sink sink;
    void *data;
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
