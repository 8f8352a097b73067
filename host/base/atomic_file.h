// SPDX-License-Identifier: Apache-2.0
//
// A small file that is replaced as a whole and never found torn: a new version is written beside
// it, brought to the disk, and takes its place in one step; once atomic_file_write() has returned,
// it survives a crash of the process, the system or the power. The file has one user from open to
// close: locks on FILE.lock and on the file itself keep out other processes, and other users in
// this one, whether they use its name, a symbolic link or a hard link.
//
// FILE.lock stays behind, since removing it would let two processes lock two different files of
// that name; a lock ends with its process, so a file that is left over blocks nothing. FILE.new may
// stay behind after a crash, and is removed; it is always created anew, so no other user can own
// it.
//
// The file, its lock and their folder must belong to the user of the process or to root. A folder
// that others can write to, and that is not sticky, causes a warning.

#ifndef MESOS_LUA_BASE_ATOMIC_FILE_H
#define MESOS_LUA_BASE_ATOMIC_FILE_H

#include "base/buffer.h"
#include "base/error.h"

struct atomic_file;

// Locks the file, which need not exist; it must be possible to create it. NULL and `err` if its
// folder cannot be written to, or if it is another user's, or if another process has the file open:
// then the text names its pid.
struct atomic_file *atomic_file_open(const char *path, struct error *err);

void atomic_file_close(struct atomic_file *file); // NULL is fine

const char *atomic_file_path(const struct atomic_file *file); // as it was given

// Replaces the contents of `out` by those of the file. `exists` tells whether there is one; if not,
// `out` is empty and that is no failure.
bool atomic_file_read(struct atomic_file *file, struct buffer *out, bool *exists,
                      struct error *err);

// Replaces the file. When it returns true the new contents are on the disk. When it returns false
// the old ones are still there, or, if only the folder could not be brought to the disk, the new
// ones; in any case one of them, whole.
bool atomic_file_write(struct atomic_file *file, struct slice contents, struct error *err);

#endif
