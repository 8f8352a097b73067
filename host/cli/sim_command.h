// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua sim SCRIPT.lua`: the simulator (host/sim/README.md).

#ifndef MESOS_LUA_CLI_SIM_COMMAND_H
#define MESOS_LUA_CLI_SIM_COMMAND_H

#include "app/options.h"

// Returns the exit status: 0; 1 if a policy has failed or a run ended early; 2 if something of what
// was asked for is wrong; 3 if an assertion does not hold.
int sim_command_run(const struct options *options);

#endif
