// SPDX-License-Identifier: Apache-2.0
//
// Folders of the local cluster, whose modes do not depend on the umask.

#ifndef MESOS_LUA_AGENT_FOLDERS_H
#define MESOS_LUA_AGENT_FOLDERS_H

#include <stdbool.h>
#include <sys/types.h>

// Makes a folder, and those on the way to it, which others may pass through, but not list (0711).
// True if it is there; what was there keeps its mode. False and errno otherwise.
bool folders_make(const char *path, mode_t mode);

#endif
