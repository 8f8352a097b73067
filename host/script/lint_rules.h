// SPDX-License-Identifier: Apache-2.0
//
// The inside of the lint, for its own files only. Its data flow has three terms:
//
//   mark  what is known of the value in a register or an upvalue
//   scan  one function, read from its first instruction to its last, with a mark for each register
//   walk  all functions of one file, once; the first walk notes names, the second reports findings
//
// Where what is: lint.c has the files and findings, lint_code.c the instructions that pass values
// on, lint_calls.c those that call, lint_tables.c what is known of the tables that the script
// writes down, and lint_rules.c what is right.
//
// The functions say what follows from a read, an assignment or a call of a value with a mark. They
// run in the lint's protected call. They leave the stack as it is, with TOP slots.

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
    struct bytecode *bytecode; // NULL: it is not checked
    bool versions;             // It reads _VERSION.
};

struct lint {
    struct script *script;
    struct lint_file *files;
    size_t file_count;
    struct buffer dump;
    struct finding *findings, **last;
    size_t found;
    const struct lint_world *world;
    struct lint_table **tables; // of the file that is walked
    size_t table_count;
};

// Stack slots of the call that runs it: sets of names, and tables.
enum {
    SELF = 1,
    DECLARED,
    ASSIGNED,
    REBOUND,
    REQUIRED,
    LOADED,
    GLOBALS,
    OBJECTS, // samples of the parameters, by row
    LISTS,   // of lists of them
    TOP = LISTS
};

enum mark_kind {
    MARK_NONE,
    MARK_NIL, // or false
    MARK_GLOBALS,
    MARK_TEXT,     // names[0]
    MARK_REQUIRE,  // the function
    MARK_TABLE,    // of package.loaded, by its path
    MARK_MISSING,  // not in the table of that path
    MARK_FUNCTION, // the function of that path; of one name: a global one
    MARK_OBJECT,   // one that the host passes
    MARK_FIELD,    // names[0] of such an object
    MARK_LIST,     // of such objects
    MARK_IPAIRS,   // the function
    MARK_METHOD,   // names[0] of such a list
    MARK_LOOP,     // what ipairs returns for such a list
    MARK_VALUES,   // a function that returns such objects, for a loop
    MARK_WRITTEN,  // a table that the script writes down
    MARK_CLOSURE,  // a function of the script that returns one
};

struct mark {
    enum mark_kind kind;
    size_t at; // the instruction that set it
    int depth; // of the path in `names`
    const char *names[PATH];
    lua_Integer object; // among OBJECTS; the number of the table, from 1
};

struct lint_walk {
    struct lint *lint;
    lua_State *L;
    struct lint_file *file;
    bool reporting; // True in the second walk.
    int depth;
};

struct scan {
    struct lint_walk *walk;
    struct scan *outer;
    const struct bytecode_function *function;
    size_t at; // the instruction that is read
    struct mark registers[REGISTERS];
    struct mark upvalues[REGISTERS];
    struct mark returned; // the table that it returns
    bool returns_several; // not always the same, or something that is not known
};

// A field of that name (NULL: none that is known) is read from what the mark says, or assigned. The
// first returns what is known of the value. // [-0, +0, m]
struct mark lint_rules_read(struct scan *scan, const struct mark *from, const char *name);
void lint_rules_write(struct scan *scan, const struct mark *to, const char *name);

// A missing value is called or indexed. It is no finding if the script assigns that name anywhere,
// or tests the value first. // [-0, +0, m]
void lint_rules_use_missing(struct scan *scan, const struct mark *mark);

// The value is compared with a text (NULL: with something else). // [-0, +0, m]
void lint_rules_compare(struct scan *scan, const struct mark *mark, const char *text);

// A module is required. It is searched for the first time only; what the script has required itself
// is loaded. // [-0, +0, m]
struct mark lint_rules_require(struct scan *scan, const char *name);

// Reports the text at the top, at the instruction that is read or at another line of the file.
// // [-1, +0, -]
void lint_rules_report(struct scan *scan);
void lint_rules_report_at(struct scan *scan, int line);

// Reads one function, and those inside it. // [-0, +0, m]
void lint_code_walk(struct scan *scan);

// ---- calls ----

void lint_calls_call(struct scan *scan, uint32_t instruction); // [-0, +0, m]

// The row of the object or list. // [-0, +0, -]
static inline const struct lint_parameter *lint_rules_row(const struct scan *scan,
                                                          const struct mark *mark)
{
    return &scan->walk->lint->world->parameters[mark->object - 1];
}

// ---- tables ----

struct mark lint_tables_new(struct scan *scan); // an empty one

// A field of the table is assigned. `name`: NULL for a place, or a name that is not known.
// The value is nil if `nil`.
void lint_tables_set(struct scan *scan, const struct mark *table, const char *name,
                     const struct mark *value, bool nil);
void lint_tables_add(struct scan *scan, const struct mark *table, const struct mark *value);

// What is known of the value of the field of that name. // [-0, +0, -]
struct mark lint_tables_get(struct scan *scan, const struct mark *table, const char *name);

// Other functions may change the table from now on, so nothing is said of it.
void lint_tables_escape(struct scan *scan, const struct mark *table);

// Fields that were set behind that instruction, in tables from before it, may not be there.
void lint_tables_drop(struct scan *scan, size_t first);

// The same table once more, for a function that makes one each time.
struct mark lint_tables_copy(struct scan *scan, const struct mark *table);

// Reports what the value can not have or be. // [-0, +0, m]
void lint_tables_check(struct scan *scan, const struct mark *value, const struct lint_shape *shape);

// The table is read with a value that the mark says. // [-0, +0, m]
void lint_tables_read(struct scan *scan, const struct mark *table, const struct mark *key);

void lint_tables_clear(struct lint *lint); // forgets all

// ---- sets of names ----

// [-0, +0, m]
void lint_rules_note(struct lint_walk *walk, int set, const char *name);
bool lint_rules_noted(struct lint_walk *walk, int set, const char *name);

// The value of a table, past any metamethod; its type. // [-0, +1, m]
int lint_rules_raw_field(lua_State *L, int table, const char *name);

#endif
