// SPDX-License-Identifier: Apache-2.0
//
// An operator's code: see eval.h. Each piece of code has an environment of its own, an empty table
// whose metamethods look names up. What it prints goes into a userdata, since functions that it
// leaves behind, such as those of timers, may print after its end: then to where the script prints.

#include "bindings/lib/eval.h"

#include "base/memory.h"
#include "bindings/core/userdata.h"
#include "bindings/lib/state_table.h"
#include "bindings/message/inspect.h"
#include "bindings/scheduler/task_list.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

#define OUTPUT_TYPE "mesos.output"

static const char names; // registry: what operators named

struct output {
    struct userdata base;
    struct buffer text;
    bool cut, over;
};

struct evaluation {
    struct scheduler *scheduler; // while it is being prepared
    struct slice code;           // likewise
    struct script *script;
    struct output *output; // NULL: not made yet
    int reference;         // keeps it
    bool incomplete;
    struct deferral abandoned;
    void (*done)(void *data, const struct eval_end *end);
    void *data;
};

// ---- output ----

static void end_output(lua_State *L, struct userdata *userdata)
{
    (void)L;
    buffer_free(&((struct output *)userdata)->text);
}

static struct output *new_output(lua_State *L) // [-0, +1, m]
{
    userdata_type(L, OUTPUT_TYPE);
    lua_pop(L, 1);
    struct output *output = userdata_push(L, OUTPUT_TYPE, sizeof *output, 0, end_output);
    buffer_init(&output->text, EVAL_OUTPUT);
    return output;
}

// Output beyond the cap is dropped, and one line says so.
static void note_cut(struct output *output, bool appended)
{
    if (appended || output->cut)
        return;
    output->cut = true;
    output->text.limit += 64;
    buffer_append_text(&output->text, "\n... (more than is kept of an output)\n");
    output->text.limit = output->text.length;
}

static void print_text(struct output *output, const char *text, size_t length)
{
    note_cut(output, inspect_text(&output->text, text, length));
}

static int print_elsewhere(lua_State *L)
{
    lua_pushglobaltable(L);      // ..., globals
    lua_pushliteral(L, "print"); // ..., globals, "print"
    lua_rawget(L, -2);           // ..., globals, print
    lua_insert(L, 1);            // print, ..., globals
    lua_pop(L, 1);               // print, ...
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

static int l_print(lua_State *L)
{
    struct output *output = userdata_at(L, lua_upvalueindex(1));
    int count = lua_gettop(L);
    if (output == NULL || output->over)
        return print_elsewhere(L);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = luaL_tolstring(L, i, &length);
        print_text(output, i > 1 ? "\t" : "", i > 1);
        print_text(output, text, length);
        lua_pop(L, 1);
    }
    print_text(output, "\n", 1);
    return 0;
}

static int l_help(lua_State *L)
{
    static const char text[] =
        "An expression is shown; print(...) prints here. Names are looked for among\n"
        "  those that you assigned before;\n"
        "  the script's local variables that its callbacks use: assigning changes them;\n"
        "  the script's globals;\n"
        "  scheduler, driver, mesos, state (mesos.state).\n"
        "Such as: #driver:offers()   driver:reviveOffers()   scheduler.framework   state\n"
        "mesos.sleep and whatever else waits may be used.\n";
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, l_print, 1);
    lua_pushlstring(L, text, sizeof text - 2);
    lua_call(L, 1, 0);
    return 0;
}

// ---- local variables of the script ----

enum { FUNCTIONS_MOST = 2000 };

struct variable_search {
    lua_State *L;
    const char *name;
    int seen, waiting; // tables: the functions met, and those not looked at yet
    int first, count;  // of those that wait
};

// Puts the function at the top on the list, once. // [-1, +0, m]
static void meet(struct variable_search *search)
{
    lua_State *L = search->L;
    lua_pushvalue(L, -1);
    bool fresh = lua_rawget(L, search->seen) == LUA_TNIL && search->count < FUNCTIONS_MOST;
    lua_pop(L, 1);
    if (!fresh || lua_iscfunction(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, search->seen);
    lua_rawseti(L, search->waiting, ++search->count);
}

// Looks at the variables of the function at the top; leaves the value of the one that is wanted and
// returns its number, or 0. // [-0, +0|1, m]
static int look(struct variable_search *search)
{
    lua_State *L = search->L;
    int function = lua_gettop(L);
    const char *found;
    for (int i = 1; (found = lua_getupvalue(L, function, i)) != NULL; i++) {
        if (strcmp(found, search->name) == 0)
            return i;
        if (lua_isfunction(L, -1))
            meet(search);
        else
            lua_pop(L, 1);
    }
    return 0;
}

static void meet_all(struct variable_search *search, int table) // [-0, +0, m]
{
    lua_State *L = search->L;
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        if (lua_isfunction(L, -1))
            meet(search);
        else
            lua_pop(L, 1);
    }
}

// Finds a local variable that a function of the table at `table` uses, itself or through another
// local function. Leaves the function and the value; 0 and nothing if there is none.
// [-0, +0|2, m]
static int find_local(lua_State *L, int table, const char *name)
{
    int top = lua_gettop(L), found = 0;
    if (!lua_istable(L, table) || strcmp(name, "_ENV") == 0)
        return 0;
    luaL_checkstack(L, 12, "a name");
    lua_newtable(L);
    lua_newtable(L);
    struct variable_search search = {.L = L, .name = name, .seen = top + 1, .waiting = top + 2};
    meet_all(&search, table);
    while (found == 0 && search.first < search.count) {
        lua_settop(L, top + 2);
        lua_rawgeti(L, search.waiting, ++search.first);
        found = look(&search);
    }
    if (found == 0) {
        lua_settop(L, top);
        return 0;
    }
    lua_remove(L, top + 1);
    lua_remove(L, top + 1);
    return found;
}

// ---- names; upvalues: the scheduler's table or nil, the table of what is always there ----

static void push_names(lua_State *L) // [-0, +1, m]
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names);
}

// The value of the name at index 2 in the table at the top, in its place; if there is one.
// [-1, +0|1, -]
static bool find_in_top(lua_State *L)
{
    lua_pushvalue(L, 2);
    bool there = lua_rawget(L, -2) != LUA_TNIL;
    lua_remove(L, -2);
    if (!there)
        lua_pop(L, 1);
    return there;
}

static int l_index(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    push_names(L);
    if (find_in_top(L))
        return 1;
    if (find_local(L, lua_upvalueindex(1), name) > 0)
        return 1;
    lua_pushglobaltable(L);
    if (find_in_top(L))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(2));
    if (find_in_top(L))
        return 1;
    return luaL_error(L,
                      "nothing is called '%s' here: no global, and no local variable that a "
                      "callback uses (help() tells what there is)",
                      name);
}

static bool is_known(lua_State *L) // [-1, +0, -]
{
    bool known = find_in_top(L);
    if (known)
        lua_pop(L, 1);
    return known;
}

static int l_newindex(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    push_names(L);
    int local = is_known(L) ? 0 : find_local(L, lua_upvalueindex(1), name);
    if (local > 0) {
        lua_pushvalue(L, 3);
        lua_setupvalue(L, -3, local);
        return 0;
    }
    lua_pushglobaltable(L);
    bool global = is_known(L);
    push_names(L);
    if (global && !is_known(L))
        lua_pushglobaltable(L);
    else
        push_names(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

// ---- preparing ----

static void push_module(lua_State *L, const char *name) // [-0, +1, m]
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static void set_function(lua_State *L, const char *name, lua_CFunction function, int output)
{
    lua_pushvalue(L, output);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

static void push_present(lua_State *L, struct scheduler *scheduler, int output) // [-0, +1, m]
{
    lua_newtable(L);
    set_function(L, "help", l_help, output);
    push_module(L, "mesos");
    lua_setfield(L, -2, "mesos");
    state_table_push(L);
    lua_setfield(L, -2, "state");
    if (scheduler == NULL)
        return;
    scheduler_push_table(L, scheduler);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "(scheduler)"); // which no variable of the script hides
    lua_setfield(L, -2, "scheduler");
    scheduler_push_driver(L, scheduler);
    lua_setfield(L, -2, "driver");
}

static void push_environment(lua_State *L, struct scheduler *scheduler, int output) // [-0, +1, m]
{
    static const luaL_Reg methods[] = {
        {"__index", l_index}, {"__newindex", l_newindex}, {NULL, NULL}};
    lua_newtable(L);
    set_function(L, "print", l_print, output);
    lua_newtable(L);
    if (scheduler != NULL)
        scheduler_push_table(L, scheduler);
    else
        lua_pushnil(L);
    push_present(L, scheduler, output);
    luaL_setfuncs(L, methods, 2);
    lua_setmetatable(L, -2);
}

// True if no statement can begin as the code does: an expression must have been meant.
static bool begins_badly(const char *message, const char *code)
{
    static const char words[] = "unexpected symbol near '";
    const char *at = strstr(message, words);
    const char *begin = code + strspn(code, " \t\n");
    size_t length = at ? strcspn(at + sizeof words - 1, "'") : 0;
    return length > 0 && strncmp(at + sizeof words - 1, begin, length) == 0;
}

static bool wants_more(const char *message)
{
    static const char mark[] = "<eof>";
    size_t length = strlen(message);
    return length >= sizeof mark - 1 && strcmp(message + length - (sizeof mark - 1), mark) == 0;
}

// Raises what is said of the code as statements (at the top) or as an expression (below it, above
// the text of the expression). // [-0, +0, v]
static void raise_syntax(lua_State *L, struct evaluation *evaluation)
{
    const char *code = lua_tostring(L, -3) + strlen("return ");
    if (wants_more(lua_tostring(L, -2)) || begins_badly(lua_tostring(L, -1), code))
        lua_pop(L, 1);
    evaluation->incomplete = wants_more(lua_tostring(L, -1));
    lua_error(L);
}

// Pushes the function of an expression, or else of statements. // [-0, +1, e]
static void push_chunk(lua_State *L, struct evaluation *evaluation)
{
    const char *code = evaluation->code.length > 0 ? (const char *)evaluation->code.data : "";
    bool equals = *code == '='; // as at Lua's own prompt
    lua_pushliteral(L, "return ");
    lua_pushlstring(L, code + equals, evaluation->code.length - equals);
    lua_concat(L, 2);
    size_t length;
    const char *expression = lua_tolstring(L, -1, &length);
    if (luaL_loadbufferx(L, expression, length, "=eval", "t") != LUA_OK) {
        if (luaL_loadbufferx(L, code, evaluation->code.length, "=eval", "t") != LUA_OK)
            raise_syntax(L, evaluation);
        lua_remove(L, -2);
    }
    lua_remove(L, -2);
}

// A list of tasks, which comes with what a loop over it wants, is shown as its tasks: sets `last`
// to the last of these results. // [-0, +1|0, e]
static bool push_tasks(lua_State *L, int place, int *last)
{
    enum { BEHIND = 3 }; // nil, nil, the list again
    int again = place + BEHIND;
    if (!task_list_push_shown(L, place))
        return false;
    if (again < lua_gettop(L) && lua_rawequal(L, place, again))
        *last = again;
    return true;
}

// (output, results...) -> nothing; the output has them.
static int on_evaluated(lua_State *L, int status, lua_KContext context)
{
    struct output *output = userdata_at(L, 1);
    (void)status;
    (void)context;
    for (int i = 2, top = lua_gettop(L); i <= top; i++) {
        int shown = push_tasks(L, i, &i) ? top + 1 : i;
        note_cut(output, inspect_value(L, shown, &output->text));
        note_cut(output, buffer_append_text(&output->text, "\n"));
        lua_settop(L, top);
    }
    return 0;
}

// (output, chunk)
static int l_evaluate(lua_State *L)
{
    lua_callk(L, 0, LUA_MULTRET, 0, on_evaluated);
    return on_evaluated(L, LUA_OK, 0);
}

static int l_prepare(lua_State *L)
{
    struct evaluation *evaluation = lua_touserdata(L, 1);
    luaL_checkstack(L, 20, "an evaluation");
    lua_settop(L, 1);
    evaluation->output = new_output(L);
    lua_pushvalue(L, 2);
    evaluation->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, l_evaluate);
    lua_pushvalue(L, 2);
    push_chunk(L, evaluation);
    push_environment(L, evaluation->scheduler, 2);
    lua_setupvalue(L, -2, 1);
    return 3;
}

// ---- the end ----

static const char *error_of(const struct protect_end *end)
{
    if (end->outcome == PROTECT_RAISED)
        return end->text;
    return end->outcome == PROTECT_CLOSED
               ? "the script was ended, or replaced by a new version, before this came to its end"
               : NULL;
}

static void on_done(void *data, const struct protect_end *end)
{
    struct evaluation *evaluation = data;
    struct eval_end result = {.error = error_of(end), .incomplete = evaluation->incomplete};
    if (evaluation->reference != LUA_NOREF)
        result.output = buffer_slice(&evaluation->output->text);
    if (end->outcome == PROTECT_RAISED)
        script_uncount_failure(evaluation->script);
    evaluation->done(evaluation->data, &result);
    if (evaluation->reference != LUA_NOREF) {
        evaluation->output->over = true;
        luaL_unref(script_state(evaluation->script), LUA_REGISTRYINDEX, evaluation->reference);
    }
    deferral_cancel(&evaluation->abandoned);
    free(evaluation);
}

static void on_abandoned(void *data)
{
    struct evaluation *evaluation = data;
    protect_abandon(evaluation->script, on_done, evaluation);
}

struct evaluation *eval_create(struct script *script, struct scheduler *scheduler,
                               struct slice code,
                               void (*done)(void *data, const struct eval_end *end), void *data)
{
    struct evaluation *evaluation = memory_new(sizeof *evaluation);
    *evaluation = (struct evaluation){.scheduler = scheduler,
                                      .code = code,
                                      .script = script,
                                      .reference = LUA_NOREF,
                                      .done = done,
                                      .data = data};
    deferral_init(&evaluation->abandoned, script_loop(script), on_abandoned, evaluation);
    return evaluation;
}

void eval_start(struct evaluation *evaluation)
{
    const struct title title = {.kind = "eval", .name = "by the control socket", .loaded = true};
    protect_dispatch(evaluation->script, &title, l_prepare, evaluation, on_done, evaluation);
}

void eval_abandon(struct evaluation *evaluation)
{
    if (protect_runs(evaluation->script, on_done, evaluation))
        script_interrupt("the end of its client");
    else
        deferral_queue(&evaluation->abandoned);
}
