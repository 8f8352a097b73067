// SPDX-License-Identifier: Apache-2.0
//
// Watches files and reports once, a moment after the last of a burst of changes, that one of them
// may have changed: written in place, truncated, replaced by a rename, deleted or created. The
// owner has to find out what changed, and may find that nothing did.
//
// The folders of the files (and those that symbolic links lead to) are watched by inotify. Where
// that does not see all changes (network file systems, those of a host below this machine, too many
// watches) the files are checked every other second, elsewhere every 15 seconds, for a folder that
// was replaced as a whole.

#ifndef MESOS_LUA_LOOP_FILE_WATCH_H
#define MESOS_LUA_LOOP_FILE_WATCH_H

#include "loop/loop.h"

struct file_watch;

// On a loop of libuv. Watches nothing yet.
struct file_watch *file_watch_create(struct loop *loop, void (*on_change)(void *data), void *data);
void file_watch_destroy(struct file_watch *watch); // also inside on_change; NULL is fine

// Replaces the set of files; files in both sets stay watched. A file need not exist.
void file_watch_set(struct file_watch *watch, const char *const *paths, size_t count);

// Reports once more that something may have changed.
void file_watch_touch(struct file_watch *watch);

#endif
