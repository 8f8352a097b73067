// SPDX-License-Identifier: Apache-2.0
//
// The log of the process: one line an event, on stderr unless an embedder sets a sink, since stdout
// belongs to the script. Levels and texts only; nothing secret is ever passed here. May be used on
// any thread. The log escapes the texts (log_line.h), not its callers.

#ifndef MESOS_LUA_BASE_LOG_H
#define MESOS_LUA_BASE_LOG_H

#include "base/log_line.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_QUIET };

// Receives each line that passes the level, without time, level or newline at its end, whatever the
// format: escaped, but newlines in it (tracebacks) are as they were. It is called by one thread at
// a time, and never after a log_set_sink() that replaced it has returned. It must return, not jump.
typedef void (*log_sink)(void *data, enum log_level level, const char *text);

void log_set_level(enum log_level level); // LOG_INFO at the start; LOG_QUIET shows nothing
enum log_level log_get_level(void);
void log_set_format(enum log_format format);  // of stderr: LOG_TEXT at the start, or LOG_JSON
void log_set_sink(log_sink sink, void *data); // NULL: stderr again

// The sink that is set, for one who sets another for a while and then this one again.
log_sink log_get_sink(void **data);

// What writes the lines for stderr, each in one piece and with its newline.
struct log_output {
    void (*write)(const char *line, size_t length);
    void (*write_from_signal)(const char *line, size_t length); // leaves errno as it was
};

// Replaces the plain write to stderr, which may block. `output` stays valid. Not while other
// threads may log.
void log_set_output(const struct log_output *output);
const struct log_output *log_get_output(void);

void log_set_dated(void); // lines of text have the date from now on

const char *log_level_name(enum log_level level); // "debug", "info", "warning", "error", "quiet"
bool log_level_find(const char *name, enum log_level *level); // the reverse, any case

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same for the handler of a signal: writes the parts, up to NULL, as one line. Lost if there is
// a sink.
void log_from_signal(enum log_level level, const char *const *parts);

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
