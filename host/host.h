// SPDX-License-Identifier: Apache-2.0
//
// The program behind the command line: wires the parts of a mode together, runs them, and takes
// them apart in order. One host is one run.

#ifndef MESOS_LUA_HOST_H
#define MESOS_LUA_HOST_H

#include "options.h"

// Each returns the exit status of the process.
int host_run(const struct options *options);   // a framework
int host_check(const struct options *options); // load it, contact nobody
int host_local(const struct options *options); // a cluster in the foreground

#endif
