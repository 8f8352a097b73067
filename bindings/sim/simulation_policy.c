// SPDX-License-Identifier: Apache-2.0
//
// The policy of a simulated run: its Lua state and its scheduler, made as the host makes them, and
// what becomes of its failures. See simulation_internal.h. Failures are logged and counted, as in
// production; what ends a run is the end of its driver, mesos.exit, and code that had to be
// stopped.

#include "bindings/sim/simulation_internal.h"

#include "base/memory.h"
#include "base/stopwatch.h"
#include "bindings/module.h"
#include "bindings/sim/interruption.h"
#include "loop/loop_virtual.h"
#include "mesos/explanation.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MOST = 1000 };

// ---- what goes wrong ----

// True, and the run ends, if the code was stopped rather than failed.
static void check_stopped(struct simulation *simulation, const char *kind, const char *name,
                          const char *text)
{
    if (!simulation->cut_short)
        return;
    simulation->cut_short = false;
    char *problem = memory_format("%s%s: %.*s", kind, name, (int)strcspn(text, "\n"), text);
    simulation_finish(simulation, interruption_seen() ? SIMULATION_INTERRUPTED : SIMULATION_LIMIT,
                      problem);
    free(problem);
}

static bool on_callback_ended(void *data, const char *callback, const char *text)
{
    struct simulation *simulation = data;
    struct call_time *row = call_times_row(&simulation->calls, "callback", callback);
    row->count++;
    if (text == NULL)
        return false;
    call_time_fail(row, "callback ", text, loop_now(simulation->loop));
    check_stopped(simulation, "callback ", callback, text);
    return false;
}

// Of timers and spawned functions.
static void on_failure(void *data, const char *what, const char *text)
{
    struct simulation *simulation = data;
    call_time_fail(call_times_row(&simulation->calls, "callback", what), "", text,
                   loop_now(simulation->loop));
    check_stopped(simulation, "", what, text);
}

static void on_slice(void *data, const struct title *title, uint64_t nanoseconds)
{
    struct simulation *simulation = data;
    bool callback = strcmp(title->kind, "callback") == 0;
    const char *name = title->loaded ? "chunk" : title->name;
    struct call_time *row =
        call_times_row(&simulation->calls, title->loaded ? "main" : title->kind, name);
    row->count += !callback;
    call_time_add(row, nanoseconds);
    if (simulation->settings.think > 0 && !title->loaded)
        loop_virtual_pass(simulation->loop,
                          (uint64_t)(simulation->settings.think * (double)nanoseconds));
    simulation->cut_short = simulation->script != NULL && script_stopped(simulation->script);
}

static bool is_over(const struct simulation *simulation)
{
    double limit = simulation->settings.limit;
    return limit > 0 && stopwatch_seconds() - simulation->began > limit;
}

static void on_long(void *data)
{
    if (interruption_seen())
        script_interrupt("a signal");
    else if (is_over(data))
        script_interrupt("the limit of real time (--time-limit)");
}

static void on_exit_asked(void *data, int code)
{
    struct simulation *simulation = data;
    char *problem = memory_format("the policy has called mesos.exit(%d)", code);
    simulation_finish(simulation, code == 0 ? SIMULATION_STOPPED : SIMULATION_FAILED, problem);
    free(problem);
}

// Never called: driver:start() of a script's own driver has raised.
static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    (void)data, (void)done, (void)done_data;
}

static void on_connected(void *data, struct scheduler *scheduler, bool connected)
{
    (void)scheduler;
    if (connected)
        simulation_feed_begin(data);
}

static bool on_stub(void *data, const char *name, struct buffer *values, struct error *err)
{
    struct simulation *simulation = data;
    return simulation->events->stub(simulation->events->data, name, values, err);
}

// ---- the script ----

static struct script *create_script(struct simulation *simulation, struct error *err)
{
    const struct script_module modules[] = {{"mesos", module_open, &simulation->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {.loop = simulation->loop,
                                             .modules = modules,
                                             .memory_limit = simulation->settings.memory_limit,
                                             .callback_limit = simulation->settings.callback_limit,
                                             .load_limit = simulation->settings.load_limit,
                                             .hash_seed =
                                                 policy_world_hash_seed(&simulation->world),
                                             .on_exit = on_exit_asked,
                                             .on_long = on_long,
                                             .on_failure = on_failure,
                                             .on_slice = on_slice,
                                             .data = simulation};
    return script_create(&settings, err);
}

static bool run_script(struct simulation *simulation, struct error *err)
{
    const struct simulation_settings *settings = &simulation->settings;
    char *arguments[ARGUMENTS_MOST + 1] = {NULL};
    if (settings->argc > ARGUMENTS_MOST)
        return error_set(err, ERROR_LIMIT, "more than %d arguments", ARGUMENTS_MOST);
    for (int i = 0; i < settings->argc; i++)
        arguments[i] = (char *)(uintptr_t)settings->argv[i];
    bool loaded = script_load(simulation->script, settings->script, settings->argc, arguments, err);
    return script_check_exit(simulation->script, err) && loaded;
}

static void on_warning(void *data, const char *text)
{
    const struct simulation *simulation = data;
    log_warning("%s: %s", simulation->settings.script, text);
}

static bool adopt(struct simulation *simulation, struct error *err)
{
    if (!scheduler_adopt(simulation->script, &simulation->environment, on_warning, simulation,
                         &simulation->scheduler, err))
        return false;
    return simulation->scheduler != NULL ||
           error_set(err, ERROR_INVALID,
                     "%s returns no scheduler: the simulator drives the scheduler that a script "
                     "returns, not one that builds its driver itself",
                     simulation->settings.script);
}

static int l_has_submit(lua_State *L) // [-0, +1, e]
{
    const struct simulation *simulation = lua_touserdata(L, 1);
    scheduler_push_table(L, simulation->scheduler);
    lua_getfield(L, -1, "submit");
    lua_pushboolean(L, !lua_isnil(L, -1));
    return 1;
}

static bool check_submit(struct simulation *simulation, struct error *err)
{
    lua_State *L = script_state(simulation->script);
    if (!simulation->settings.workload)
        return true;
    enum protect_outcome outcome =
        protect_run(simulation->script, NULL, l_has_submit, simulation, 1);
    if (outcome != PROTECT_DONE)
        return protect_result(simulation->script, outcome, err);
    bool has = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return has || error_set(err, ERROR_INVALID,
                            "%s takes no jobs: its scheduler has no callback submit(driver, job), "
                            "which gets the rows of the workload",
                            simulation->settings.script);
}

bool simulation_policy_load(struct simulation *simulation, struct error *err)
{
    simulation->services = (struct scheduler_services){.connect = simulation_cluster_connect,
                                                       .run = on_run,
                                                       .connected = on_connected,
                                                       .data = simulation};
    simulation->environment = (struct scheduler_environment){
        .loop = simulation->loop, .services = &simulation->services, .testing = true};
    simulation->world = (struct policy_world){.loop = simulation->loop,
                                              .seed = simulation->settings.seed,
                                              .stub = on_stub,
                                              .data = simulation};
    simulation->script = create_script(simulation, err);
    return simulation->script != NULL &&
           policy_world_open(&simulation->world, simulation->script, err) &&
           run_script(simulation, err) && adopt(simulation, err) && check_submit(simulation, err);
}

void simulation_policy_start(struct simulation *simulation)
{
    scheduler_observe(simulation->scheduler, on_callback_ended, simulation);
    driver_start(scheduler_driver(simulation->scheduler));
}

void simulation_policy_free(struct simulation *simulation)
{
    simulation->environment.ending = true;
    if (simulation->scheduler != NULL)
        scheduler_observe(simulation->scheduler, NULL, NULL);
    while (simulation->environment.first != NULL)
        scheduler_destroy(simulation->environment.first);
    script_destroy(simulation->script);
}

// ---- why jobs wait ----

static void add_amount(struct buffer *need, const char *name, double amount)
{
    if (amount > 0)
        buffer_format(need, "%s%s=%.9g", need->length > 0 ? "," : "", name, amount);
}

static bool has_role(const struct explanation *explanation, const char *role)
{
    for (size_t i = 0; i < explanation->roles.count; i++)
        if (role != NULL && strcmp(explanation->roles.names[i], role) == 0)
            return true;
    return false;
}

// The role of a row may be only a name for accounts: it counts if the framework has it.
static bool read_need(struct explanation *explanation, const struct books_row *row)
{
    struct buffer need;
    buffer_init(&need, 4096);
    add_amount(&need, "cpus", row->cpus);
    add_amount(&need, "mem", row->mem);
    add_amount(&need, "disk", row->disk);
    add_amount(&need, "gpus", row->gpus);
    if (need.length > 0 && has_role(explanation, row->role))
        buffer_format(&need, ",role=%s", row->role);
    bool good = need.length > 0 && explanation_read(explanation, buffer_slice(&need), NULL);
    buffer_free(&need);
    return good;
}

bool simulation_policy_explain(void *data, const struct books_row *need, struct buffer *text)
{
    struct simulation *simulation = data;
    struct explanation explanation;
    explanation_init(&explanation, scheduler_driver(simulation->scheduler));
    bool good = read_need(&explanation, need);
    if (good) {
        explanation_finish(&explanation);
        explanation_write(&explanation, text);
    }
    explanation_free(&explanation);
    return good;
}
