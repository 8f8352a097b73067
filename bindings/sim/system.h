// SPDX-License-Identifier: Apache-2.0
//
// The module `sim.system`: what the files of host/sim need to know of the system and Lua's own
// libraries do not tell.
//
//     system.kind(path) -> "file" | "folder" | "other" | nil, message     of a link, what it leads
//     to system.resolve(path) -> the path without links, or nil, message system.make_folder(path)
//     -> true (also if it is there), or nil, message system.columns(descriptor) -> width of the
//     terminal, or nil: it is none system.processors() -> how many this process may use

#ifndef MESOS_LUA_BINDINGS_SIM_SYSTEM_H
#define MESOS_LUA_BINDINGS_SIM_SYSTEM_H

#include <lua.h>

int system_open(lua_State *L); // the loader of the module // [-0, +1, e]

#endif
