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
// returns.
typedef void (*mesos_log_function)(void *data, enum mesos_log_level level, const char *text);

#endif
