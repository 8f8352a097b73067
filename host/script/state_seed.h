// SPDX-License-Identifier: Apache-2.0
//
// Lua states that iterate over tables in the same order in each process. The order of pairs() over
// keys that are texts follows from the hashes of the texts, and Lua begins each hash with a seed
// that it makes, for each state, of the time and of addresses. Lua has no call that sets the seed,
// but its allocator is ours, and gets a chance between the moment when the seed is made and the one
// when the first text is hashed. Where the seed lies is measured once in a process, by what differs
// between states that are made alike. Then states are made that prove it: equal seeds give the same
// order, and another seed gives another one.
//
// Nothing here depends on how Lua is linked: it works with the Lua inside of the program, with a
// shared one, and with that of a program that loads mesos.so.

#ifndef MESOS_LUA_SCRIPT_STATE_SEED_H
#define MESOS_LUA_SCRIPT_STATE_SEED_H

#include "script/script_heap.h"

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

// True if the seeds of this process's Lua can be chosen. The first call finds out, and takes about
// a tenth of a millisecond.
bool state_seed_works(void);

// lua_newstate() in that heap, with that seed. Where seeds cannot be chosen this is a state like
// any other, and a warning in the log says so, once. NULL: not enough memory.
lua_State *state_seed_open(struct script_heap *heap, uint32_t seed);

#endif
