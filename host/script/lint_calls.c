// SPDX-License-Identifier: Apache-2.0
//
// Calls, as far as the function is known: one of the host, whose arguments have a shape and which
// may return an object or a list of objects, one of Lua's that changes no table, or one of the
// script that returns a table. See lint_rules.h.

#include "script/lint_rules.h"

#include <string.h>

// Functions of Lua that leave a table as it is.
static const char *const harmless[][2] = {
    {"ipairs"},          {"pairs"},           {"next"},
    {"print"},           {"tostring"},        {"type"},
    {"select"},          {"rawlen"},          {"rawget"},
    {"table", "unpack"}, {"table", "concat"}, {"table", "sort"},
    {"table", "pack"},   {"assert"},          {"setmetatable"},
    {"table", "insert"}, {"string", "format"}};

enum { FIRST = 1, SELF_FIRST = 2 }; // the place of the first argument behind the function

struct lint_call {
    struct scan *scan;
    struct mark function;
    unsigned a, given; // its register; arguments that are known by number, SIZE_MAX: open
};

static const struct mark *argument(const struct lint_call *call, unsigned place)
{
    static const struct mark nothing = {.kind = MARK_NONE};
    bool there = place <= call->given && call->a + place < REGISTERS;
    return there ? &call->scan->registers[call->a + place] : &nothing;
}

// ---- functions of the host ----

static bool is_method(const struct lint_call *call, const struct lint_method *method)
{
    const struct mark *function = &call->function;
    if (function->kind == MARK_FUNCTION)
        return function->depth == 2 && !method->of_list &&
               strcmp(function->names[0], method->of) == 0 &&
               strcmp(function->names[1], method->name) == 0;
    const struct lint_parameter *row = lint_rules_row(call->scan, function);
    return method->of_list == (function->kind == MARK_METHOD) && row->sample != NULL &&
           strcmp(row->sample, method->of) == 0 && strcmp(function->names[0], method->name) == 0;
}

static const struct lint_method *find_method(const struct lint_call *call)
{
    enum mark_kind kind = call->function.kind;
    const struct lint_method *method = call->scan->walk->lint->world->methods;
    if (method == NULL || (kind != MARK_FUNCTION && kind != MARK_FIELD && kind != MARK_METHOD))
        return NULL;
    for (; method->of != NULL; method++)
        if (is_method(call, method))
            return method;
    return NULL;
}

static void check_arguments(const struct lint_call *call, const struct lint_method *method)
{
    unsigned first = call->function.kind == MARK_FUNCTION ? FIRST : SELF_FIRST;
    for (unsigned i = 0; i < LINT_ARGUMENTS; i++)
        if (method->arguments[i].type != NULL)
            lint_tables_check(call->scan, argument(call, first + i), &method->arguments[i]);
}

// What is known of what it returns.
static struct mark result_of(const struct lint_call *call, const struct lint_method *method)
{
    static const enum mark_kind kinds[] = {[LINT_NOTHING] = MARK_NONE,
                                           [LINT_OBJECT] = MARK_OBJECT,
                                           [LINT_LIST] = MARK_LIST,
                                           [LINT_ITERATOR] = MARK_VALUES};
    const struct lint_parameter *rows = call->scan->walk->lint->world->parameters;
    for (size_t i = 0; method->sample != NULL && rows[i].function != NULL; i++)
        if (rows[i].sample != NULL && strcmp(rows[i].sample, method->sample) == 0)
            return (struct mark){.kind = kinds[method->result], .object = (lua_Integer)i + 1};
    return (struct mark){.kind = MARK_NONE};
}

// ---- functions of Lua ----

static bool is_named(const struct mark *function, const char *const names[2])
{
    int depth = names[1] != NULL ? 2 : 1;
    return function->kind == MARK_FUNCTION && function->depth == depth &&
           strcmp(function->names[0], names[0]) == 0 &&
           (depth == 1 || strcmp(function->names[1], names[1]) == 0);
}

static bool is_harmless(const struct lint_call *call)
{
    const struct mark *function = &call->function;
    if (function->kind == MARK_IPAIRS || function->kind == MARK_FIELD ||
        function->kind == MARK_METHOD ||
        (function->kind == MARK_FUNCTION && strcmp(function->names[0], "mesos") == 0))
        return true;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (is_named(function, harmless[i]))
            return true;
    return false;
}

// table.insert(list, value) or table.insert(list, place, value)
static void insert(const struct lint_call *call)
{
    static const char *const name[2] = {"table", "insert"};
    if (!is_named(&call->function, name) || call->given > 3)
        return;
    const struct mark *value = argument(call, call->given);
    if (call->given >= 2)
        lint_tables_add(call->scan, argument(call, FIRST), value);
}

static void escape_arguments(const struct lint_call *call)
{
    for (unsigned place = FIRST; call->a + place < REGISTERS && place <= call->given; place++)
        lint_tables_escape(call->scan, argument(call, place));
}

// ---- all calls ----

static struct mark loop_over(const struct mark *list)
{
    struct mark mark = *list;
    mark.kind = MARK_LOOP;
    return mark;
}

static struct mark result(const struct lint_call *call, const struct lint_method *method)
{
    static const char *const same[2] = {"setmetatable"};
    const struct mark *first = argument(call, FIRST), *function = &call->function;
    if (method != NULL)
        return result_of(call, method);
    if (function->kind == MARK_REQUIRE && first->kind == MARK_TEXT)
        return lint_rules_require(call->scan, first->names[0]);
    if (function->kind == MARK_IPAIRS && first->kind == MARK_LIST)
        return loop_over(first);
    if (function->kind == MARK_CLOSURE)
        return lint_tables_copy(call->scan, function);
    if (is_named(function, same))
        return *first;
    return (struct mark){.kind = MARK_NONE};
}

void lint_calls_call(struct scan *scan, uint32_t instruction)
{
    unsigned a = bytecode_a(instruction), b = bytecode_b(instruction);
    struct lint_call call = {.scan = scan,
                             .function = scan->registers[a % REGISTERS],
                             .a = a,
                             .given = b > 0 ? b - 1 : REGISTERS};
    const struct lint_method *method = find_method(&call);
    if (method != NULL)
        check_arguments(&call, method);
    insert(&call);
    if (!is_harmless(&call))
        escape_arguments(&call);
    struct mark returned = result(&call, method);
    if (call.function.kind == MARK_MISSING)
        lint_rules_use_missing(scan, &call.function);
    for (unsigned i = a; i < REGISTERS; i++)
        scan->registers[i].kind = MARK_NONE;
    returned.at = scan->at;
    if (a < REGISTERS)
        scan->registers[a] = returned;
}
