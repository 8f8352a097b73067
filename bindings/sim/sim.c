// SPDX-License-Identifier: Apache-2.0
//
// The module `sim.core`: see sim.h. A run is a userdata for as long as it lasts.

#include "bindings/sim/sim.h"

#include "base/stopwatch.h"
#include "bindings/sim/interruption.h"
#include "bindings/sim/sim_output.h"
#include "bindings/sim/sim_run.h"
#include "sim/jobs_csv.h"

#include <lauxlib.h>

#include <errno.h>
#include <string.h>

#define RUN "sim.run"

enum { SETTINGS = SIM_RUN_SETTINGS, ARGUMENTS_MOST = 1000 };

static const double first_second = 1767225600; // of 2026, in UTC

// ---- a run ----

static double number_setting(lua_State *L, const char *name, double usual) // [-0, +0, e]
{
    lua_getfield(L, SETTINGS, name);
    double number = luaL_optnumber(L, -1, usual);
    lua_pop(L, 1);
    return number;
}

static bool truth_setting(lua_State *L, const char *name) // [-0, +0, -]
{
    lua_getfield(L, SETTINGS, name);
    bool truth = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return truth;
}

// The text stays on the stack. // [-0, +1, e]
static struct slice text_setting(lua_State *L, const char *name, bool needed)
{
    struct slice text = {.data = NULL};
    int type = lua_getfield(L, SETTINGS, name);
    if (type != LUA_TSTRING && (needed || type != LUA_TNIL))
        luaL_error(L, "%s: a text is expected, got %s", name, luaL_typename(L, -1));
    if (type == LUA_TSTRING)
        text.data = (const uint8_t *)lua_tolstring(L, -1, &text.length);
    return text;
}

// The texts stay on the stack, in their table. // [-0, +1, e]
static int read_arguments(lua_State *L, const char **argv)
{
    if (lua_getfield(L, SETTINGS, "arguments") != LUA_TTABLE)
        return 0;
    int count = (int)luaL_len(L, -1);
    luaL_argcheck(L, count <= ARGUMENTS_MOST, SETTINGS, "too many arguments");
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, -1, i + 1);
        argv[i] = luaL_checkstring(L, -1);
        lua_pop(L, 1); // the list has it
    }
    return count;
}

static void read_numbers(lua_State *L, struct simulation_settings *settings) // [-0, +0, e]
{
    settings->seed = (uint64_t)number_setting(L, "seed", 1);
    settings->time = number_setting(L, "time", first_second);
    settings->duration = number_setting(L, "duration", 0);
    settings->think = number_setting(L, "think", 0);
    settings->limit = number_setting(L, "limit", 0);
    settings->callback_limit = number_setting(L, "callback_limit", 10);
    settings->load_limit = number_setting(L, "load_limit", 10);
    settings->memory_limit = (size_t)number_setting(L, "memory_limit", 0);
    settings->wire = truth_setting(L, "wire");
    settings->workload = truth_setting(L, "workload");
    settings->show_log = truth_setting(L, "show_log");
}

static void end_run(lua_State *L, struct userdata *userdata)
{
    struct sim_run *run = (struct sim_run *)userdata;
    (void)L;
    simulation_destroy(run->simulation);
    run->simulation = NULL;
}

// The rows of its jobs, if they are asked for.
static void write_jobs(lua_State *L, const struct sim_run *run) // [-0, +0, e]
{
    struct error err;
    const char *path = (const char *)text_setting(L, "jobs_file", false).data;
    if (path == NULL)
        return;
    const char *key = (const char *)text_setting(L, "jobs_key", true).data;
    if (!jobs_csv_write(simulation_books(run->simulation), path, key, &err)) {
        lua_pushstring(L, err.text);
        lua_error(L);
    }
    lua_pop(L, 2);
}

static int l_run(lua_State *L) // [-1, +(1|2), e]
{
    const char *argv[ARGUMENTS_MOST];
    struct simulation_settings settings = {.argv = argv};
    struct error err = {0};
    luaL_checktype(L, SETTINGS, LUA_TTABLE);
    lua_settop(L, 1);
    struct sim_run *run = userdata_push(L, RUN, sizeof *run, 0, end_run);
    lua_newtable(L);
    luaL_checkstack(L, 40, "a simulation");
    settings.script = (const char *)text_setting(L, "script", true).data;
    settings.plan = text_setting(L, "plan", true);
    settings.faults = text_setting(L, "faults", false);
    settings.argc = read_arguments(L, argv);
    read_numbers(L, &settings);
    sim_run_read_events(L, run);
    settings.events = &run->events;
    run->simulation = simulation_create(&settings, &err);
    if (run->simulation == NULL) {
        lua_pushnil(L);
        lua_pushstring(L, err.text);
        return 2;
    }
    if (!simulation_run(run->simulation, &err)) {
        end_run(L, &run->base);      // the next run does not find what this one has set
        lua_pushstring(L, err.text); // which says where itself
        return lua_error(L);
    }
    write_jobs(L, run);
    sim_run_push_result(L, run->simulation);
    end_run(L, &run->base);
    return 1;
}

// ---- the rest ----

static int l_write(lua_State *L) // [-1, +0, e]
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (sim_output_write(text, length))
        return 0;
    lua_pushfstring(L, "the standard output cannot be written to: %s", strerror(errno));
    return lua_error(L); // without a place in the simulator's own code
}

static int l_interrupted(lua_State *L) // [-0, +1, -]
{
    lua_pushboolean(L, interruption_seen());
    return 1;
}

static int l_seconds(lua_State *L) // [-0, +1, -]
{
    lua_pushnumber(L, stopwatch_seconds());
    return 1;
}

static int l_on_terminal(lua_State *L) // [-1, +2, e]
{
    unsigned columns = 0;
    bool terminal = sim_output_terminal((int)luaL_checkinteger(L, 1), &columns);
    lua_pushboolean(L, terminal);
    lua_pushinteger(L, columns);
    return 2;
}

int sim_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"run", l_run},
                                         {"write", l_write},
                                         {"interrupted", l_interrupted},
                                         {"seconds", l_seconds},
                                         {"on_terminal", l_on_terminal},
                                         {NULL, NULL}};
    userdata_type(L, RUN);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_pushliteral(L, MESOS_LUA_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushstring(L, jobs_csv_columns);
    lua_setfield(L, -2, "jobs_columns");
    return 1;
}
