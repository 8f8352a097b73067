// SPDX-License-Identifier: Apache-2.0
//
// What a client is to talk to: the id of a process, or the path of a control socket, and whether it
// may: the folder that a socket is found in has to be its user's alone.

#ifndef MESOS_LUA_CLI_CTL_TARGET_H
#define MESOS_LUA_CLI_CTL_TARGET_H

#include "base/error.h"

#include <sys/types.h>

bool ctl_target_is_process(const char *target); // it is a number
bool ctl_target_is_socket(const char *target);  // there is a socket, or a link to one, of that path

// The path of the socket, to be freed, or NULL and the error. `user` is set to the user who may be
// at the other end. For a path that is the caller; if the caller is root, it is the owner of the
// socket.
char *ctl_target_find(const char *target, uid_t *user, struct error *err);

#endif
