// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua ctl TARGET repl`: Lua code line by line, run in the host.

#ifndef MESOS_LUA_CLI_CTL_CONSOLE_H
#define MESOS_LUA_CLI_CTL_CONSOLE_H

#include "cli/ctl_client.h"

// Runs to the end of the input; returns the exit status.
int ctl_console_run(struct ctl_client *client);

#endif
