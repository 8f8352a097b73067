// SPDX-License-Identifier: Apache-2.0
//
// The result of a run in Lua; see the header. All memory beside Lua's is the books'.

#include "bindings/sim/result.h"

#include "sim/results.h"

#include <lauxlib.h>
#include <string.h>

static void set_number(lua_State *L, const char *name, double value) // [-0, +0, m] on a table
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, uint64_t value) // [-0, +0, m] on a table
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text) // [-0, +0, m] on a table
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void push_list(lua_State *L, const double *values, size_t count) // [-0, +1, m]
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

// The table of that name in the one on top, also of "a.b"; made if need be. // [-0, +1 or +2, m]
static void push_part(lua_State *L, const char *name)
{
    const char *dot = strchr(name, '.');
    if (dot != NULL) {
        lua_pushlstring(L, name, (size_t)(dot - name));
        luaL_getsubtable(L, -2, lua_tostring(L, -1));
        lua_replace(L, -2);
    }
    luaL_getsubtable(L, -1, dot ? dot + 1 : name);
}

// ---- summary ----

static void push_distribution(lua_State *L, const struct results_distribution *distribution)
{ // [-0, +1, m]
    lua_newtable(L);
    set_count(L, "count", distribution->count);
    if (distribution->count == 0)
        return;
    set_number(L, "mean", distribution->mean);
    set_number(L, "p50", distribution->p50);
    set_number(L, "p95", distribution->p95);
    set_number(L, "p99", distribution->p99);
    set_number(L, "max", distribution->max);
}

static void set_jobs(lua_State *L, const struct results_group *group) // [-0, +0, m] on a table
{
    lua_newtable(L);
    set_count(L, "submitted", group->submitted);
    set_count(L, "finished", group->finished);
    set_count(L, "failed", group->failed);
    set_count(L, "running", group->running);
    set_count(L, "waiting", group->waiting);
    set_count(L, "refused", group->refused);
    lua_setfield(L, -2, "jobs");
}

static void fill_group(lua_State *L, const struct results_group *group) // [-0, +0, m] on a table
{
    push_distribution(L, &group->wait);
    set_count(L, "censored", group->censored);
    lua_setfield(L, -2, "wait");
    push_distribution(L, &group->slowdown);
    lua_setfield(L, -2, "slowdown");
    set_jobs(L, group);
    if (group->share >= 0)
        set_number(L, "share", group->share);
}

static void set_groups(lua_State *L, const char *name, const struct results_groups *groups)
{ // [-0, +0, m] on a table
    lua_createtable(L, 0, (int)groups->count);
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->items[i].submitted == 0 && groups->items[i].share < 0)
            continue;
        lua_newtable(L);
        fill_group(L, &groups->items[i]);
        lua_setfield(L, -2, groups->items[i].name);
    }
    lua_setfield(L, -2, name);
}

static void set_numbers(lua_State *L, const struct results *results) // [-0, +0, m] on a table
{
    for (size_t i = 0; i < results->number_count; i++) {
        const struct results_number *number = &results->numbers[i];
        int top = lua_gettop(L);
        if (number->group != NULL)
            push_part(L, number->group);
        if (number->whole)
            set_count(L, number->name, (uint64_t)number->value);
        else
            set_number(L, number->name, number->value);
        lua_settop(L, top);
    }
}

static void push_summary(lua_State *L, const struct results *results) // [-0, +1, m]
{
    static const char *const always[] = {"utilisation", "allocation", "fragmentation", "fairness",
                                         "calls"};
    lua_newtable(L);
    fill_group(L, &results->all);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        push_part(L, always[i]);
        lua_pop(L, 1);
    }
    set_numbers(L, results);
    for (int i = 0; i < RESULTS_KINDS; i++)
        set_groups(L, results_kind_names[i], &results->kinds[i]);
}

// ---- over time ----

static void push_series(lua_State *L, const struct results *results) // [-0, +1, m]
{
    lua_newtable(L);
    set_number(L, "width", results->width);
    set_count(L, "count", results->steps);
    for (size_t i = 0; i < results->column_count; i++) {
        push_list(L, results->columns[i].values, results->steps);
        lua_setfield(L, -2, results->columns[i].name);
    }
}

static void push_agents(lua_State *L, const struct results *results) // [-0, +1, m]
{
    lua_newtable(L);
    lua_createtable(L, (int)results->row_count, 0);
    for (size_t i = 0; i < results->row_count; i++) {
        const struct results_row *row = &results->rows[i];
        lua_newtable(L);
        set_text(L, "label", row->label);
        set_count(L, "agents", row->agents);
        push_list(L, row->cpus, results->steps);
        lua_setfield(L, -2, "cpus");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "rows");
}

static void push_gantt(lua_State *L, const struct results *results) // [-0, +1, m]
{
    lua_createtable(L, (int)results->task_count, 0);
    for (size_t i = 0; i < results->task_count; i++) {
        const struct results_task *task = &results->tasks[i];
        lua_newtable(L);
        set_text(L, "task", task->task);
        set_text(L, "job", task->job);
        set_text(L, "agent", task->agent);
        set_text(L, "role", task->role);
        set_text(L, "state", task->state);
        set_number(L, "start", task->start);
        if (task->stop >= 0)
            set_number(L, "stop", task->stop);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

// ---- waiting times ----

static void push_waits(lua_State *L, const struct results_group *group) // [-0, +1, m]
{
    push_list(L, group->waits, group->waits ? RESULTS_WAITS : 0);
}

static void push_waits_by_role(lua_State *L, const struct results *results) // [-0, +1, m]
{
    const struct results_groups *roles = &results->kinds[RESULTS_ROLES];
    lua_createtable(L, 0, (int)roles->count);
    for (size_t i = 0; i < roles->count; i++) {
        if (roles->items[i].waits == NULL)
            continue;
        push_waits(L, &roles->items[i]);
        lua_setfield(L, -2, roles->items[i].name);
    }
}

static void push_longest(lua_State *L, const struct results *results) // [-0, +1, m]
{
    lua_createtable(L, (int)results->longest_count, 0);
    for (size_t i = 0; i < results->longest_count; i++) {
        const struct results_wait *wait = &results->longest[i];
        lua_newtable(L);
        set_text(L, "id", wait->id);
        set_text(L, "role", wait->role);
        set_text(L, "user", wait->user);
        set_text(L, "state", wait->state);
        set_text(L, "why", wait->why);
        set_number(L, "at", wait->at);
        set_number(L, "wait", wait->wait);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void result_push(lua_State *L, struct books *books)
{
    const struct results *results = results_of(books);
    luaL_checkstack(L, 10, NULL);
    lua_newtable(L);
    push_summary(L, results);
    lua_setfield(L, -2, "summary");
    push_series(L, results);
    lua_setfield(L, -2, "series");
    push_agents(L, results);
    lua_setfield(L, -2, "agents");
    push_gantt(L, results);
    lua_setfield(L, -2, "gantt");
    push_waits(L, &results->all);
    lua_setfield(L, -2, "waits");
    push_waits_by_role(L, results);
    lua_setfield(L, -2, "waits_by_role");
    push_longest(L, results);
    lua_setfield(L, -2, "longest");
}
