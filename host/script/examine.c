// SPDX-License-Identifier: Apache-2.0
//
// The examination: see examine.h. Each function is walked from its first instruction to its last,
// once, with a mark on each register that is known to hold something: the globals, a text, a table
// that is there since the script was loaded, or something that is missing. Where a jump leads in,
// marks that depend on the way are dropped (bytecode.h), so that a mark is right however the
// instruction was reached. A variable of a function around counts if nothing assigns to it again.
//
// All files are walked twice: the first time to note what they declare and assign, the second time
// to find. Lua values are looked up on the way, so that this runs in a protected call; what is
// allocated meanwhile belongs to the examination, which outlives it.

#include "script/examine.h"

#include "base/memory.h"
#include "script/bytecode.h"
#include "script/sandbox.h"
#include "script/world.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

enum {
    REGISTERS = 256,
    PATH = 3,               // names of a path, such as mesos.log.info
    NESTED = 40,            // functions within functions
    NAMES = 255,            // that may have been meant
    DUMP_MOST = 64 << 20,   // bytes of a compiled file
    FINDING_MOST = 4 << 10, // bytes
};

struct finding {
    struct finding *next;
    const char *file;
    int line;
    char text[];
};

struct file {
    char *path;
    struct bytecode *bytecode; // NULL: it is not looked at
    bool versions;             // it asks which Lua this is
};

struct examination {
    struct script *script;
    struct file *files;
    size_t file_count;
    struct buffer dump;
    struct finding *findings, **last;
    size_t found;
    const struct examine_parameter *parameters;
    void *data;
};

// Stack slots of the call.
enum { SELF = 1, DECLARED, ASSIGNED, REBOUND, REQUIRED, LOADED, GLOBALS, OBJECTS, TOP = OBJECTS };

enum mark_kind {
    MARK_NONE,
    MARK_GLOBALS,
    MARK_TEXT,    // names[0]
    MARK_REQUIRE, // the function
    MARK_TABLE,   // of package.loaded, by its path
    MARK_MISSING, // not in the table of that path
    MARK_OBJECT,  // one that the host would give
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

struct walk {
    struct examination *this;
    lua_State *L;
    struct file *file;
    bool reporting;
    int depth;
};

struct scan {
    struct walk *walk;
    struct scan *outer;
    const struct bytecode_function *function;
    size_t at;
    struct mark registers[REGISTERS];
    struct mark upvalues[REGISTERS];
};

// ---- findings ----

// The text at the top. // [-1, +0, -]
static void report_text(struct scan *scan)
{
    struct examination *this = scan->walk->this;
    lua_State *L = scan->walk->L;
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    length = length < FINDING_MOST ? length : FINDING_MOST;
    if (scan->walk->reporting && this->found++ < EXAMINE_MOST) {
        struct finding *finding = memory_new(sizeof *finding + length + 1);
        memcpy(finding->text, text, length);
        finding->file = scan->walk->file->path;
        finding->line = scan->function->lines[scan->at];
        *this->last = finding;
        this->last = &finding->next;
    }
    lua_pop(L, 1);
}

// ---- sets of names ----

static void note(struct walk *walk, int set, const char *name) // [-0, +0, m]
{
    lua_pushboolean(walk->L, 1);
    lua_setfield(walk->L, set, name);
}

static bool noted(struct walk *walk, int set, const char *name) // [-0, +0, m]
{
    bool found = lua_getfield(walk->L, set, name) != LUA_TNIL;
    lua_pop(walk->L, 1);
    return found;
}

// The value of a table, past any metamethod. // [-0, +1, m]
static int raw_field(lua_State *L, int table, const char *name)
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
        globals_push_complaint(L, name, visible, assigned);
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
    report_text(scan);
    lua_settop(L, TOP);
}

static bool is_declared(struct walk *walk, const char *name) // [-0, +0, m]
{
    bool there = raw_field(walk->L, GLOBALS, name) != LUA_TNIL;
    lua_pop(walk->L, 1);
    return there || noted(walk, DECLARED, name) || globals_declared(walk->L, name);
}

static void assign_global(struct scan *scan, const char *name) // [-0, +0, m]
{
    if (scan->outer == NULL)
        note(scan->walk, DECLARED, name);
    else if (scan->walk->reporting && !is_declared(scan->walk, name))
        report_global(scan, name, true);
}

// ---- tables ----

static bool is_library(struct walk *walk, const char *name) // [-0, +0, m]
{
    bool table = raw_field(walk->L, LOADED, name) == LUA_TTABLE;
    raw_field(walk->L, GLOBALS, name);
    bool same = table && lua_rawequal(walk->L, -1, -2);
    lua_pop(walk->L, 2);
    return same;
}

// Pushes the table of a path, or nil. // [-0, +1, m]
static bool push_table(struct walk *walk, const struct mark *mark)
{
    lua_State *L = walk->L;
    lua_pushvalue(L, LOADED);
    for (int i = 0; i < mark->depth; i++) {
        if (lua_istable(L, -1))
            raw_field(L, -1, mark->names[i]);
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

// Would reading it raise? Then what it raises is found. The table is at the top.
// [-0, +0, m]
static void try_to_read(struct scan *scan, const char *name)
{
    lua_State *L = scan->walk->L;
    lua_pushcfunction(L, l_get);
    lua_pushvalue(L, -2);
    lua_pushstring(L, name);
    if (protect_pcall(L, 2, 1, 0, 0, NULL) != LUA_OK && lua_isstring(L, -1))
        report_text(scan);
    else
        lua_pop(L, 1);
}

// Only a module of the host is asked: what others do when they are is not known.
static bool is_host_module(struct walk *walk, const struct mark *mark) // [-0, +0, m]
{
    lua_State *L = walk->L;
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    bool host = mark->depth == 1 && raw_field(L, -1, mark->names[0]) != LUA_TNIL;
    lua_settop(L, TOP);
    return host;
}

// Is what is not in the table at the top nil? It is for a library of Lua, and for what else has no
// metamethod. // [-0, +0, m]
static bool is_plain(struct walk *walk, const struct mark *mark)
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
        int type = raw_field(L, -1, name);
        bool missing = sandbox_is_missing(L, -1);
        lua_pop(L, 1);
        bool plain = is_plain(scan->walk, mark);
        if (type == LUA_TTABLE)
            result = extend(mark, MARK_TABLE, name);
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
    return (struct mark){.kind = MARK_NONE};
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

// The function of the sandbox says it itself, when it is called. // [-0, +1|0, m]
static bool push_sandbox_text(struct walk *walk, const struct mark *mark)
{
    lua_State *L = walk->L;
    struct mark table = *mark;
    table.depth--;
    if (table.depth == 0)
        lua_pushvalue(L, GLOBALS);
    if (table.depth > 0 && !push_table(walk, &table))
        return false;
    raw_field(L, -1, mark->names[mark->depth - 1]);
    return sandbox_is_missing(L, -1) && protect_pcall(L, 0, 0, 0, 0, NULL) != LUA_OK;
}

static void push_missing_text(struct walk *walk, const struct mark *mark) // [-0, +1, m]
{
    lua_State *L = walk->L;
    const char *name = mark->names[mark->depth - 1];
    struct mark table = *mark;
    table.depth--;
    push_table(walk, &table);
    const char *near = globals_nearest_key(L, -1, name);
    const char *whole = path_text(L, mark, mark->depth);
    if (near != NULL)
        lua_pushfstring(L, "%s is nil: no '%s' is there (did you mean '%s'?)", whole, name, near);
    else
        lua_pushfstring(L, "%s is nil: no '%s' is there", whole, name);
}

// What is missing is called or indexed. Somebody may put it there later, or has looked first.
// [-0, +0, m]
static void use_missing(struct scan *scan, const struct mark *mark)
{
    struct walk *walk = scan->walk;
    if (!walk->reporting)
        return;
    bool sandboxed = push_sandbox_text(walk, mark);
    if (!sandboxed && noted(walk, ASSIGNED, mark->names[mark->depth - 1])) {
        lua_settop(walk->L, TOP);
        return;
    }
    if (!sandboxed)
        push_missing_text(walk, mark);
    report_text(scan);
    lua_settop(walk->L, TOP);
}

// ---- require ----

// Does a searcher know the module? What the one for Lua files reads becomes one of the files.
// [-0, +1, m]
static bool search(lua_State *L, const char *name)
{
    lua_getglobal(L, "package");
    raw_field(L, -1, "searchers");
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
    lua_pushfstring(L, "module '%s' not found, neither beside the script nor in package.path",
                    name);
    return false;
}

// The first time only; what the script has required is there. // [-0, +0, m]
static struct mark require_name(struct scan *scan, const char *name)
{
    struct walk *walk = scan->walk;
    lua_State *L = walk->L;
    if (!walk->reporting && !noted(walk, LOADED, name) && !noted(walk, REQUIRED, name)) {
        if (search(L, name))
            lua_pushboolean(L, 1);
        lua_setfield(L, REQUIRED, name);
    } else if (walk->reporting && !noted(walk, LOADED, name)) {
        if (lua_getfield(L, REQUIRED, name) == LUA_TSTRING)
            report_text(scan);
    }
    lua_settop(L, TOP);
    struct mark path = {.depth = 0};
    return extend(&path, MARK_TABLE, name);
}

// ---- reading and writing ----

static struct mark read_global(struct scan *scan, const char *name)
{
    struct walk *walk = scan->walk;
    lua_State *L = walk->L;
    struct mark path = {.depth = 0};
    // Whoever is made for several versions of Lua looks whether such a name is there.
    walk->file->versions = walk->file->versions || strcmp(name, "_VERSION") == 0;
    bool several = scan->outer == NULL || walk->file->versions;
    bool excused = several && globals_foreign(name) != NULL;
    if (walk->reporting && !excused && !is_declared(walk, name))
        report_global(scan, name, false);
    if (strcmp(name, "_G") == 0 && is_library(walk, name))
        return (struct mark){.kind = MARK_GLOBALS};
    if (is_library(walk, name))
        return extend(&path, MARK_TABLE, name);
    raw_field(L, GLOBALS, name);
    bool missing = sandbox_is_missing(L, -1), function = lua_iscfunction(L, -1);
    lua_pop(L, 1);
    if (missing)
        return extend(&path, MARK_MISSING, name);
    if (function && strcmp(name, "require") == 0)
        return (struct mark){.kind = MARK_REQUIRE};
    if (function && strcmp(name, "ipairs") == 0)
        return (struct mark){.kind = MARK_IPAIRS};
    return (struct mark){.kind = MARK_NONE};
}

static struct mark read_field(struct scan *scan, const struct mark *from, const char *name)
{
    if (name != NULL && from->kind == MARK_GLOBALS)
        return read_global(scan, name);
    if (name != NULL && from->kind == MARK_TABLE)
        return read_member(scan, from, name);
    if (name != NULL && from->kind == MARK_OBJECT)
        return read_object(scan, from, name);
    if (from->kind == MARK_MISSING)
        use_missing(scan, from);
    return (struct mark){.kind = MARK_NONE};
}

static void write_field(struct scan *scan, const struct mark *to, const char *name)
{
    if (name != NULL && to->kind == MARK_GLOBALS)
        assign_global(scan, name);
    else if (name != NULL)
        note(scan->walk, ASSIGNED, name);
}

// ---- instructions ----

static void set(struct scan *scan, unsigned number, struct mark mark)
{
    mark.at = scan->at;
    scan->registers[number % REGISTERS] = mark;
}

static void forget_from(struct scan *scan, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end && i < REGISTERS; i++)
        scan->registers[i].kind = MARK_NONE;
}

static const char *text_of(const struct mark *mark)
{
    return mark->kind == MARK_TEXT ? mark->names[0] : NULL;
}

static const char *constant(const struct scan *scan, unsigned number)
{
    return bytecode_text(scan->function, number);
}

static void on_move(struct scan *scan, uint32_t i)
{
    set(scan, bytecode_a(i), scan->registers[bytecode_b(i)]);
}

static void on_loadk(struct scan *scan, uint32_t i)
{
    const char *text = constant(scan, bytecode_bx(i));
    struct mark mark = {.kind = text ? MARK_TEXT : MARK_NONE, .names = {text}};
    set(scan, bytecode_a(i), mark);
}

static void on_loadnil(struct scan *scan, uint32_t i)
{
    forget_from(scan, bytecode_a(i), bytecode_a(i) + bytecode_b(i) + 1);
}

static void on_getupval(struct scan *scan, uint32_t i)
{
    set(scan, bytecode_a(i), scan->upvalues[bytecode_b(i)]);
}

static void on_setupval(struct scan *scan, uint32_t i)
{
    note(scan->walk, REBOUND, scan->function->upvalues[bytecode_b(i)].name);
}

static void on_gettabup(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->upvalues[bytecode_b(i)];
    set(scan, bytecode_a(i), read_field(scan, from, constant(scan, bytecode_c(i))));
}

static void on_gettable(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    const char *name = text_of(&scan->registers[bytecode_c(i)]);
    set(scan, bytecode_a(i), read_field(scan, from, name));
}

static void on_getfield(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    set(scan, bytecode_a(i), read_field(scan, from, constant(scan, bytecode_c(i))));
}

static struct mark element(const struct mark *list)
{
    struct mark mark = *list;
    mark.kind = MARK_OBJECT;
    return mark;
}

static void on_geti(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    struct mark nothing = {.kind = MARK_NONE};
    set(scan, bytecode_a(i), from->kind == MARK_LIST ? element(from) : nothing);
}

static void on_self(struct scan *scan, uint32_t i)
{
    const struct mark from = scan->registers[bytecode_b(i)];
    const char *name =
        bytecode_k(i) ? constant(scan, bytecode_c(i)) : text_of(&scan->registers[bytecode_c(i)]);
    set(scan, bytecode_a(i), read_field(scan, &from, name));
    set(scan, bytecode_a(i) + 1, from);
}

static void on_settabup(struct scan *scan, uint32_t i)
{
    write_field(scan, &scan->upvalues[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

static void on_settable(struct scan *scan, uint32_t i)
{
    write_field(scan, &scan->registers[bytecode_a(i)], text_of(&scan->registers[bytecode_b(i)]));
}

static void on_setfield(struct scan *scan, uint32_t i)
{
    write_field(scan, &scan->registers[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

// Whoever looks whether it is there knows what to do if it is not.
static void on_test(struct scan *scan, uint32_t i)
{
    bool testset = bytecode_operation(i) == OPERATION_TESTSET;
    const struct mark *mark = &scan->registers[testset ? bytecode_b(i) : bytecode_a(i)];
    if (mark->kind == MARK_MISSING)
        note(scan->walk, ASSIGNED, mark->names[mark->depth - 1]);
    if (testset)
        forget_from(scan, bytecode_a(i), bytecode_a(i) + 1);
}

static struct mark loop_over(const struct mark *list)
{
    struct mark mark = *list;
    mark.kind = MARK_LOOP;
    return mark;
}

static void on_call(struct scan *scan, uint32_t i)
{
    unsigned a = bytecode_a(i);
    struct mark function = scan->registers[a], argument = {.kind = MARK_NONE};
    if (bytecode_b(i) == 2 && a + 1 < REGISTERS)
        argument = scan->registers[a + 1];
    forget_from(scan, a, REGISTERS);
    if (function.kind == MARK_MISSING)
        use_missing(scan, &function);
    else if (function.kind == MARK_REQUIRE && text_of(&argument) != NULL)
        set(scan, a, require_name(scan, argument.names[0]));
    else if (function.kind == MARK_IPAIRS && argument.kind == MARK_LIST)
        set(scan, a, loop_over(&argument));
}

static void on_loop(struct scan *scan, uint32_t i)
{
    forget_from(scan, bytecode_a(i), REGISTERS);
}

// The second variable of a loop is the element; the body is in front of the call that gives it.
static void on_tforprep(struct scan *scan, uint32_t i)
{
    enum { ELEMENT = 5 };
    struct mark loop = scan->registers[bytecode_a(i)];
    forget_from(scan, bytecode_a(i), REGISTERS);
    if (loop.kind == MARK_LOOP)
        set(scan, bytecode_a(i) + ELEMENT, element(&loop));
}

static void walk_function(struct scan *scan);

// Does nothing behind this instruction assign to the variable in that register?
static bool stays(const struct scan *scan, unsigned number)
{
    const struct bytecode_function *function = scan->function;
    const struct bytecode_local *local = bytecode_local(function, number, scan->at);
    return local != NULL && !noted(scan->walk, REBOUND, local->name) &&
           !bytecode_changes(function, number, scan->at + 1, local->end);
}

static struct mark captured(const struct scan *scan, const struct bytecode_upvalue *upvalue)
{
    struct mark nothing = {.kind = MARK_NONE};
    if (!upvalue->in_stack)
        return scan->upvalues[upvalue->index];
    const struct mark *mark = &scan->registers[upvalue->index % REGISTERS];
    return mark->kind != MARK_NONE && stays(scan, upvalue->index) ? *mark : nothing;
}

static void on_closure(struct scan *scan, uint32_t i)
{
    struct scan inner = {
        .walk = scan->walk, .outer = scan, .function = &scan->function->inner[bytecode_bx(i)]};
    forget_from(scan, bytecode_a(i), bytecode_a(i) + 1);
    for (size_t n = 0; n < inner.function->upvalue_count && n < REGISTERS; n++)
        inner.upvalues[n] = captured(scan, &inner.function->upvalues[n]);
    if (scan->walk->depth < NESTED)
        walk_function(&inner);
}

static void (*const steps[OPERATIONS])(struct scan *scan, uint32_t instruction) = {
    [OPERATION_MOVE] = on_move,         [OPERATION_LOADK] = on_loadk,
    [OPERATION_LOADNIL] = on_loadnil,   [OPERATION_GETUPVAL] = on_getupval,
    [OPERATION_SETUPVAL] = on_setupval, [OPERATION_GETTABUP] = on_gettabup,
    [OPERATION_GETTABLE] = on_gettable, [OPERATION_GETI] = on_geti,
    [OPERATION_GETFIELD] = on_getfield, [OPERATION_SETTABUP] = on_settabup,
    [OPERATION_SETTABLE] = on_settable, [OPERATION_SETFIELD] = on_setfield,
    [OPERATION_SELF] = on_self,         [OPERATION_TEST] = on_test,
    [OPERATION_TESTSET] = on_test,      [OPERATION_CALL] = on_call,
    [OPERATION_TAILCALL] = on_call,     [OPERATION_FORLOOP] = on_loop,
    [OPERATION_FORPREP] = on_loop,      [OPERATION_TFORPREP] = on_tforprep,
    [OPERATION_TFORCALL] = on_loop,     [OPERATION_TFORLOOP] = on_loop,
    [OPERATION_CLOSURE] = on_closure,   [OPERATION_VARARG] = on_loop,
};

static void drop_unsure(struct scan *scan)
{
    size_t first = scan->function->unsure[scan->at], end = scan->function->loop_end[scan->at];
    if (first == scan->function->length && end == 0)
        return;
    for (unsigned i = 0; i < REGISTERS; i++) {
        struct mark *mark = &scan->registers[i];
        if (mark->kind != MARK_NONE &&
            (mark->at >= first || bytecode_changes(scan->function, i, scan->at, end + 1)))
            mark->kind = MARK_NONE;
    }
}

// Does another function begin on that line, so that they cannot be told apart?
static bool is_only_one(const struct bytecode_function *function, int line)
{
    const struct bytecode_function *outer = function->outer;
    size_t count = 0;
    for (size_t i = 0; outer != NULL && i < outer->inner_count; i++)
        count += outer->inner[i].line == line;
    return count == 1;
}

// Is it the function of that name in the script's table? // [-0, +0, m]
static bool is_callback(struct scan *scan, const char *name)
{
    lua_State *L = scan->walk->L;
    lua_Debug ar = {.linedefined = -1};
    script_result(scan->walk->this->script, L);
    if (lua_istable(L, -1) && raw_field(L, -1, name) == LUA_TFUNCTION)
        lua_getinfo(L, ">S", &ar);
    lua_settop(L, TOP);
    return ar.linedefined == scan->function->line && *ar.source == '@' &&
           strcmp(ar.source + 1, scan->walk->file->path) == 0 &&
           is_only_one(scan->function, scan->function->line);
}

// What it is given is there before the first instruction. // [-0, +0, m]
static void mark_parameters(struct scan *scan)
{
    const struct examine_parameter *rows = scan->walk->this->parameters;
    for (size_t i = 0; rows != NULL && rows[i].function != NULL; i++) {
        if (rows[i].place >= scan->function->parameters || !is_callback(scan, rows[i].function))
            continue;
        scan->registers[rows[i].place].kind = rows[i].list ? MARK_LIST : MARK_OBJECT;
        scan->registers[rows[i].place].object = (lua_Integer)i + 1;
    }
}

static void walk_function(struct scan *scan)
{
    const struct bytecode_function *function = scan->function;
    scan->walk->depth++;
    luaL_checkstack(scan->walk->L, LUA_MINSTACK, "an examination");
    mark_parameters(scan);
    for (scan->at = 0; scan->at < function->length; scan->at++) {
        uint32_t instruction = function->code[scan->at];
        void (*step)(struct scan *, uint32_t) = steps[bytecode_operation(instruction)];
        drop_unsure(scan);
        if (step != NULL)
            step(scan, instruction);
        else if (bytecode_sets_a(instruction))
            forget_from(scan, bytecode_a(instruction), bytecode_a(instruction) + 1);
    }
    scan->walk->depth--;
}

// ---- files ----

static int on_piece(lua_State *L, const void *data, size_t length, void *buffer)
{
    (void)L;
    return buffer_append(buffer, data, length) ? 0 : 1;
}

// Other people's modules are not the author's to mend.
static bool is_own(const struct script *script, const struct source *source)
{
    const char *slash = strrchr(script->path, '/');
    size_t length = slash ? (size_t)(slash - script->path) + 1 : 0;
    return source->text != NULL && strncmp(source->path, script->path, length) == 0 &&
           (length > 0 || *source->path != '/');
}

static void add_file(struct examination *this, const char *path, struct bytecode *bytecode)
{
    size_t count = this->file_count + 1;
    this->files = memory_resize(this->files, count * sizeof *this->files);
    this->files[this->file_count++] =
        (struct file){.path = memory_string(path), .bytecode = bytecode};
}

// Compiles what was read, without running it. // [-0, +0, m]
static void compile(struct examination *this, lua_State *L, const struct source *source)
{
    struct bytecode *bytecode = NULL;
    buffer_clear(&this->dump);
    if (is_own(this->script, source) && modules_load(L, source) == LUA_OK &&
        lua_dump(L, on_piece, &this->dump, 0) == 0)
        bytecode = bytecode_read(buffer_slice(&this->dump), NULL);
    add_file(this, source->path, bytecode);
    lua_settop(L, TOP);
}

static bool walk_file(struct examination *this, lua_State *L, size_t i, bool reporting)
{
    struct walk walk = {.this = this, .L = L, .file = &this->files[i], .reporting = reporting};
    if (walk.file->bytecode == NULL)
        return true;
    struct scan scan = {.walk = &walk, .function = bytecode_main(walk.file->bytecode)};
    scan.upvalues[0].kind = MARK_GLOBALS;
    walk_function(&scan);
    return !noted(&walk, REBOUND, "_ENV");
}

// The list of sources grows on the way.
static bool read_files(struct examination *this, lua_State *L)
{
    bool usual = true;
    for (size_t i = 0; i < sources_count(this->script->sources); i++) {
        compile(this, L, sources_at(this->script->sources, i));
        usual = walk_file(this, L, i, false) && usual;
    }
    return usual;
}

static void push_objects(struct examination *this, lua_State *L) // [-0, +1, e]
{
    lua_newtable(L);
    for (lua_Integer i = 0; this->parameters != NULL && this->parameters[i].function; i++) {
        this->parameters[i].push(L, this->data);
        lua_rawseti(L, OBJECTS, i + 1);
    }
}

static int l_examine(lua_State *L)
{
    struct examination *this = lua_touserdata(L, SELF);
    luaL_checkstack(L, 2 * LUA_MINSTACK, "an examination");
    for (int set = DECLARED; set <= REQUIRED; set++)
        lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushglobaltable(L);
    push_objects(this, L);
    if (!globals_strict(L) || !read_files(this, L))
        return 0;
    for (size_t i = 0; i < this->file_count; i++)
        walk_file(this, L, i, true);
    return 0;
}

// ---- the face ----

static int compare(const void *a, const void *b)
{
    const struct finding *left = *(struct finding *const *)a, *right = *(struct finding *const *)b;
    int files = strcmp(left->file, right->file);
    return files != 0 ? files : (left->line > right->line) - (left->line < right->line);
}

static void tell_all(const struct examination *this, void (*tell)(const char *text))
{
    struct finding *list[EXAMINE_MOST];
    size_t count = 0;
    for (struct finding *each = this->findings; each != NULL; each = each->next)
        list[count++] = each;
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 0; i < count; i++) {
        char *text = memory_format("%s:%d: %s", list[i]->file, list[i]->line, list[i]->text);
        tell(text);
        free(text);
    }
}

static void release(struct examination *this)
{
    for (size_t i = 0; i < this->file_count; i++) {
        bytecode_free(this->files[i].bytecode);
        free(this->files[i].path);
    }
    while (this->findings != NULL) {
        struct finding *next = this->findings->next;
        free(this->findings);
        this->findings = next;
    }
    free(this->files);
    buffer_free(&this->dump);
}

size_t examine(struct script *script, const struct examine_parameter *parameters, void *data,
               void (*tell)(const char *text))
{
    struct examination this = {.script = script, .parameters = parameters, .data = data};
    this.last = &this.findings;
    buffer_init(&this.dump, DUMP_MOST);
    if (protect_run(script, l_examine, &this, 0) == PROTECT_RAISED) {
        tell(protect_text(script));
        lua_pop(script->L, 1);
        this.found++;
    }
    tell_all(&this, tell);
    size_t found = this.found;
    release(&this);
    return found;
}
