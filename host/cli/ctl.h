// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua ctl`: the other end of the control socket.

#ifndef MESOS_LUA_CLI_CTL_H
#define MESOS_LUA_CLI_CTL_H

#include "app/options.h"

// Returns the exit status of the process: 0, 1 if the command failed, 2 for wrong usage or if there
// is no host at TARGET.
int ctl_run(const struct options *options);

void ctl_usage(FILE *file); // what `ctl --help` prints

#endif
