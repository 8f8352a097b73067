// SPDX-License-Identifier: Apache-2.0
//
// The log of the process: see log.h. A line on stderr is written with one call, so that lines of a
// terminal shared with tasks or other programs do not mix.

#include "base/log.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

static const char *const names[] = {"debug", "info", "warning", "error", "quiet"};

static struct {
    enum log_level level;
    log_sink sink;
    void *data;
} state = {.level = LOG_INFO};

void log_set_level(enum log_level level)
{
    state.level = level;
}

enum log_level log_get_level(void)
{
    return state.level;
}

void log_set_sink(log_sink sink, void *data)
{
    state.sink = sink;
    state.data = data;
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

void log_write(enum log_level level, const char *format, ...)
{
    if (level < state.level)
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
    if (state.sink != NULL)
        state.sink(state.data, level, text);
    else
        write_stderr(level, text);
    if (text != line)
        free(text);
}
