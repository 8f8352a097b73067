// SPDX-License-Identifier: Apache-2.0
//
// The program of the simulator: see sim_program.h.

#include "bindings/sim/sim_program.h"

#include "bindings/module.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/sim/children.h"
#include "bindings/sim/interruption.h"
#include "bindings/sim/readers.h"
#include "bindings/sim/sim.h"
#include "bindings/sim/sim_output.h"
#include "bindings/sim/system.h"
#include "loop/loop_virtual.h"
#include "script/protect.h"
#include "script/script.h"

#include <lauxlib.h>

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_RAISED = 1, MODULES_MOST = 128 };

// ---- the modules ----

static int l_load_file(lua_State *L) // the loader of a file of ours // [-n, +1, e]
{
    const struct library_file *file = lua_touserdata(L, lua_upvalueindex(1));
    if (luaL_loadbufferx(L, file->text, file->length, file->chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_pushstring(L, file->module);
    lua_call(L, 1, 1);
    return 1;
}

// The row behind the last one has no name.
static void list_modules(struct script_module *modules, struct scheduler_environment *environment)
{
    size_t count = 0;
    modules[count++] = (struct script_module){"mesos", module_open, environment};
    modules[count++] = (struct script_module){"sim.core", sim_open, NULL};
    modules[count++] = (struct script_module){"sim.children", children_open, NULL};
    modules[count++] = (struct script_module){"sim.readers", readers_open, NULL};
    modules[count++] = (struct script_module){"sim.system", system_open, NULL};
    for (const struct library_file *file = sim_files;
         file->module != NULL && count < MODULES_MOST - 1; file++)
        modules[count++] =
            (struct script_module){file->module, l_load_file, (void *)(uintptr_t)file};
    modules[count] = (struct script_module){.name = NULL};
}

// ---- the options ----

struct program_call {
    const struct sim_value *values;
    size_t count;
};

static void push_list(lua_State *L, const struct sim_value *value) // [-0, +1, m]
{
    lua_createtable(L, (int)value->count, 0);
    for (size_t i = 0; i < value->count; i++) {
        lua_pushstring(L, value->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_value(lua_State *L, const struct sim_value *value) // [-0, +1, m]
{
    if (value->kind == SIM_LIST)
        push_list(L, value);
    else if (value->kind == SIM_TRUTH)
        lua_pushboolean(L, value->number != 0);
    else if (value->kind == SIM_TEXT)
        lua_pushstring(L, value->text); // nil for NULL
    else if (value->number == 0)
        lua_pushnil(L);
    else if (value->kind == SIM_WHOLE)
        lua_pushinteger(L, (lua_Integer)value->number);
    else
        lua_pushnumber(L, value->number);
}

static int l_main(lua_State *L) // (call) -> the status // [-1, +1, e]
{
    const struct program_call *call = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "sim.main");
    lua_call(L, 1, 1);
    lua_createtable(L, 0, (int)call->count);
    for (size_t i = 0; i < call->count; i++) {
        push_value(L, &call->values[i]);
        lua_setfield(L, -2, call->values[i].name);
    }
    lua_call(L, 1, 1);
    return 1;
}

// ---- life ----

static void on_exit_asked(void *data, int code)
{
    (void)data, (void)code;
}

static int run_main(struct script *script, const struct program_call *call)
{
    const struct title title = {.kind = "simulator", .name = "main"};
    int status = EXIT_RAISED;
    enum protect_outcome outcome = protect_run(script, &title, l_main, (void *)(uintptr_t)call, 1);
    if (outcome == PROTECT_DONE)
        status = (int)lua_tointeger(script_state(script), -1);
    else if (outcome == PROTECT_EXITED)
        script_exit_requested(script, &status);
    else
        fprintf(stderr, "mesos-lua: sim: %s\n", protect_text(script));
    return status;
}

int sim_program_run(const struct sim_value *values, size_t count)
{
    struct loop *loop = loop_virtual_create(0);
    struct scheduler_environment environment = {.loop = loop, .checking = true};
    struct script_module modules[MODULES_MOST];
    struct error err = {0};
    list_modules(modules, &environment);
    setenv("TZ", "UTC0", 1); // os.date shows the same everywhere
    interruption_catch();
    sim_output_take();
    const struct script_settings settings = {
        .loop = loop, .modules = modules, .hash_seed = 1, .on_exit = on_exit_asked};
    struct script *script = script_create(&settings, &err);
    int status = EXIT_RAISED;
    if (script != NULL)
        status = run_main(script, &(struct program_call){.values = values, .count = count});
    else
        fprintf(stderr, "mesos-lua: sim: %s\n", err.text);
    script_destroy(script);
    loop_destroy(loop);
    return status;
}
