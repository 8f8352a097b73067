// SPDX-License-Identifier: Apache-2.0
//
// The log in a file, for --log-file: lines are appended, with the date, and the file can be opened
// anew after it was renamed (logrotate). A line that cannot be written, as when the disk is full,
// goes to stderr. Only the program calls these, before other threads log.

#ifndef MESOS_LUA_BASE_LOG_FILE_H
#define MESOS_LUA_BASE_LOG_FILE_H

#include "base/error.h"

// From now on the log goes there. `path` must stay valid. False, and the log stays where it is, if
// the file cannot be opened.
bool log_file_open(const char *path, struct error *err);

// Opens the path again, and makes the file if it is not there. False, and the old file is written
// to as before, if that fails or the log is in no file.
bool log_file_reopen(struct error *err);

#endif
