// SPDX-License-Identifier: Apache-2.0
//
// The result of a run as a table of Lua: what the books have (result.h), and how the run itself
// went. See sim_run.h.

#include "bindings/sim/sim_run.h"

#include "bindings/sim/result.h"
#include "loop/loop.h"

// ---- fields ----

void sim_run_set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

void sim_run_set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

void sim_run_set_whole(lua_State *L, const char *name, uint64_t number)
{
    lua_pushinteger(L, (lua_Integer)number);
    lua_setfield(L, -2, name);
}

// ---- the result ----

static const char *const ends[] = {
    [SIMULATION_RUNS] = "interrupted",
    [SIMULATION_JOBS_ENDED] = "all jobs ended",
    [SIMULATION_DURATION] = "duration",
    [SIMULATION_IDLE] = "nothing happens any more",
    [SIMULATION_STOPPED] = "the policy has stopped",
    [SIMULATION_FAILED] = "the policy has failed",
    [SIMULATION_INTERRUPTED] = "interrupted",
    [SIMULATION_LIMIT] = "the limit of real time",
    [SIMULATION_BROKEN] = "interrupted",
};

static void set_end(lua_State *L, const struct simulation *simulation) // [-0, +0, m]
{
    enum simulation_end how = simulation_how(simulation);
    sim_run_set_text(L, "ended", ends[how]);
    if (how == SIMULATION_INTERRUPTED || how == SIMULATION_LIMIT)
        sim_run_set_text(L, "partial", ends[how]);
    if (simulation_problem(simulation) != NULL)
        sim_run_set_text(L, "problem", simulation_problem(simulation));
}

static double milliseconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e6;
}

static void push_call(lua_State *L, const struct call_time *row) // [-0, +1, m]
{
    lua_createtable(L, 0, 6);
    sim_run_set_whole(L, "count", row->count);
    sim_run_set_whole(L, "failures", row->failures);
    sim_run_set_number(L, "total", milliseconds(row->total));
    sim_run_set_number(L, "mean", milliseconds(row->total) / (double)(row->count ? row->count : 1));
    sim_run_set_number(L, "p99", milliseconds(call_time_quantile(row, 0.99)));
    sim_run_set_number(L, "max", milliseconds(row->longest));
}

// A callback that the policy does not have took a moment as well: it does not count.
static void set_calls(lua_State *L, const struct call_times *times) // [-0, +0, m]
{
    lua_newtable(L);
    for (const struct call_time *row = times->first; row != NULL; row = row->next) {
        if (row->count == 0 && row->failures == 0)
            continue;
        push_call(L, row);
        lua_setfield(L, -2, row->name);
    }
    lua_setfield(L, -2, "callbacks");
}

// What failed, and the first error of each, in the order of their first calls.
static void set_failures(lua_State *L, const struct call_times *times) // [-0, +0, m]
{
    lua_newtable(L);
    for (const struct call_time *row = times->first; row != NULL; row = row->next) {
        if (row->failure == NULL)
            continue;
        lua_createtable(L, 0, 4);
        lua_pushfstring(L, "%s%s", row->kind, row->name);
        lua_setfield(L, -2, "what");
        sim_run_set_whole(L, "count", row->failures);
        sim_run_set_number(L, "at", (double)row->failed_at / (double)LOOP_SECOND);
        sim_run_set_text(L, "first", row->failure);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_setfield(L, -2, "failures");
}

static double line_seconds(const struct log_ring_line *line)
{
    return (double)line->at / (double)LOOP_SECOND;
}

static void set_log(lua_State *L, const struct log_ring *log) // [-0, +0, m]
{
    lua_createtable(L, (int)log_ring_kept(log), 0);
    for (size_t i = 0; i < log_ring_kept(log); i++) {
        const struct log_ring_line *line = log_ring_line(log, i);
        lua_pushfstring(L, "%f s: %s", line_seconds(line), line->text);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "log");
}

static void set_faults(lua_State *L, const struct log_ring *faults) // [-0, +0, m]
{
    lua_createtable(L, (int)log_ring_kept(faults), 0);
    for (size_t i = 0; i < log_ring_kept(faults); i++) {
        const struct log_ring_line *line = log_ring_line(faults, i);
        lua_createtable(L, 0, 2);
        sim_run_set_number(L, "at", line_seconds(line));
        sim_run_set_text(L, "text", line->text);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "faults");
}

static void copy_setting(lua_State *L, const char *name) // [-0, +0, m]
{
    lua_getfield(L, SIM_RUN_SETTINGS, name);
    lua_setfield(L, -2, name);
}

void sim_run_push_result(lua_State *L, const struct simulation *simulation)
{
    result_push(L, simulation_books(simulation));
    copy_setting(L, "script");
    copy_setting(L, "arguments");
    copy_setting(L, "seed");
    set_end(L, simulation);
    set_calls(L, simulation_calls(simulation));
    set_failures(L, simulation_calls(simulation));
    set_log(L, simulation_log(simulation));
    set_faults(L, simulation_faults(simulation));
}
