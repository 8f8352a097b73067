// SPDX-License-Identifier: Apache-2.0
//
// What mesos.exec and mesos.process have in common: the program and its arguments, a list, at index
// 1 of the stack; its environment and input, fields of the options, a table, at index 2. What is
// returned lives in values that are left on the stack.

#ifndef MESOS_LUA_BINDINGS_LIB_COMMAND_ARGUMENTS_H
#define MESOS_LUA_BINDINGS_LIB_COMMAND_ARGUMENTS_H

#include "base/bytes.h"

#include <lua.h>

// Ended by NULL. `function` is what errors begin with: "mesos.exec". // [-0, +1, e]
const char **command_arguments_argv(lua_State *L, const char *function);

// The host's environment with the changes of options.env, or NULL if there are none.
// // [-0, +2, e]
const char **command_arguments_environment(lua_State *L);

// options.stdin, or data NULL. // [-0, +1, e]
struct slice command_arguments_input(lua_State *L);

#endif
