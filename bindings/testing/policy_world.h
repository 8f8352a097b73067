// SPDX-License-Identifier: Apache-2.0
//
// What a policy that runs in virtual time has in place of the world outside: os.time, os.date and
// os.clock follow the loop's clock, math.random is seeded, and what would start a program or open a
// connection (mesos.exec, mesos.http, mesos.process, mesos.serve) asks the stubs of the owner.

#ifndef MESOS_LUA_BINDINGS_TESTING_POLICY_WORLD_H
#define MESOS_LUA_BINDINGS_TESTING_POLICY_WORLD_H

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"
#include "script/script.h"

#include <lua.h>

struct policy_world {
    struct loop *loop;
    uint64_t seed;
    // The policy calls mesos.`name` with these arguments, the bytes of a list (serialize.h):
    // replaces them by those of what the stub returned. False, and `err`, if it raised or there is
    // none.
    bool (*stub)(void *data, const char *name, struct buffer *values, struct error *err);
    void *data;
};

// Makes it the world of a new Lua state, which it must outlive. Before the script is loaded.
bool policy_world_open(struct policy_world *world, struct script *script, struct error *err);

// For script_settings.hash_seed: each seed has an order of pairs() of its own. Not 0.
uint32_t policy_world_hash_seed(const struct policy_world *world);

// For owners whose stubs are a Lua function, in their own Lua state: calls the function at the top
// with the name and the list of arguments, and replaces the arguments by the list that it returns.
// [-1, +0, e]
void policy_world_call_stub(lua_State *L, const char *name, struct buffer *values);

#endif
