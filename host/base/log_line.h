// SPDX-License-Identifier: Apache-2.0
//
// How a line of the log is written: as text, "15:07:25.066 warning what happened", or as a JSON
// object with the fields time, level and message. Texts of masters, tasks and scripts are part of
// the message, so it is escaped: control characters (C0 but newline and tab, DEL, C1) and bytes
// that are not UTF-8 are shown as \xNN, and a line that continues a text begins with a blank or a
// tab. Therefore no message can look like a line of its own, or reach the terminal as a command.
//
// Every function may be called by the handler of a signal.

#ifndef MESOS_LUA_BASE_LOG_LINE_H
#define MESOS_LUA_BASE_LOG_LINE_H

#include <stddef.h>
#include <time.h>

// LOG_BARE is the message alone, for sinks: escaped, with its newlines as they are.
// LOG_DATED is LOG_TEXT with the date in front.
enum log_format { LOG_TEXT, LOG_JSON, LOG_BARE, LOG_DATED };

enum {
    LOG_LINE_FRAME = 128, // the most bytes of a line besides its message
    LOG_LINE_GROWTH = 6,  // and for each byte of the message
};

// Writes the part in front of the message. `offset` is that of local time, in seconds. There has to
// be room for LOG_LINE_FRAME bytes. Returns its end.
char *log_line_begin(char *at, enum log_format format, const struct timespec *time, long offset,
                     const char *level);

// Writes the message, or a piece of it, up to the zero byte; what does not fit before `end` is cut.
// Newlines at the end of `text` are left out. Returns its end.
char *log_line_text(char *at, const char *end, enum log_format format, const char *text);

// Writes the part behind it, with the newline. Returns its end.
char *log_line_end(char *at, enum log_format format);

#endif
