// SPDX-License-Identifier: Apache-2.0
//
// The books of the simulator seen from Lua: internals.books(master) observes a master of
// internals_master.c. Also its series and distributions by themselves.

#include "internals.h"

#include "base/memory.h"
#include "bindings/sim/result.h"
#include "master/agent_loss.h"
#include "master/master_failover.h"
#include "sim/books_internal.h"
#include "sim/jobs_csv.h"

#include <lauxlib.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BOOKS "internals.books"
#define QUANTILES "internals.quantiles"
#define SERIES "internals.series"

enum { BOOKS_MASTER = 1 }; // value of the userdata, which keeps it

struct observed {
    struct books *books;
    struct master *master;
    lua_State *L; // of the call that lets time pass
};

static struct observed *check_books(lua_State *L)
{
    struct observed *observed = luaL_checkudata(L, 1, BOOKS);
    observed->L = L;
    return observed;
}

// internals.books(master) -> books
static int l_books(lua_State *L)
{
    struct loop *loop;
    struct master *master = internals_master_of(L, 1, &loop);
    struct observed *observed = lua_newuserdatauv(L, sizeof *observed, 1);
    *observed = (struct observed){books_create(loop, master), master, L};
    luaL_setmetatable(L, BOOKS);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, BOOKS_MASTER);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct observed *observed = check_books(L);
    books_destroy(observed->books);
    observed->books = NULL;
    return 0;
}

// ---- jobs ----

static double number_field(lua_State *L, const char *name) // [-0, +0, e]
{
    lua_getfield(L, 2, name);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static const char *text_field(lua_State *L, const char *name) // [-0, +1, e]
{
    lua_getfield(L, 2, name);
    return lua_tostring(L, -1);
}

// books:submit(row) -> good, error
static int l_submit(lua_State *L)
{
    struct observed *observed = check_books(L);
    struct error err = {.code = ERROR_NONE};
    const struct books_row row = {
        .id = text_field(L, "id"),
        .role = text_field(L, "role"),
        .user = text_field(L, "user"),
        .name = text_field(L, "name"),
        .at = number_field(L, "at"),
        .duration = number_field(L, "duration"),
        .cpus = number_field(L, "cpus"),
        .mem = number_field(L, "mem"),
        .disk = number_field(L, "disk"),
        .gpus = number_field(L, "gpus"),
        .priority = number_field(L, "priority"),
        .tasks = (unsigned)number_field(L, "tasks"),
    };
    lua_pushboolean(L, books_submit(observed->books, &row, &err));
    lua_pushstring(L, err.text);
    return 2;
}

// books:refused(id)
static int l_refused(lua_State *L)
{
    books_refused(check_books(L)->books, luaL_checkstring(L, 2));
    return 0;
}

// books:jobs_csv(path, key) -> the names of the columns, or nil and an error
static int l_jobs_csv(lua_State *L)
{
    struct error err;
    if (jobs_csv_write(check_books(L)->books, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                       &err)) {
        lua_pushstring(L, jobs_csv_columns);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err.text);
    return 2;
}

// books:job_of(task_id, name, label) -> id or nil
static int l_job_of(lua_State *L)
{
    struct books *books = check_books(L)->books;
    const struct books_job *job = books_job_of(
        books, luaL_optstring(L, 2, NULL), luaL_optstring(L, 3, NULL), luaL_optstring(L, 4, NULL));
    lua_pushstring(L, job ? books_job_id(books, job) : NULL);
    return 1;
}

// books:task(id) -> table or nil
static int l_task(lua_State *L)
{
    struct books *books = check_books(L)->books;
    struct books_task_facts facts;
    if (!books_task(books, luaL_checkstring(L, 2), &facts))
        return 0;
    lua_newtable(L);
    lua_pushstring(L, facts.job ? books_job_id(books, facts.job) : NULL);
    lua_setfield(L, -2, "job");
    lua_pushnumber(L, facts.job ? books_job_duration(books, facts.job) : 0);
    lua_setfield(L, -2, "duration");
    lua_pushstring(L, facts.agent_id);
    lua_setfield(L, -2, "agent_id");
    lua_pushstring(L, facts.hostname);
    lua_setfield(L, -2, "hostname");
    lua_pushstring(L, facts.name);
    lua_setfield(L, -2, "name");
    lua_pushnumber(L, facts.cpus);
    lua_setfield(L, -2, "cpus");
    lua_pushnumber(L, facts.mem);
    lua_setfield(L, -2, "mem");
    lua_pushinteger(L, facts.attempt);
    lua_setfield(L, -2, "attempt");
    return 1;
}

// books:counts() -> table
static int l_counts(lua_State *L)
{
    const struct books_counts counts = books_counts(check_books(L)->books);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"submitted", counts.submitted},   {"refused", counts.refused},
        {"finished", counts.finished},     {"running", counts.running},
        {"waiting", counts.waiting},       {"failed", counts.failed},
        {"unfinished", counts.unfinished}, {"live_tasks", counts.live_tasks},
        {"events", counts.events},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lua_pushinteger(L, (lua_Integer)rows[i].value);
        lua_setfield(L, -2, rows[i].name);
    }
    lua_pushnumber(L, (double)counts.last_change / 1e9);
    lua_setfield(L, -2, "last_change");
    return 1;
}

// books:now() -> how many agents there are, and cpus: of all, used, offered
static int l_now(lua_State *L)
{
    const struct books *books = check_books(L)->books;
    lua_pushinteger(L, books->agents.count.value);
    lua_pushinteger(L, books->agents.total[SCALAR_CPUS].value);
    lua_pushinteger(L, books->agents.used[SCALAR_CPUS].value);
    lua_pushinteger(L, books->offered[SCALAR_CPUS].value);
    return 4;
}

// ---- why ----

// Calls the function with the id and the cpus; what it returns is the text, nil for none.
static bool on_explain(void *data, const struct books_row *need, struct buffer *text)
{
    struct observed *observed = data;
    lua_State *L = observed->L;
    int top = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, BOOKS ".explain");
    lua_pushstring(L, need->id);
    lua_pushnumber(L, need->cpus);
    lua_call(L, 2, 1);
    bool good = lua_isstring(L, -1);
    if (good)
        buffer_append_text(text, lua_tostring(L, -1));
    lua_settop(L, top);
    return good;
}

// books:why(function)
static int l_why(lua_State *L)
{
    struct observed *observed = check_books(L);
    lua_settop(L, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, BOOKS ".explain");
    books_why(observed->books, on_explain, observed);
    return 0;
}

// ---- the end ----

static int l_finish(lua_State *L)
{
    books_end(check_books(L)->books);
    return 0;
}

// books:result() -> table
static int l_result(lua_State *L)
{
    struct observed *observed = check_books(L);
    books_end(observed->books);
    result_push(L, observed->books);
    return 1;
}

// ---- what happens to agents ----

// internals.sim_fault(master, kind, agent_id)
static int l_sim_fault(lua_State *L)
{
    static const char *const kinds[] = {"gone",   "kill",      "silence", "remove",
                                        "return", "fail_over", "lead",    NULL};
    struct loop *loop;
    struct master *master = internals_master_of(L, 1, &loop);
    int kind = luaL_checkoption(L, 2, NULL, kinds);
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    struct error err = {.code = ERROR_NONE};
    id.value = (char *)(uintptr_t)luaL_optstring(L, 3, "");
    struct node *node = master_records_any_node(master, &id);
    if (kind < 5 && node == NULL)
        return luaL_error(L, "there is no agent %s", id.value);
    if (kind == 0)
        agent_loss_mark_gone(node);
    if (kind == 1)
        agent_loss_kill(node);
    if (kind == 2)
        agent_loss_silence(node);
    if (kind == 3 && !agent_loss_remove(node, "a test", &err))
        return luaL_error(L, "%s", err.text);
    if (kind == 4 && !agent_loss_return(node, &err))
        return luaL_error(L, "%s", err.text);
    if (kind == 5)
        master_failover_begin(master, false);
    if (kind == 6)
        master_failover_end(master, NULL, 5050);
    return 0;
}

// internals.heap() -> bytes that malloc has given out
static int l_heap(lua_State *L)
{
    struct mallinfo2 info = mallinfo2();
    lua_pushinteger(L, (lua_Integer)(info.uordblks + info.hblkhd));
    return 1;
}

// ---- distributions ----

static int l_quantiles(lua_State *L)
{
    struct quantiles *quantiles = lua_newuserdatauv(L, sizeof *quantiles, 0);
    *quantiles = (struct quantiles){.count = 0};
    luaL_setmetatable(L, QUANTILES);
    return 1;
}

static int l_quantiles_add(lua_State *L)
{
    quantiles_add(luaL_checkudata(L, 1, QUANTILES), (uint64_t)luaL_checkinteger(L, 2));
    return 0;
}

static int l_quantiles_at(lua_State *L)
{
    lua_pushnumber(L, quantiles_at(luaL_checkudata(L, 1, QUANTILES), luaL_checknumber(L, 2)));
    return 1;
}

static int l_quantiles_mean(lua_State *L)
{
    lua_pushnumber(L, quantiles_mean(luaL_checkudata(L, 1, QUANTILES)));
    return 1;
}

static int l_quantiles_gc(lua_State *L)
{
    quantiles_free(luaL_checkudata(L, 1, QUANTILES));
    return 0;
}

// ---- series ----

struct tested_series {
    struct series series;
    struct series_column gauge, count, late;
    bool has_late;
};

// internals.series(width) -> series
static int l_series(lua_State *L)
{
    uint64_t width = (uint64_t)luaL_checkinteger(L, 1);
    struct tested_series *tested = lua_newuserdatauv(L, sizeof *tested, 0);
    memset(tested, 0, sizeof *tested);
    series_init(&tested->series, 0, width);
    series_add(&tested->series, &tested->gauge, 0);
    series_add(&tested->series, &tested->count, 0);
    luaL_setmetatable(L, SERIES);
    return 1;
}

// series:change(now, difference); series:count(now, amount); series:change_late(now, difference),
// of a column that is added by the first call
static int l_series_change(lua_State *L)
{
    struct tested_series *tested = luaL_checkudata(L, 1, SERIES);
    uint64_t now = (uint64_t)luaL_checkinteger(L, 2);
    series_reach(&tested->series, now);
    series_change(&tested->gauge, now, luaL_checkinteger(L, 3));
    return 0;
}

static int l_series_count(lua_State *L)
{
    struct tested_series *tested = luaL_checkudata(L, 1, SERIES);
    series_reach(&tested->series, (uint64_t)luaL_checkinteger(L, 2));
    series_count(&tested->count, luaL_checkinteger(L, 3));
    return 0;
}

static int l_series_change_late(lua_State *L)
{
    struct tested_series *tested = luaL_checkudata(L, 1, SERIES);
    uint64_t now = (uint64_t)luaL_checkinteger(L, 2);
    series_reach(&tested->series, now);
    if (!tested->has_late)
        series_add(&tested->series, &tested->late, now);
    tested->has_late = true;
    series_change(&tested->late, now, luaL_checkinteger(L, 3));
    return 0;
}

// series:merge(now): the late column goes into the other one
static int l_series_merge(lua_State *L)
{
    struct tested_series *tested = luaL_checkudata(L, 1, SERIES);
    uint64_t now = (uint64_t)luaL_checkinteger(L, 2);
    series_reach(&tested->series, now);
    series_merge(&tested->series, &tested->gauge, &tested->late, now);
    return 0;
}

static void set_sums(lua_State *L, const char *name, const struct series *series,
                     const struct series_column *column) // [-0, +0, m] on a table
{
    lua_createtable(L, (int)series->count, 0);
    for (unsigned i = 0; i < series->count; i++) {
        lua_pushinteger(L, (lua_Integer)column->steps[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

// series:finish(now) -> { width =, last =, gauge = sums, counts = sums }
static int l_series_finish(lua_State *L)
{
    struct tested_series *tested = luaL_checkudata(L, 1, SERIES);
    series_end(&tested->series, (uint64_t)luaL_checkinteger(L, 2));
    lua_newtable(L);
    lua_pushinteger(L, (lua_Integer)tested->series.width);
    lua_setfield(L, -2, "width");
    lua_pushinteger(L, (lua_Integer)tested->series.last);
    lua_setfield(L, -2, "last");
    set_sums(L, "gauge", &tested->series, &tested->gauge);
    set_sums(L, "counts", &tested->series, &tested->count);
    return 1;
}

// ---- the module ----

static void add_class(lua_State *L, const char *name, const luaL_Reg *methods) // [-0, +0, m]
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void internals_books_open(lua_State *L)
{
    static const luaL_Reg books[] = {
        {"submit", l_submit}, {"refused", l_refused},   {"job_of", l_job_of},
        {"task", l_task},     {"jobs_csv", l_jobs_csv}, {"counts", l_counts},
        {"why", l_why},       {"finish", l_finish},     {"result", l_result},
        {"now", l_now},       {"__gc", l_gc},           {NULL, NULL},
    };
    static const luaL_Reg quantiles[] = {
        {"add", l_quantiles_add}, {"at", l_quantiles_at}, {"mean", l_quantiles_mean},
        {"__gc", l_quantiles_gc}, {NULL, NULL},
    };
    static const luaL_Reg series[] = {
        {"change", l_series_change}, {"change_late", l_series_change_late},
        {"count", l_series_count},   {"merge", l_series_merge},
        {"finish", l_series_finish}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"books", l_books},         {"quantiles", l_quantiles}, {"series", l_series},
        {"sim_fault", l_sim_fault}, {"heap", l_heap},           {NULL, NULL},
    };
    add_class(L, BOOKS, books);
    add_class(L, QUANTILES, quantiles);
    add_class(L, SERIES, series);
    luaL_setfuncs(L, functions, 0);
}
