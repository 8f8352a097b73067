// SPDX-License-Identifier: Apache-2.0
//
// The log of the process, as the functions of mesos_driver.h and mesos_lua.h hand it out.

#ifndef MESOS_LOG_H
#define MESOS_LOG_H

enum mesos_log_level {
    MESOS_LOG_DEBUG,
    MESOS_LOG_INFO,
    MESOS_LOG_WARNING,
    MESOS_LOG_ERROR,
    MESOS_LOG_QUIET // above all others
};

// `text` is one event, without time, level or newline at its end, and gone when the function
// returns. What masters, tasks and scripts say may be part of it: it is UTF-8 without control
// characters but tabs and newlines (of tracebacks), which are as they were written; other control
// characters, and bytes that are no UTF-8, are shown as "\x1b". A function that writes a line for
// each event has to indent, or escape, the newlines.
typedef void (*mesos_log_function)(void *data, enum mesos_log_level level, const char *text);

#endif
