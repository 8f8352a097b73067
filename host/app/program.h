// SPDX-License-Identifier: Apache-2.0
//
// What the program does with a script: a host from its options to the exit status of the process.

#ifndef MESOS_LUA_APP_PROGRAM_H
#define MESOS_LUA_APP_PROGRAM_H

#include "app/options.h"

// Each returns the exit status of the process.
int program_run(const struct options *options);   // runs a framework
int program_check(const struct options *options); // loads it; makes no connection
int program_local(const struct options *options); // runs a cluster in the foreground

#endif
