// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of lists of resources for the Lua library (lua/mesos/resources.lua), by the rules that
// the embedded cluster follows: resources of one kind add up, amounts have three decimals.

#ifndef MESOS_LUA_BINDINGS_OFFERS_RESOURCE_ARITHMETIC_H
#define MESOS_LUA_BINDINGS_OFFERS_RESOURCE_ARITHMETIC_H

#include <lua.h>

// Lets `require "mesos.internal.resources"` find these functions. A list is a list of Resource
// messages; errors call the lists a and b.
//
//   add(a, b), subtract(a, b)   a new list
//   contains(a, b)              true if b is in a
//   quantity(a, name)           the sum of that resource over all kinds; ports are counted
//   format(a)                   the text that mesos.resources() takes
//
// Scripts have no use for the module. // [-0, +0, e]
void resource_arithmetic_open(lua_State *L);

#endif
