// SPDX-License-Identifier: Apache-2.0
//
// Watches files and says once, a moment after the last of a burst of changes, that something has
// happened to one of them: written in place, truncated, replaced by a rename, deleted, or there at
// last. What happened is for the owner to find out, who may well find that all is as it was.
//
// The system tells of the folders of the files (and of those that symbolic links lead to). Where it
// does not (network file systems, too many watches, a folder that was replaced) a look every other
// second does.

#ifndef MESOS_LUA_LOOP_FILE_WATCH_H
#define MESOS_LUA_LOOP_FILE_WATCH_H

#include "loop/loop.h"

struct file_watch;

// On a loop of libuv. Watches nothing yet.
struct file_watch *file_watch_create(struct loop *loop, void (*on_change)(void *data), void *data);
void file_watch_destroy(struct file_watch *watch); // also inside on_change; NULL is fine

// Replaces the files that are watched; what is watched already stays so. A file need not exist.
void file_watch_set(struct file_watch *watch, const char *const *paths, size_t count);

// Says once more that something may have happened.
void file_watch_touch(struct file_watch *watch);

#endif
