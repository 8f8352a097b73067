// SPDX-License-Identifier: Apache-2.0
//
// `mesos-lua test [ARG...]`: tests of policies, run by busted in lua5.4 with the module mesos.so.

#ifndef MESOS_LUA_CLI_POLICY_TESTS_H
#define MESOS_LUA_CLI_POLICY_TESTS_H

#include "app/options.h"

// Becomes busted, with the arguments as they are: its exit status is the program's. Returns 2, with
// a message, if that cannot be.
int policy_tests_run(const struct options *options);

#endif
