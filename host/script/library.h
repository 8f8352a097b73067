// SPDX-License-Identifier: Apache-2.0
//
// The library that comes with the program: the Lua modules of lua/mesos, whose texts the build puts
// into the program, so that it needs no files. `require` finds them before any file; in messages
// and tracebacks they have the names of the files that they come from, mesos/jobs.lua. They belong
// to no version of a script, and no reload looks at them. Strict globals hold for them.

#ifndef MESOS_LUA_SCRIPT_LIBRARY_H
#define MESOS_LUA_SCRIPT_LIBRARY_H

#include <lua.h>

#include <stddef.h>

struct library_file {
    const char *module; // NULL: behind the last row
    const char *chunk;  // the name that Lua gives it, "=mesos/jobs.lua"
    const char *text;   // not ended by '\0'
    size_t length;
};

extern const struct library_file library_files[]; // made by library_texts.lua, in order of names

// The row of a module, or NULL.
const struct library_file *library_find(const char *module);

// The module that was probably meant by a name, which begins with "mesos." or not; or NULL.
const char *library_nearest(const char *name);

// Puts the searcher of the library behind that of package.preload, in a state of any program.
// [-0, +0, e]
void library_open(lua_State *L);

#endif
