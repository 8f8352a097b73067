// SPDX-License-Identifier: Apache-2.0
//
// The walk over the code: see lint_rules.h. Each function is read once, from its first instruction
// to its last, with a mark on each register that is known to hold the globals, a text, a table that
// is there since the script was loaded, a missing value, or something else of which the rules know.
// At the target of a jump the marks that depend on the way taken are dropped (bytecode.h), so a
// mark is right however the instruction was reached. A variable of an enclosing function has a mark
// if nothing assigns to it again.

#include "script/lint_rules.h"

#include <lauxlib.h>

#include <string.h>

enum { NESTED = 40 }; // functions within functions

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
    unsigned end = bytecode_a(i) + bytecode_b(i) + 1;
    for (unsigned number = bytecode_a(i); number < end && number < REGISTERS; number++)
        set(scan, number, (struct mark){.kind = MARK_NIL});
}

static void on_loadfalse(struct scan *scan, uint32_t i)
{
    set(scan, bytecode_a(i), (struct mark){.kind = MARK_NIL});
}

static void on_getupval(struct scan *scan, uint32_t i)
{
    set(scan, bytecode_a(i), scan->upvalues[bytecode_b(i)]);
}

static void on_setupval(struct scan *scan, uint32_t i)
{
    lint_rules_note(scan->walk, REBOUND, scan->function->upvalues[bytecode_b(i)].name);
}

static struct mark read_field(struct scan *scan, const struct mark *from, const char *name)
{
    if (name != NULL && from->kind == MARK_WRITTEN)
        return lint_tables_get(scan, from, name);
    return lint_rules_read(scan, from, name);
}

static void on_gettabup(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->upvalues[bytecode_b(i)];
    set(scan, bytecode_a(i), read_field(scan, from, constant(scan, bytecode_c(i))));
}

static struct mark element(const struct mark *list)
{
    struct mark mark = *list;
    mark.kind = MARK_OBJECT;
    return mark;
}

static void on_gettable(struct scan *scan, uint32_t i)
{
    const struct mark from = scan->registers[bytecode_b(i)];
    const struct mark *key = &scan->registers[bytecode_c(i)];
    lint_tables_read(scan, &from, key);
    if (from.kind == MARK_LIST && text_of(key) == NULL)
        set(scan, bytecode_a(i), element(&from));
    else
        set(scan, bytecode_a(i), read_field(scan, &from, text_of(key)));
}

static void on_getfield(struct scan *scan, uint32_t i)
{
    const struct mark *from = &scan->registers[bytecode_b(i)];
    set(scan, bytecode_a(i), read_field(scan, from, constant(scan, bytecode_c(i))));
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
    lint_rules_write(scan, &scan->upvalues[bytecode_a(i)], constant(scan, bytecode_b(i)));
}

// A register or, with k, a constant.
static struct mark value_of(const struct scan *scan, uint32_t i)
{
    if (!bytecode_k(i))
        return scan->registers[bytecode_c(i)];
    const char *text = constant(scan, bytecode_c(i));
    return (struct mark){.kind = text ? MARK_TEXT : MARK_NONE, .names = {text}};
}

static bool is_nil(const struct scan *scan, uint32_t i)
{
    return bytecode_k(i) && bytecode_is_nil(scan->function, bytecode_c(i));
}

static void set_field(struct scan *scan, uint32_t i, const char *name)
{
    const struct mark *table = &scan->registers[bytecode_a(i)];
    const struct mark value = value_of(scan, i);
    lint_rules_write(scan, table, name);
    lint_tables_set(scan, table, name, &value, is_nil(scan, i));
}

static void on_settable(struct scan *scan, uint32_t i)
{
    set_field(scan, i, text_of(&scan->registers[bytecode_b(i)]));
}

static void on_setfield(struct scan *scan, uint32_t i)
{
    set_field(scan, i, constant(scan, bytecode_b(i)));
}

static void on_seti(struct scan *scan, uint32_t i)
{
    set_field(scan, i, NULL);
}

static void on_newtable(struct scan *scan, uint32_t i)
{
    set(scan, bytecode_a(i), lint_tables_new(scan));
}

// B values, or all up to the end of those that were returned.
static void on_setlist(struct scan *scan, uint32_t i)
{
    unsigned a = bytecode_a(i), count = bytecode_b(i) > 0 ? bytecode_b(i) : REGISTERS;
    for (unsigned n = 1; n <= count && a + n < REGISTERS; n++)
        lint_tables_add(scan, &scan->registers[a], &scan->registers[a + n]);
}

// Beside a table a function may return nil or false, which are not passed on as tables are.
static void on_return(struct scan *scan, uint32_t i)
{
    const struct mark *value = &scan->registers[bytecode_a(i)];
    bool nothing = bytecode_operation(i) == OPERATION_RETURN && bytecode_b(i) == 1;
    bool known = value->kind == MARK_WRITTEN;
    if (nothing || value->kind == MARK_NIL)
        return;
    if (known && scan->returned.kind == MARK_NONE && !scan->returns_several) {
        scan->returned = *value;
    } else if (!known || value->object != scan->returned.object) {
        scan->returns_several = true;
        scan->returned.kind = MARK_NONE;
    }
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

static void on_loop(struct scan *scan, uint32_t i)
{
    forget_from(scan, bytecode_a(i), REGISTERS);
}

// The second variable of a loop with ipairs is the element, the first with an iterator of the host;
// the body is in front of the call that gives it.
static void on_tforprep(struct scan *scan, uint32_t i)
{
    enum { VALUE = 4, ELEMENT = 5 };
    struct mark loop = scan->registers[bytecode_a(i)];
    forget_from(scan, bytecode_a(i), REGISTERS);
    if (loop.kind == MARK_LOOP)
        set(scan, bytecode_a(i) + ELEMENT, element(&loop));
    else if (loop.kind == MARK_VALUES)
        set(scan, bytecode_a(i) + VALUE, element(&loop));
}

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
        lint_code_walk(&inner);
    if (inner.returned.kind == MARK_WRITTEN) {
        inner.returned.kind = MARK_CLOSURE;
        set(scan, bytecode_a(i), inner.returned);
    }
}

static void (*const steps[OPERATIONS])(struct scan *scan, uint32_t instruction) = {
    [OPERATION_MOVE] = on_move,
    [OPERATION_LOADK] = on_loadk,
    [OPERATION_LOADFALSE] = on_loadfalse,
    [OPERATION_LOADNIL] = on_loadnil,
    [OPERATION_GETUPVAL] = on_getupval,
    [OPERATION_SETUPVAL] = on_setupval,
    [OPERATION_GETTABUP] = on_gettabup,
    [OPERATION_GETTABLE] = on_gettable,
    [OPERATION_GETI] = on_geti,
    [OPERATION_GETFIELD] = on_getfield,
    [OPERATION_SETTABUP] = on_settabup,
    [OPERATION_SETTABLE] = on_settable,
    [OPERATION_SETFIELD] = on_setfield,
    [OPERATION_SELF] = on_self,
    [OPERATION_EQ] = on_eq,
    [OPERATION_EQK] = on_eqk,
    [OPERATION_TEST] = on_test,
    [OPERATION_TESTSET] = on_test,
    [OPERATION_CALL] = lint_calls_call,
    [OPERATION_TAILCALL] = lint_calls_call,
    [OPERATION_FORLOOP] = on_loop,
    [OPERATION_FORPREP] = on_loop,
    [OPERATION_TFORPREP] = on_tforprep,
    [OPERATION_TFORCALL] = on_loop,
    [OPERATION_TFORLOOP] = on_loop,
    [OPERATION_CLOSURE] = on_closure,
    [OPERATION_VARARG] = on_loop,
    [OPERATION_NEWTABLE] = on_newtable,
    [OPERATION_SETI] = on_seti,
    [OPERATION_SETLIST] = on_setlist,
    [OPERATION_RETURN] = on_return,
    [OPERATION_RETURN1] = on_return,
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
    if (first < scan->function->length)
        lint_tables_drop(scan, first);
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
    const struct lint_parameter *rows = scan->walk->lint->world->parameters;
    for (size_t i = 0; rows != NULL && rows[i].function != NULL; i++) {
        if (*rows[i].function == '\0' || rows[i].index >= scan->function->parameters ||
            !is_callback(scan, rows[i].function))
            continue;
        scan->registers[rows[i].index].kind = rows[i].list ? MARK_LIST : MARK_OBJECT;
        scan->registers[rows[i].index].object = (lua_Integer)i + 1;
    }
}

void lint_code_walk(struct scan *scan)
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
