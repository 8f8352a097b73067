// SPDX-License-Identifier: Apache-2.0
//
// Where control sockets are: PID.sock in a folder of the user, $XDG_RUNTIME_DIR/mesos-lua (or
// /run/user/UID/mesos-lua) or, if that cannot be, /tmp/mesos-lua-UID. The host makes them there;
// clients find one by the id of its process, or all of a user.

#ifndef MESOS_LUA_OPS_CONTROL_PATHS_H
#define MESOS_LUA_OPS_CONTROL_PATHS_H

#include "base/error.h"

#include <sys/types.h>

// For a host: a path for its socket, to be freed, in a folder that is its user's alone. Sockets
// that hosts which ended left there are removed. NULL, and the error, if there can be none.
char *control_paths_make(struct error *err);

bool control_paths_fit(const char *path); // false: it is too long for a socket

// For clients: the path of the socket of that process, to be freed; NULL if there is none. `user`
// is set to the process's user; the client has to check who owns the folder of the path.
char *control_paths_find(pid_t pid, uid_t *user);

// Lists the processes of the caller's user that have a socket, in ascending order, at most `most`
// of them; returns how many.
size_t control_paths_list(pid_t *pids, size_t most);

#endif
