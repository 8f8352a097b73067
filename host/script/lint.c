// SPDX-License-Identifier: Apache-2.0
//
// The walk over the code: see lint.h. Each function is read once, from its first instruction to its
// last, with a mark (lint_rules.h) on each register that is known to hold the globals, a text, a
// table that is there since the script was loaded, or a missing value. At the target of a jump the
// marks that depend on the way taken are dropped (bytecode.h), so a mark is right however the
// instruction was reached. A variable of an enclosing function has a mark if nothing assigns to it
// again.
//
// All files are walked twice: the first time to note what they declare and assign, the second time
// to report. Lua values are looked up meanwhile, so this runs in a protected call; what is
// allocated belongs to `struct lint`, which outlives that call.

#include "script/lint.h"

#include "base/memory.h"
#include "script/lint_rules.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

enum {
    NESTED = 40,          // functions within functions
    DUMP_MOST = 64 << 20, // bytes of a compiled file
};

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
    lint_rules_note(scan->walk, REBOUND, scan->function->upvalues[bytecode_b(i)].name);
}

static void on_gettabup(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->upvalues[bytecode_b(i)];
    set(scan, bytecode_a(i), lint_rules_read(scan, from, constant(scan, bytecode_c(i))));
}

static void on_gettable(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    const char *name = text_of(&scan->registers[bytecode_c(i)]);
    set(scan, bytecode_a(i), lint_rules_read(scan, from, name));
}

static void on_getfield(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    set(scan, bytecode_a(i), lint_rules_read(scan, from, constant(scan, bytecode_c(i))));
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
    set(scan, bytecode_a(i), lint_rules_read(scan, &from, name));
    set(scan, bytecode_a(i) + 1, from);
}

static void on_settabup(struct scan *scan, uint32_t i)
{
    lint_rules_write(scan, &scan->upvalues[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

static void on_settable(struct scan *scan, uint32_t i)
{
    lint_rules_write(scan, &scan->registers[bytecode_a(i)],
                     text_of(&scan->registers[bytecode_b(i)]));
}

static void on_setfield(struct scan *scan, uint32_t i)
{
    lint_rules_write(scan, &scan->registers[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

// A script that tests a missing value expects that it may be missing.
static void on_test(struct scan *scan, uint32_t i)
{
    bool testset = bytecode_operation(i) == OPERATION_TESTSET;
    const struct mark *mark = &scan->registers[testset ? bytecode_b(i) : bytecode_a(i)];
    if (mark->kind == MARK_MISSING)
        lint_rules_note(scan->walk, ASSIGNED, mark->names[mark->depth - 1]);
    if (testset)
        forget_from(scan, bytecode_a(i), bytecode_a(i) + 1);
}

static void on_eqk(struct scan *scan, uint32_t i)
{
    lint_rules_compare(scan, &scan->registers[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

// A constant whose number is large is in a register.
static void on_eq(struct scan *scan, uint32_t i)
{
    const struct mark *left = &scan->registers[bytecode_a(i)];
    const struct mark *right = &scan->registers[bytecode_b(i)];
    lint_rules_compare(scan, left, text_of(right));
    lint_rules_compare(scan, right, text_of(left));
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
        lint_rules_use_missing(scan, &function);
    else if (function.kind == MARK_REQUIRE && text_of(&argument) != NULL)
        set(scan, a, lint_rules_require(scan, argument.names[0]));
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

// True if nothing behind this instruction assigns to the variable in that register.
static bool stays(const struct scan *scan, unsigned number)
{
    const struct bytecode_function *function = scan->function;
    const struct bytecode_local *local = bytecode_local(function, number, scan->at);
    return local != NULL && !lint_rules_noted(scan->walk, REBOUND, local->name) &&
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
    [OPERATION_SELF] = on_self,         [OPERATION_EQ] = on_eq,
    [OPERATION_EQK] = on_eqk,           [OPERATION_TEST] = on_test,
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

// False if another function begins on that line too, as the two cannot be told apart.
static bool is_only_one(const struct bytecode_function *function, int line)
{
    const struct bytecode_function *outer = function->outer;
    size_t count = 0;
    for (size_t i = 0; outer != NULL && i < outer->inner_count; i++)
        count += outer->inner[i].line == line;
    return count == 1;
}

// True if it is the function of that name in the script's table. // [-0, +0, m]
static bool is_callback(struct scan *scan, const char *name)
{
    lua_State *L = scan->walk->L;
    lua_Debug ar = {.linedefined = -1};
    script_result(scan->walk->lint->script, L);
    if (lua_istable(L, -1) && lint_rules_raw_field(L, -1, name) == LUA_TFUNCTION)
        lua_getinfo(L, ">S", &ar);
    lua_settop(L, TOP);
    return ar.linedefined == scan->function->line && *ar.source == '@' &&
           strcmp(ar.source + 1, scan->walk->file->path) == 0 &&
           is_only_one(scan->function, scan->function->line);
}

// Parameters are set before the first instruction. // [-0, +0, m]
static void mark_parameters(struct scan *scan)
{
    const struct lint_parameter *rows = scan->walk->lint->parameters;
    for (size_t i = 0; rows != NULL && rows[i].function != NULL; i++) {
        if (rows[i].index >= scan->function->parameters || !is_callback(scan, rows[i].function))
            continue;
        scan->registers[rows[i].index].kind = rows[i].list ? MARK_LIST : MARK_OBJECT;
        scan->registers[rows[i].index].object = (lua_Integer)i + 1;
    }
}

static void walk_function(struct scan *scan)
{
    const struct bytecode_function *function = scan->function;
    scan->walk->depth++;
    luaL_checkstack(scan->walk->L, LUA_MINSTACK, "the lint");
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

static void add_file(struct lint *lint, const char *path, struct bytecode *bytecode)
{
    size_t count = lint->file_count + 1;
    lint->files = memory_resize(lint->files, count * sizeof *lint->files);
    lint->files[lint->file_count++] =
        (struct lint_file){.path = memory_string(path), .bytecode = bytecode};
}

// Compiles what was read, without running it. Modules from elsewhere are not the author's to
// repair, and what is read by loadfile() may have globals of its own. // [-0, +0, m]
static void compile(struct lint *lint, lua_State *L, const struct source *source)
{
    struct bytecode *bytecode = NULL;
    buffer_clear(&lint->dump);
    bool own = modules_is_own(lint->script, source->path) && !modules_is_file(source);
    if (own && source->text != NULL && modules_load(L, source) == LUA_OK &&
        lua_dump(L, on_piece, &lint->dump, 0) == 0)
        bytecode = bytecode_read(buffer_slice(&lint->dump), NULL);
    add_file(lint, source->path, bytecode);
    lua_settop(L, TOP);
}

static bool walk_file(struct lint *lint, lua_State *L, size_t i, bool reporting)
{
    struct lint_walk walk = {.lint = lint, .L = L, .file = &lint->files[i], .reporting = reporting};
    if (walk.file->bytecode == NULL)
        return true;
    struct scan scan = {.walk = &walk, .function = bytecode_main(walk.file->bytecode)};
    scan.upvalues[0].kind = MARK_GLOBALS;
    walk_function(&scan);
    return !lint_rules_noted(&walk, REBOUND, "_ENV");
}

// The list of sources grows meanwhile. False if a file gives _ENV another value.
static bool read_files(struct lint *lint, lua_State *L)
{
    bool usual = true;
    for (size_t i = 0; i < sources_count(lint->script->sources); i++) {
        compile(lint, L, sources_at(lint->script->sources, i));
        usual = walk_file(lint, L, i, false) && usual;
    }
    return usual;
}

static void push_objects(struct lint *lint, lua_State *L) // [-0, +1, e]
{
    lua_newtable(L);
    for (lua_Integer i = 0; lint->parameters != NULL && lint->parameters[i].function; i++) {
        lint->parameters[i].push(L, lint->data);
        lua_rawseti(L, OBJECTS, i + 1);
    }
}

static int l_lint(lua_State *L)
{
    struct lint *lint = lua_touserdata(L, SELF);
    luaL_checkstack(L, 2 * LUA_MINSTACK, "the lint");
    for (int set = DECLARED; set <= REQUIRED; set++)
        lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushglobaltable(L);
    push_objects(lint, L);
    if (!strict_globals_active(L) || !read_files(lint, L))
        return 0;
    for (size_t i = 0; i < lint->file_count; i++)
        walk_file(lint, L, i, true);
    return 0;
}

// ---- the lint ----

static int compare(const void *a, const void *b)
{
    const struct finding *left = *(struct finding *const *)a, *right = *(struct finding *const *)b;
    int files = strcmp(left->file, right->file);
    return files != 0 ? files : (left->line > right->line) - (left->line < right->line);
}

static void report_all(const struct lint *lint, void (*report)(const char *text))
{
    struct finding *list[LINT_MOST];
    size_t count = 0;
    for (struct finding *each = lint->findings; each != NULL; each = each->next)
        list[count++] = each;
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 0; i < count; i++) {
        char *text = memory_format("%s:%d: %s", list[i]->file, list[i]->line, list[i]->text);
        report(text);
        free(text);
    }
}

static void release(struct lint *lint)
{
    for (size_t i = 0; i < lint->file_count; i++) {
        bytecode_free(lint->files[i].bytecode);
        free(lint->files[i].path);
    }
    while (lint->findings != NULL) {
        struct finding *next = lint->findings->next;
        free(lint->findings);
        lint->findings = next;
    }
    free(lint->files);
    buffer_free(&lint->dump);
}

size_t lint_run(struct script *script, const struct lint_parameter *parameters, void *data,
                void (*report)(const char *text))
{
    struct lint lint = {.script = script, .parameters = parameters, .data = data};
    lint.last = &lint.findings;
    buffer_init(&lint.dump, DUMP_MOST);
    if (protect_run(script, NULL, l_lint, &lint, 0) == PROTECT_RAISED) {
        report(protect_text(script));
        lua_pop(script->L, 1);
        lint.found++;
    }
    report_all(&lint, report);
    size_t found = lint.found;
    release(&lint);
    return found;
}
