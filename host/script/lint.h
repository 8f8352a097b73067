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
//   - strings that a field of such an argument is compared with and can never be, also as keys of a
//     table that is read with that field;
//   - names of fields, and strings, in tables that the script writes down and passes to a function
//     of the host which takes no such field or string: { nam = "x" } as a task;
//   - modules that a function requires and that are missing or do not parse.
//
// Each finding is wrong whenever its instruction runs; what cannot be known is not reported.

#ifndef MESOS_LUA_SCRIPT_LINT_H
#define MESOS_LUA_SCRIPT_LINT_H

#include "script/script.h"

enum { LINT_MOST = 100 }; // findings that are reported

// ---- what the host passes ----

// A parameter of a function in the table that the script returned, for which the host passes an
// object or a list of objects. `push` pushes a sample that answers as these do.
struct lint_parameter {
    const char *function; // NULL: behind the last row. "": of none, an object that methods return
    const char *sample;   // what it is, a name for struct lint_method
    unsigned index;       // of the parameter, from 0
    bool list;
    void (*push)(lua_State *L, void *data); // [-0, +1, e]

    // May be NULL. If that field of the object can never be that text: pushes the finding and
    // returns true. `type` is only passed through to it. // [-0, +1|0, e]
    bool (*never)(lua_State *L, const void *type, const char *field, const char *text);
    const void *type;

    // If `list`, and lists have methods: pushes one. May be NULL. // [-0, +1, e]
    void (*push_list)(lua_State *L);
};

// ---- what the host takes ----

struct lint_type;

// What a value has to be like.
struct lint_shape {
    const struct lint_type *type; // NULL: this is not checked
    const void *data;             // of the type
    bool list;                    // a list of such values
};

struct lint_type {
    // Sets the shape of the field of that name in a table. If the table can have no such field:
    // pushes the finding and returns false. // [-0, +0|1, e]
    bool (*field)(lua_State *L, const void *data, const char *name, struct lint_shape *value);
    // The same for a text; NULL: it may be any.
    bool (*text)(lua_State *L, const void *data, const char *text);
    // The finding for a table with that field in place of a list of tables; NULL: none.
    // // [-0, +1, e]
    void (*no_list)(lua_State *L, const void *data, const char *name);
};

enum { LINT_ARGUMENTS = 3 };

enum lint_result { LINT_NOTHING, LINT_OBJECT, LINT_LIST, LINT_ITERATOR };

// A function that scripts call: a method of objects or of lists of them, or a function of a module.
struct lint_method {
    const char *of, *name; // the sample or the module; NULL: behind the last row
    bool of_list;
    struct lint_shape arguments[LINT_ARGUMENTS]; // without the object
    enum lint_result result;                     // what it returns first
    const char *sample;                          // of the result
};

struct lint_world {
    const struct lint_parameter *parameters; // may be NULL
    const struct lint_method *methods;       // may be NULL
    void *data;                              // for the functions of the parameters
};

// Calls `report` for each finding, "FILE:LINE: what, and what to do", in the order of files and
// lines, up to LINT_MOST. Returns how many there are. Modules that only functions require are read,
// not run.
size_t lint_run(struct script *script, const struct lint_world *world,
                void (*report)(const char *text));

#endif
