// SPDX-License-Identifier: Apache-2.0
//
// The running hosts of this user: each is asked what it is.

#ifndef MESOS_LUA_CLI_HOSTS_H
#define MESOS_LUA_CLI_HOSTS_H

#include "app/options.h"
#include "base/error.h"

// The process, as text to be freed, of the one host whose script has that name: its path, its file
// name, or that without ".lua". NULL and the error if there is none, or more than one.
char *hosts_find(const char *name, struct error *err);

// `mesos-lua ps`: a line for each host. Returns the exit status.
int hosts_print(const struct options *options);

#endif
