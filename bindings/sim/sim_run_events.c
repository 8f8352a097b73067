// SPDX-License-Identifier: Apache-2.0
//
// What a run asks the functions of its settings: see sim_run.h. They are called in protected mode
// inside of the run's loop, and what they raise becomes an error of the run. Values travel as plain
// data between the two Lua states.

#include "bindings/sim/sim_run.h"

#include "base/memory.h"
#include "bindings/testing/policy_world.h"
#include "script/protect.h"
#include "script/serialize.h"

#include <lauxlib.h>

#include <string.h>

enum { ROW_BYTES = 1 << 20 };

// ---- calls of the settings' functions ----

// Calls a C function, which calls the one of that name, with `argument`; what it raises is `err`.
// [-0, +0, -]
static bool call_outside(struct sim_run *run, const char *name, lua_CFunction function,
                         void *argument, struct error *err)
{
    lua_State *L = run->L;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return error_set(err, ERROR_SCRIPT, "the stack of Lua is full");
    lua_pushcfunction(L, function);
    lua_pushvalue(L, SIM_RUN_SETTINGS);
    lua_pushvalue(L, SIM_RUN_ROWS);
    lua_pushlightuserdata(L, argument);
    if (protect_pcall(L, 3, 0, 0, 0, NULL) == LUA_OK)
        return true;
    if (lua_type(L, -1) == LUA_TSTRING)
        error_set(err, ERROR_SCRIPT, "%s", lua_tostring(L, -1));
    else
        error_set(err, ERROR_SCRIPT, "%s: it raised a %s, not a text", name, luaL_typename(L, -1));
    lua_pop(L, 1);
    return false;
}

// ---- rows ----

struct sim_row_call {
    struct simulation_row *row;
    struct buffer bytes;
};

// (settings, rows, call): in this function what raises comes first. // [-0, +0, e]
static double row_number(lua_State *L, const char *name)
{
    int type = lua_getfield(L, -1, name);
    if (type != LUA_TNIL && !lua_isnumber(L, -1))
        luaL_error(L, "a row's %s is a %s: a number is expected", name, luaL_typename(L, -1));
    double number = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return number;
}

// Leaves the text on the stack below the row. // [-0, +1, e]
static const char *row_text(lua_State *L, const char *name)
{
    int type = lua_getfield(L, -1, name);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "a row's %s is a %s: a text is expected", name, luaL_typename(L, -1));
    lua_insert(L, -2);
    return lua_tostring(L, -2);
}

static void read_row(lua_State *L, struct books_row *row) // [-0, +4, e]
{
    row->id = row_text(L, "id");
    row->role = row_text(L, "role");
    row->user = row_text(L, "user");
    row->name = row_text(L, "name");
    if (row->id == NULL)
        luaL_error(L, "a row has no id");
    row->at = row_number(L, "at");
    row->duration = row_number(L, "duration");
    row->cpus = row_number(L, "cpus");
    row->mem = row_number(L, "mem");
    row->disk = row_number(L, "disk");
    row->gpus = row_number(L, "gpus");
    row->priority = row_number(L, "priority");
    double tasks = row_number(L, "tasks");
    row->tasks = tasks >= 1 && tasks < 1e6 ? (unsigned)tasks : 1;
}

// The row at the top is kept for `runtime`, with how many of its tasks have to finish.
// [-0, +0, e]
static void keep_row(lua_State *L, const struct books_row *row)
{
    if (lua_getfield(L, 1, "runtime") != LUA_TNIL) {
        lua_createtable(L, 2, 0);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, row->tasks);
        lua_rawseti(L, -2, 2);
        lua_setfield(L, 2, row->id);
    }
    lua_pop(L, 1);
}

static void copy_texts(struct books_row *row)
{
    row->id = memory_string(row->id);
    row->role = memory_string(row->role);
    row->user = memory_string(row->user);
    row->name = memory_string(row->name);
}

static int l_call_next(lua_State *L) // (settings, rows, call)
{
    struct sim_row_call *call = lua_touserdata(L, 3);
    struct books_row row = {.id = NULL};
    struct error err = {0};
    lua_getfield(L, 1, "next");
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1))
        return 0;
    if (!lua_istable(L, -1))
        return luaL_error(L, "a row of the workload is a %s: a table is expected",
                          luaL_typename(L, -1));
    read_row(L, &row);
    if (!serialize_save(L, -1, "the row", &call->bytes, &err))
        return luaL_error(L, "the job %s: %s", row.id, err.text);
    keep_row(L, &row);
    copy_texts(&row);
    *call->row = (struct simulation_row){.row = row,
                                         .job = bytes_copy(call->bytes.data, call->bytes.length)};
    return 0;
}

static bool on_next(void *data, struct simulation_row *row, struct error *err)
{
    struct sim_row_call call = {.row = row};
    buffer_init(&call.bytes, ROW_BYTES);
    bool good = call_outside(data, "the workload", l_call_next, &call, err);
    buffer_free(&call.bytes);
    return good;
}

// ---- how tasks end ----

struct sim_fate_call {
    const struct books_task_facts *task;
    const char *job_id;
    struct simulation_fate *fate;
};

static void push_task(lua_State *L, const struct books_task_facts *task) // [-0, +1, m]
{
    lua_createtable(L, 0, 9);
    sim_run_set_text(L, "task_id", task->task_id);
    sim_run_set_text(L, "name", task->name);
    sim_run_set_text(L, "agent_id", task->agent_id);
    sim_run_set_text(L, "hostname", task->hostname);
    sim_run_set_number(L, "cpus", task->cpus);
    sim_run_set_number(L, "mem", task->mem);
    sim_run_set_number(L, "disk", task->disk);
    sim_run_set_number(L, "gpus", task->gpus);
    sim_run_set_whole(L, "attempt", task->attempt);
}

static void push_row(lua_State *L, const char *job_id) // [-0, +1, m]
{
    lua_pushnil(L);
    if (job_id != NULL && lua_getfield(L, 2, job_id) == LUA_TTABLE)
        lua_rawgeti(L, -1, 1);
}

// The second result of `runtime`. // [-0, +0, e]
static int read_status(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return 0;
    if (lua_type(L, index) != LUA_TSTRING)
        return (int)luaL_checkinteger(L, index);
    const char *name = lua_tostring(L, index);
    if (strcmp(name, "TASK_FINISHED") == 0)
        return 0;
    if (strcmp(name, "TASK_FAILED") == 0)
        return 1;
    return luaL_error(L,
                      "runtime: a task ends by itself with an exit status, TASK_FINISHED or "
                      "TASK_FAILED, not with '%s'; others come of faults",
                      name);
}

static int l_call_last(lua_State *L) // (settings, rows, call)
{
    const struct sim_fate_call *call = lua_touserdata(L, 3);
    lua_getfield(L, 1, "runtime");
    push_task(L, call->task);
    push_row(L, call->job_id);
    lua_replace(L, 3); // in place of the call
    lua_settop(L, 5);
    lua_pushvalue(L, 3);
    lua_call(L, 2, 2);
    if (!lua_isnil(L, -2)) {
        double seconds = luaL_checknumber(L, -2);
        if (!(seconds >= 0))
            return luaL_error(L, "runtime: %f seconds", seconds);
        call->fate->seconds = seconds;
    }
    call->fate->status = read_status(L, lua_gettop(L));
    return 0;
}

static bool on_last(void *data, const struct books_task_facts *task, const char *job_id,
                    struct simulation_fate *fate, struct error *err)
{
    struct sim_fate_call call = {.task = task, .job_id = job_id, .fate = fate};
    return call_outside(data, "runtime", l_call_last, &call, err);
}

// The row is not needed any more when as many tasks have finished as it has.
static int l_call_finished(lua_State *L) // (settings, rows, id)
{
    const char *id = lua_touserdata(L, 3);
    if (lua_getfield(L, 2, id) != LUA_TTABLE)
        return 0;
    lua_rawgeti(L, -1, 2);
    lua_Integer left = lua_tointeger(L, -1) - 1;
    lua_pushinteger(L, left);
    lua_rawseti(L, -3, 2);
    if (left > 0)
        return 0;
    lua_pushnil(L);
    lua_setfield(L, 2, id);
    return 0;
}

static void on_finished(void *data, const char *job_id)
{
    call_outside(data, "runtime", l_call_finished, (void *)(uintptr_t)job_id, NULL);
}

// ---- stubs ----

struct sim_stub_call {
    const char *name;
    struct buffer *values;
};

static int l_call_stub(lua_State *L) // (settings, rows, call)
{
    const struct sim_stub_call *call = lua_touserdata(L, 3);
    lua_getfield(L, 1, "stub");
    policy_world_call_stub(L, call->name, call->values);
    return 0;
}

static bool on_stub(void *data, const char *name, struct buffer *values, struct error *err)
{
    struct sim_stub_call call = {.name = name, .values = values};
    return call_outside(data, "stubs", l_call_stub, &call, err);
}

// ---- progress ----

struct sim_progress_call {
    const struct simulation *simulation;
    bool stop;
};

static void push_state(lua_State *L, const struct simulation *simulation) // [-0, +1, m]
{
    struct books_counts counts = books_counts(simulation_books(simulation));
    lua_createtable(L, 0, 8);
    sim_run_set_number(L, "time", simulation_seconds(simulation));
    if (simulation_duration(simulation) > 0)
        sim_run_set_number(L, "duration", simulation_duration(simulation));
    sim_run_set_whole(L, "submitted", counts.submitted);
    sim_run_set_whole(L, "finished", counts.finished);
    sim_run_set_whole(L, "failed", counts.failed);
    sim_run_set_whole(L, "running", counts.running);
    sim_run_set_whole(L, "waiting", counts.waiting);
    sim_run_set_whole(L, "events", counts.events);
}

static int l_call_progress(lua_State *L) // (settings, rows, call)
{
    struct sim_progress_call *call = lua_touserdata(L, 3);
    lua_getfield(L, 1, "progress");
    push_state(L, call->simulation);
    lua_call(L, 1, 1);
    call->stop = lua_toboolean(L, -1);
    return 0;
}

static bool on_progress(void *data)
{
    struct sim_run *run = data;
    struct sim_progress_call call = {.simulation = run->simulation};
    return !call_outside(data, "progress", l_call_progress, &call, NULL) || call.stop;
}

// ---- all of them ----

void sim_run_read_events(lua_State *L, struct sim_run *run)
{
    lua_getfield(L, SIM_RUN_SETTINGS, "stub");
    luaL_checktype(L, -1, LUA_TFUNCTION);
    bool runtime = lua_getfield(L, SIM_RUN_SETTINGS, "runtime") != LUA_TNIL;
    bool progress = lua_getfield(L, SIM_RUN_SETTINGS, "progress") != LUA_TNIL;
    run->L = L;
    run->events = (struct simulation_events){.next = on_next,
                                             .last = runtime ? on_last : NULL,
                                             .finished = runtime ? on_finished : NULL,
                                             .stub = on_stub,
                                             .progress = progress ? on_progress : NULL,
                                             .data = run};
}
