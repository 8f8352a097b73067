// SPDX-License-Identifier: Apache-2.0
//
// The rules: see lint_rules.h. Names are looked up in the tables that are there since the script
// was loaded; for arguments of callbacks, in samples of the objects that the host passes.

#include "script/lint_rules.h"

#include "base/memory.h"
#include "script/library.h"
#include "script/sandbox.h"

#include <lauxlib.h>

#include <string.h>

enum {
    NAMES = 255,            // that may have been meant
    FINDING_MOST = 4 << 10, // bytes
};

// ---- findings ----

void lint_rules_report_at(struct scan *scan, int line)
{
    struct lint *lint = scan->walk->lint;
    lua_State *L = scan->walk->L;
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    length = length < FINDING_MOST ? length : FINDING_MOST;
    if (scan->walk->reporting && lint->found++ < LINT_MOST) {
        struct finding *finding = memory_new(sizeof *finding + length + 1);
        memcpy(finding->text, text, length);
        finding->file = scan->walk->file->path;
        finding->line = line;
        *lint->last = finding;
        lint->last = &finding->next;
    }
    lua_pop(L, 1);
}

void lint_rules_report(struct scan *scan)
{
    lint_rules_report_at(scan, scan->function->lines[scan->at]);
}

// ---- sets of names ----

void lint_rules_note(struct lint_walk *walk, int set, const char *name) // [-0, +0, m]
{
    lua_pushboolean(walk->L, 1);
    lua_setfield(walk->L, set, name);
}

bool lint_rules_noted(struct lint_walk *walk, int set, const char *name) // [-0, +0, m]
{
    bool found = lua_getfield(walk->L, set, name) != LUA_TNIL;
    lua_pop(walk->L, 1);
    return found;
}

// The value of a table, past any metamethod. // [-0, +1, m]
int lint_rules_raw_field(lua_State *L, int table, const char *name)
{
    table = lua_absindex(L, table);
    lua_pushstring(L, name);
    return lua_rawget(L, table);
}

// ---- globals ----

// Local variables that the instruction can see, the nearest first, ended by NULL.
static void collect_visible(const struct scan *scan, const char **names)
{
    size_t count = 0;
    for (; scan != NULL; scan = scan->outer) {
        const struct bytecode_function *function = scan->function;
        for (size_t i = function->local_count; i-- > 0 && count < NAMES;) {
            const struct bytecode_local *local = &function->locals[i];
            if (local->start <= scan->at && scan->at < local->end && *local->name != '(')
                names[count++] = local->name;
        }
    }
    names[count] = NULL;
}

static int declared_in(const struct bytecode_function *function, const char *name)
{
    for (size_t i = 0; i < function->local_count; i++)
        if (strcmp(function->locals[i].name, name) == 0)
            return bytecode_declared(function, &function->locals[i]);
    for (size_t i = 0; i < function->inner_count; i++) {
        int line = declared_in(&function->inner[i], name);
        if (line != 0)
            return line;
    }
    return 0;
}

// A local variable of that name that the instruction cannot see: the line of one that is declared
// too late, or else of any in the file; 0 if there is none.
static int find_unseen(const struct scan *scan, const char *name, bool *late)
{
    int line = scan->function->lines[scan->at];
    const struct bytecode_function *outermost = scan->function;
    *late = true;
    for (const struct bytecode_function *each = scan->function; each; each = each->outer) {
        outermost = each;
        for (size_t i = 0; i < each->local_count; i++)
            if (strcmp(each->locals[i].name, name) == 0 &&
                bytecode_declared(each, &each->locals[i]) > line)
                return bytecode_declared(each, &each->locals[i]);
    }
    *late = false;
    int elsewhere = declared_in(outermost, name);
    return elsewhere == line ? 0 : elsewhere;
}

// [-0, +0, m]
static void report_global(struct scan *scan, const char *name, bool assigned)
{
    const char *visible[NAMES + 1];
    bool late;
    lua_State *L = scan->walk->L;
    int line = find_unseen(scan, name, &late);
    if (line == 0 || assigned) {
        collect_visible(scan, visible);
        strict_globals_push_error(L, name, visible, assigned);
    } else if (late) {
        lua_pushfstring(L,
                        "undeclared global '%s' (the local '%s' of line %d is declared below: move "
                        "its declaration up, in front of this function)",
                        name, name, line);
    } else {
        lua_pushfstring(L,
                        "undeclared global '%s' (the local '%s' of line %d cannot be seen here: "
                        "declare it where both can see it)",
                        name, name, line);
    }
    lint_rules_report(scan);
    lua_settop(L, TOP);
}

static bool is_declared(struct lint_walk *walk, const char *name) // [-0, +0, m]
{
    bool there = lint_rules_raw_field(walk->L, GLOBALS, name) != LUA_TNIL;
    lua_pop(walk->L, 1);
    return there || lint_rules_noted(walk, DECLARED, name) ||
           strict_globals_declared(walk->L, name);
}

static void assign_global(struct scan *scan, const char *name) // [-0, +0, m]
{
    if (scan->outer == NULL)
        lint_rules_note(scan->walk, DECLARED, name);
    else if (scan->walk->reporting && !is_declared(scan->walk, name))
        report_global(scan, name, true);
}

// ---- tables ----

static bool is_library(struct lint_walk *walk, const char *name) // [-0, +0, m]
{
    bool table = lint_rules_raw_field(walk->L, LOADED, name) == LUA_TTABLE;
    lint_rules_raw_field(walk->L, GLOBALS, name);
    bool same = table && lua_rawequal(walk->L, -1, -2);
    lua_pop(walk->L, 2);
    return same;
}

// Pushes the table of a path, or nil. // [-0, +1, m]
static bool push_table(struct lint_walk *walk, const struct mark *mark)
{
    lua_State *L = walk->L;
    lua_pushvalue(L, LOADED);
    for (int i = 0; i < mark->depth; i++) {
        if (lua_istable(L, -1))
            lint_rules_raw_field(L, -1, mark->names[i]);
        else
            lua_pushnil(L);
        lua_remove(L, -2);
    }
    return lua_istable(L, -1);
}

static struct mark extend(const struct mark *mark, enum mark_kind kind, const char *name)
{
    struct mark longer = *mark;
    if (longer.depth == PATH)
        return (struct mark){.kind = MARK_NONE};
    longer.kind = kind;
    longer.names[longer.depth++] = name;
    return longer;
}

static int l_get(lua_State *L) // (table, name) -> value
{
    lua_gettable(L, 1);
    return 1;
}

// If reading that name raises, the error is the finding. The table is at the top.
// [-0, +0, m]
static void try_to_read(struct scan *scan, const char *name)
{
    lua_State *L = scan->walk->L;
    lua_pushcfunction(L, l_get);
    lua_pushvalue(L, -2);
    lua_pushstring(L, name);
    if (protect_pcall(L, 2, 1, 0, 0, NULL) != LUA_OK && lua_isstring(L, -1))
        lint_rules_report(scan);
    else
        lua_pop(L, 1);
}

// True for a module of the host, which may be read: what a read of another module does is unknown.
static bool is_host_module(struct lint_walk *walk, const struct mark *mark) // [-0, +0, m]
{
    lua_State *L = walk->L;
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    bool host = mark->depth == 1 && lint_rules_raw_field(L, -1, mark->names[0]) != LUA_TNIL;
    lua_settop(L, TOP);
    return host;
}

// True if a key that the table at the top lacks reads as nil: for a library of Lua, and for a table
// without __index. // [-0, +0, m]
static bool is_plain(struct lint_walk *walk, const struct mark *mark)
{
    if (luaL_getmetafield(walk->L, -1, "__index") == LUA_TNIL)
        return true;
    lua_pop(walk->L, 1);
    return mark->depth == 1 && is_library(walk, mark->names[0]);
}

static struct mark read_member(struct scan *scan, const struct mark *mark, const char *name)
{
    lua_State *L = scan->walk->L;
    struct mark result = {.kind = MARK_NONE};
    bool host = is_host_module(scan->walk, mark);
    if (push_table(scan->walk, mark)) {
        int type = lint_rules_raw_field(L, -1, name);
        bool missing = sandbox_is_missing(L, -1);
        lua_pop(L, 1);
        bool plain = is_plain(scan->walk, mark);
        if (type == LUA_TTABLE)
            result = extend(mark, MARK_TABLE, name);
        else if (type == LUA_TFUNCTION && !missing)
            result = extend(mark, MARK_FUNCTION, name);
        else if (missing || (type == LUA_TNIL && plain))
            result = extend(mark, MARK_MISSING, name);
        else if (type == LUA_TNIL && host)
            try_to_read(scan, name);
    }
    lua_settop(L, TOP);
    return result;
}

static struct mark read_object(struct scan *scan, const struct mark *mark, const char *name)
{
    lua_State *L = scan->walk->L;
    lua_rawgeti(L, OBJECTS, mark->object);
    try_to_read(scan, name);
    lua_settop(L, TOP);
    return (struct mark){.kind = MARK_FIELD, .names = {name}, .object = mark->object};
}

// The methods of a list.
static struct mark read_list(struct scan *scan, const struct mark *mark, const char *name)
{
    lua_State *L = scan->walk->L;
    bool methods = lua_rawgeti(L, LISTS, mark->object) != LUA_TNIL;
    if (methods)
        try_to_read(scan, name);
    lua_settop(L, TOP);
    return (struct mark){
        .kind = methods ? MARK_METHOD : MARK_NONE, .names = {name}, .object = mark->object};
}

void lint_rules_compare(struct scan *scan, const struct mark *mark, const char *text)
{
    struct lint_walk *walk = scan->walk;
    if (mark->kind != MARK_FIELD || text == NULL || !walk->reporting)
        return;
    const struct lint_parameter *row = lint_rules_row(scan, mark);
    if (row->never != NULL && row->never(walk->L, row->type, mark->names[0], text))
        lint_rules_report(scan);
    lua_settop(walk->L, TOP);
}

static const char *path_text(lua_State *L, const struct mark *mark, int depth) // [-0, +1, m]
{
    lua_pushliteral(L, "");
    for (int i = 0; i < depth; i++) {
        lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), i ? "." : "", mark->names[i]);
        lua_remove(L, -2);
    }
    return lua_tostring(L, -1);
}

// The text that the sandbox's function raises when it is called. // [-0, +1|0, m]
static bool push_sandbox_text(struct lint_walk *walk, const struct mark *mark)
{
    lua_State *L = walk->L;
    struct mark table = *mark;
    table.depth--;
    if (table.depth == 0)
        lua_pushvalue(L, GLOBALS);
    if (table.depth > 0 && !push_table(walk, &table))
        return false;
    lint_rules_raw_field(L, -1, mark->names[mark->depth - 1]);
    return sandbox_is_missing(L, -1) && protect_pcall(L, 0, 0, 0, 0, NULL) != LUA_OK;
}

static void push_missing_text(struct lint_walk *walk, const struct mark *mark) // [-0, +1, m]
{
    lua_State *L = walk->L;
    const char *name = mark->names[mark->depth - 1];
    struct mark table = *mark;
    table.depth--;
    push_table(walk, &table);
    const char *near = strict_globals_nearest_key(L, -1, name);
    const char *whole = path_text(L, mark, mark->depth);
    if (near != NULL)
        lua_pushfstring(L, "%s is nil: no '%s' is there (did you mean '%s'?)", whole, name, near);
    else
        lua_pushfstring(L, "%s is nil: no '%s' is there", whole, name);
}

void lint_rules_use_missing(struct scan *scan, const struct mark *mark)
{
    struct lint_walk *walk = scan->walk;
    if (!walk->reporting)
        return;
    bool sandboxed = push_sandbox_text(walk, mark);
    if (!sandboxed && lint_rules_noted(walk, ASSIGNED, mark->names[mark->depth - 1])) {
        lua_settop(walk->L, TOP);
        return;
    }
    if (!sandboxed)
        push_missing_text(walk, mark);
    lint_rules_report(scan);
    lua_settop(walk->L, TOP);
}

// ---- require ----

// True if a searcher knows the module; otherwise pushes why not. What the searcher for Lua files
// reads becomes one of the files.
// [-0, +1, m]
static bool search(lua_State *L, const char *name)
{
    lua_getglobal(L, "package");
    lint_rules_raw_field(L, -1, "searchers");
    lua_remove(L, -2);
    lua_Integer count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_pushstring(L, name);
        bool failed = protect_pcall(L, 1, 1, 0, 0, NULL) != LUA_OK;
        if (failed || lua_isfunction(L, -1))
            return !failed;
        lua_pop(L, 1);
    }
    const char *near = strncmp(name, "mesos.", 6) == 0 ? library_nearest(name) : NULL;
    lua_pushfstring(L, "module '%s' not found, neither beside the script nor in package.path%s%s%s",
                    name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    return false;
}

struct mark lint_rules_require(struct scan *scan, const char *name)
{
    struct lint_walk *walk = scan->walk;
    lua_State *L = walk->L;
    if (!walk->reporting && !lint_rules_noted(walk, LOADED, name) &&
        !lint_rules_noted(walk, REQUIRED, name)) {
        if (search(L, name))
            lua_pushboolean(L, 1);
        lua_setfield(L, REQUIRED, name);
    } else if (walk->reporting && !lint_rules_noted(walk, LOADED, name)) {
        if (lua_getfield(L, REQUIRED, name) == LUA_TSTRING)
            lint_rules_report(scan);
    }
    lua_settop(L, TOP);
    struct mark path = {.depth = 0};
    return extend(&path, MARK_TABLE, name);
}

// ---- reading and writing ----

static struct mark read_global(struct scan *scan, const char *name)
{
    struct lint_walk *walk = scan->walk;
    lua_State *L = walk->L;
    struct mark path = {.depth = 0};
    // A file that is written for several versions of Lua tests whether such a name is there.
    walk->file->versions = walk->file->versions || strcmp(name, "_VERSION") == 0;
    bool several = scan->outer == NULL || walk->file->versions;
    bool portable = several && strict_globals_foreign(name) != NULL;
    if (walk->reporting && !portable && !is_declared(walk, name))
        report_global(scan, name, false);
    if (strcmp(name, "_G") == 0 && is_library(walk, name))
        return (struct mark){.kind = MARK_GLOBALS};
    if (is_library(walk, name))
        return extend(&path, MARK_TABLE, name);
    lint_rules_raw_field(L, GLOBALS, name);
    bool missing = sandbox_is_missing(L, -1), function = lua_iscfunction(L, -1);
    lua_pop(L, 1);
    if (missing)
        return extend(&path, MARK_MISSING, name);
    if (function && strcmp(name, "require") == 0)
        return (struct mark){.kind = MARK_REQUIRE};
    if (function && strcmp(name, "ipairs") == 0)
        return (struct mark){.kind = MARK_IPAIRS};
    if (function)
        return extend(&path, MARK_FUNCTION, name);
    return (struct mark){.kind = MARK_NONE};
}

struct mark lint_rules_read(struct scan *scan, const struct mark *from, const char *name)
{
    if (name != NULL && from->kind == MARK_GLOBALS)
        return read_global(scan, name);
    if (name != NULL && from->kind == MARK_TABLE)
        return read_member(scan, from, name);
    if (name != NULL && from->kind == MARK_OBJECT)
        return read_object(scan, from, name);
    if (name != NULL && from->kind == MARK_LIST)
        return read_list(scan, from, name);
    if (from->kind == MARK_MISSING)
        lint_rules_use_missing(scan, from);
    return (struct mark){.kind = MARK_NONE};
}

void lint_rules_write(struct scan *scan, const struct mark *to, const char *name)
{
    if (name != NULL && to->kind == MARK_GLOBALS)
        assign_global(scan, name);
    else if (name != NULL)
        lint_rules_note(scan->walk, ASSIGNED, name);
}
