// SPDX-License-Identifier: Apache-2.0
//
// What a script that has loaded would run into later, found without running it: in the functions of
// the script and of the modules in its folder, compiled anew and read instruction by instruction.
// Found are
//
//   - globals that are read or assigned and that nobody declares (globals.c has the rule);
//   - functions of a module or a library that are called and that it does not have, when it is
//     named directly or by a local variable that is assigned once: string.fromat(),
//     mesos.slep(), os.execute() in the sandbox;
//   - names that what a function is given does not have, as far as the host knows what that is;
//   - texts that a field of that is compared with and never is;
//   - modules that a function requires and that are not there or do not parse.
//
// What is found is wrong whenever that instruction runs; what cannot be known is passed over.

#ifndef MESOS_LUA_SCRIPT_LINT_H
#define MESOS_LUA_SCRIPT_LINT_H

#include "script/script.h"

enum { LINT_MOST = 100 }; // findings

// A function in the table that the script returned is given an object, or a list of such, at this
// place among its parameters, 0 being the first. `push` pushes one that answers as they do.
struct lint_parameter {
    const char *function; // NULL: behind the last row
    unsigned index;
    bool list;
    void (*push)(lua_State *L, void *data); // [-0, +1, e]

    // May be NULL. If that field of the object cannot be that text: pushes what is to be said of
    // it, and true. `type` is for it alone. // [-0, +1|0, e]
    bool (*never)(lua_State *L, const void *type, const char *field, const char *text);
    const void *type;
};

// Tells each finding, "FILE:LINE: what, and what to do", in the order of files and lines. Returns
// how many there are. Modules that only functions require are read, not run. `parameters` may be
// NULL; their functions are given `data`.
size_t lint_run(struct script *script, const struct lint_parameter *parameters, void *data,
                void (*tell)(const char *text));

#endif
