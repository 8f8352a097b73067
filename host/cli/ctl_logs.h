// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua ctl TARGET logs TASK [FILE] [-f]`: what a task printed.

#ifndef MESOS_LUA_CLI_CTL_LOGS_H
#define MESOS_LUA_CLI_CTL_LOGS_H

#include "cli/ctl_client.h"

// Prints the file to its end, or with -f until the task has ended. Returns the exit status.
int ctl_logs_run(struct ctl_client *client, const char *command, int argc, char *const *argv);

#endif
