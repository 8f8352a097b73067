// SPDX-License-Identifier: Apache-2.0
//
// The inside of an examination, for examine.c and findings.c only: what is known of each register
// while a function is walked (marks), and what follows from a read, an assignment or a call of it.
// These functions run in the examination's protected call; they find something only when the walk
// reports, and note names otherwise. They leave the stack as it is, with TOP slots.

#ifndef MESOS_LUA_SCRIPT_LINT_RULES_H
#define MESOS_LUA_SCRIPT_LINT_RULES_H

#include "script/bytecode.h"
#include "script/lint.h"
#include "script/script_internal.h"

enum {
    REGISTERS = 256,
    PATH = 3, // names of a path, such as mesos.log.info
};

struct finding {
    struct finding *next;
    const char *file;
    int line;
    char text[];
};

struct lint_file {
    char *path;
    struct bytecode *bytecode; // NULL: it is not looked at
    bool versions;             // it asks which Lua this is
};

struct lint {
    struct script *script;
    struct lint_file *files;
    size_t file_count;
    struct buffer dump;
    struct finding *findings, **last;
    size_t found;
    const struct lint_parameter *parameters;
    void *data;
};

// Stack slots of the call that runs it: sets of names, and tables.
enum { SELF = 1, DECLARED, ASSIGNED, REBOUND, REQUIRED, LOADED, GLOBALS, OBJECTS, TOP = OBJECTS };

enum mark_kind {
    MARK_NONE,
    MARK_GLOBALS,
    MARK_TEXT,    // names[0]
    MARK_REQUIRE, // the function
    MARK_TABLE,   // of package.loaded, by its path
    MARK_MISSING, // not in the table of that path
    MARK_OBJECT,  // one that the host would give
    MARK_FIELD,   // names[0] of such
    MARK_LIST,    // of such
    MARK_IPAIRS,  // the function
    MARK_LOOP,    // what it returns for such a list
};

struct mark {
    enum mark_kind kind;
    size_t at;
    int depth;
    const char *names[PATH];
    lua_Integer object; // among OBJECTS
};

struct lint_walk {
    struct lint *lint;
    lua_State *L;
    struct lint_file *file;
    bool reporting;
    int depth;
};

struct scan {
    struct lint_walk *walk;
    struct scan *outer;
    const struct bytecode_function *function;
    size_t at;
    struct mark registers[REGISTERS];
    struct mark upvalues[REGISTERS];
};

// A field of that name (NULL: none that is known) is read from what the mark says, or assigned. The
// first returns what is known of the value. // [-0, +0, m]
struct mark lint_rules_read(struct scan *scan, const struct mark *from, const char *name);
void lint_rules_write(struct scan *scan, const struct mark *to, const char *name);

// What is missing is called or indexed. Somebody may put it there later, or has looked first.
// [-0, +0, m]
void lint_rules_use_missing(struct scan *scan, const struct mark *mark);

// The value is compared with a text (NULL: with something else). // [-0, +0, m]
void lint_rules_compare(struct scan *scan, const struct mark *mark, const char *text);

// A module is required: the first time only it is looked for; what the script has required is
// there. // [-0, +0, m]
struct mark lint_rules_require(struct scan *scan, const char *name);

// The sets of names. // [-0, +0, m]
void lint_rules_note(struct lint_walk *walk, int set, const char *name);
bool lint_rules_noted(struct lint_walk *walk, int set, const char *name);

// The value of a table, past any metamethod; its type. // [-0, +1, m]
int lint_rules_raw_field(lua_State *L, int table, const char *name);

#endif
