// SPDX-License-Identifier: Apache-2.0
//
// Files that are named by options or scripts, opened for reading in a way that cannot hang: a named
// pipe without a writer, a terminal or a device is refused with an error. A pipe may be allowed,
// for `<(command)` of a shell; then a read waits for its writer, but only for a few seconds. Errors
// say what is wrong and quote nothing of the contents; the caller names the file.

#ifndef MESOS_LUA_BASE_REGULAR_FILE_H
#define MESOS_LUA_BASE_REGULAR_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <sys/stat.h>

enum regular_file_kinds { REGULAR_FILE, REGULAR_FILE_OR_PIPE };

// Opens it, relative to the descriptor `folder`, or AT_FDCWD. `status`, which may be NULL, is that
// of the file. Returns the descriptor, or -1; then errno is ENOENT if there is no such file.
int regular_file_open(int folder, const char *path, enum regular_file_kinds kinds,
                      struct stat *status, struct error *err);

// Reads up to `size` bytes; fewer are there only at the end of the file.
bool regular_file_read(int file, void *data, size_t size, size_t *length, struct error *err);

// Reads all that is left, at most up to the limit of the buffer.
bool regular_file_read_all(int file, struct buffer *out, struct error *err);

#endif
