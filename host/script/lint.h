// SPDX-License-Identifier: Apache-2.0
//
// Finds errors that a loaded script would run into later, without running it. The functions of the
// script and of the modules in its folder are compiled anew and read instruction by instruction.
// The lint reports
//
//   - globals that are read or assigned and never declared (strict_globals.c has the rule);
//   - functions of a module or a library that are called and that it does not have, when it is
//     named directly or by a local variable that is assigned once: string.fromat(),
//     mesos.slep(), os.execute() in the sandbox;
//   - names that an argument of a callback does not have, where the host knows what it passes;
//   - strings that a field of such an argument is compared with and can never be;
//   - modules that a function requires and that are missing or do not parse.
//
// Each finding is wrong whenever its instruction runs; what cannot be known is not reported.

#ifndef MESOS_LUA_SCRIPT_LINT_H
#define MESOS_LUA_SCRIPT_LINT_H

#include "script/script.h"

enum { LINT_MOST = 100 }; // findings that are reported

// A parameter of a function in the table that the script returned, for which the host passes an
// object or a list of objects. `push` pushes a sample that answers as these do.
struct lint_parameter {
    const char *function; // NULL: behind the last row
    unsigned index;       // of the parameter, from 0
    bool list;
    void (*push)(lua_State *L, void *data); // [-0, +1, e]

    // May be NULL. If that field of the object can never be that text: pushes the finding and
    // returns true. `type` is only passed through to it. // [-0, +1|0, e]
    bool (*never)(lua_State *L, const void *type, const char *field, const char *text);
    const void *type;
};

// Calls `report` for each finding, "FILE:LINE: what, and what to do", in the order of files and
// lines, up to LINT_MOST. Returns how many there are. Modules that only functions require are read,
// not run. `parameters` may be NULL; their functions are given `data`.
size_t lint_run(struct script *script, const struct lint_parameter *parameters, void *data,
                void (*report)(const char *text));

#endif
