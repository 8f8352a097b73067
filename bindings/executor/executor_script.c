// SPDX-License-Identifier: Apache-2.0
//
// An executor in Lua: see executor_script.h. Its routines may outlive it, so each is reported
// through a block of its own.

#include "bindings/core/adoption.h"
#include "bindings/executor/executor_script_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "script/protect.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static bool is_launch(const struct executor_event *event)
{
    return event->callback == EXECUTOR_LAUNCH_TASK || event->callback == EXECUTOR_LAUNCH_GROUP;
}

// ---- launches that failed ----

static void fail_task(struct executor_script *executor, struct slice task, const char *message)
{
    struct slice id = wire_text(wire_find(task, FIELD_TASK_INFO_TASK_ID));
    char *text = memory_text((const char *)id.data, id.length);
    executor_driver_end_task(executor->driver, text, MESOS__V1__TASK_STATE__TASK_FAILED, message);
    free(text);
}

static void fail_launch(struct executor_script *executor, const struct executor_event *event,
                        const char *message)
{
    struct slice group = event->message, task;
    if (event->callback == EXECUTOR_LAUNCH_TASK)
        fail_task(executor, event->message, message);
    while (event->callback == EXECUTOR_LAUNCH_GROUP && executor_events_next_task(&group, &task))
        fail_task(executor, task, message);
}

// The first line of the text is the message, what follows it the traceback, which is in the log.
static void fail_raised(struct executor_script *executor, const struct executor_event *event,
                        const char *text)
{
    char *message = memory_format("callback %s: %.*s", executor_events_name(event->callback),
                                  (int)strcspn(text, "\n"), text);
    fail_launch(executor, event, message);
    free(message);
}

// ---- a callback that the script does not have ----

static void default_callback(struct executor_script *executor, const struct executor_event *event)
{
    if (is_launch(event))
        fail_launch(executor, event, "the executor has no callback launchTask");
    else if (event->callback == EXECUTOR_SHUTDOWN)
        executor_driver_kill_all(executor->driver);
    else if (event->callback == EXECUTOR_KILL_TASK)
        log_warning("task %.*s is not killed: the executor has no callback killTask",
                    SLICE_ARGS(event->task_id));
}

// ---- routines ----

static struct executor_routine *new_routine(struct executor_script *executor,
                                            const struct executor_event *event)
{
    struct executor_routine *routine = memory_new(sizeof *routine);
    routine->executor = executor;
    routine->event = *event;
    routine->starting = true;
    if (is_launch(event))
        bytes_ref(event->block);
    LIST_INSERT_HEAD(&executor->routines, routine, link);
    return routine;
}

static void free_routine(struct executor_routine *routine)
{
    if (routine->executor != NULL)
        LIST_REMOVE(routine, link);
    if (is_launch(&routine->event))
        bytes_unref(routine->event.block);
    free(routine);
}

static void on_done(void *data, const struct protect_end *end)
{
    struct executor_routine *routine = data;
    struct executor_script *executor = routine->executor;
    bool launch = is_launch(&routine->event), starting = routine->starting;
    if (end->outcome == PROTECT_RAISED)
        log_error("callback %s: %s", executor_events_name(routine->event.callback), end->text);
    if (end->outcome == PROTECT_RAISED && launch && executor != NULL)
        fail_raised(executor, &routine->event, end->text);
    routine->ended = true;
    if (starting)
        return;
    free_routine(routine);
    if (!launch && executor != NULL)
        executor_driver_callback_finished(executor->driver);
}

static void release(struct executor_script *executor)
{
    while (!LIST_EMPTY(&executor->routines)) {
        struct executor_routine *routine = LIST_FIRST(&executor->routines);
        LIST_REMOVE(routine, link);
        routine->executor = NULL;
    }
    executor_driver_destroy(executor->driver);
    free(executor);
}

// Starts the routine of an event. True if it waits.
static bool start(struct executor_script *executor, struct executor_routine *routine)
{
    const struct title title = {.kind = "callback",
                                .name = executor_events_name(routine->event.callback)};
    executor->depth++;
    protect_dispatch(executor->script, &title, executor_arguments_push, routine, on_done, routine);
    executor->depth--;
    routine->starting = false;
    return !routine->ended;
}

static enum driver_outcome on_callback(void *data, const struct executor_event *event)
{
    struct executor_script *executor = data;
    bool launch = is_launch(event);
    if (event->callback == EXECUTOR_ERROR)
        log_error("%.*s", SLICE_ARGS(event->data));
    struct executor_routine *routine = new_routine(executor, event);
    bool waits = start(executor, routine), missing = routine->missing;
    if (!waits)
        free_routine(routine);
    if (executor->destroyed && executor->depth == 0) {
        release(executor);
        return OUTCOME_FAILED;
    }
    if (missing)
        default_callback(executor, event);
    return waits && !launch ? OUTCOME_PENDING : OUTCOME_DONE;
}

static void on_expired(void *data)
{
    struct executor_script *executor = data;
    executor->expired(executor->data);
}

static const struct executor_listener listener = {.callback = on_callback, .expired = on_expired};

// ---- the table that the script returned ----

struct executor_adoption {
    struct script *script;
    const struct executor_script_settings *settings;
    int table; // registry reference
    bool groups;
};

static const char *callback_name(const void *data, size_t i)
{
    (void)data;
    return i < EXECUTOR_CALLBACKS ? executor_events_name((enum executor_callback)i) : NULL;
}

static bool has_callback(lua_State *L, int table, enum executor_callback callback) // [-0, +0, e]
{
    bool found = lua_getfield(L, table, executor_events_name(callback)) == LUA_TFUNCTION;
    lua_pop(L, 1);
    return found;
}

static int adopt(lua_State *L) // [-1, +0, e]
{
    struct executor_adoption *adoption = lua_touserdata(L, 1);
    const struct executor_script_settings *settings = adoption->settings;
    script_result(adoption->script, L);
    int table = lua_gettop(L);
    if (!lua_istable(L, table))
        luaL_error(L,
                   "it returned %s: an executor's script returns a table with callbacks such as "
                   "launchTask",
                   lua_isnil(L, table) ? "nothing"
                                       : lua_pushfstring(L, "a %s", luaL_typename(L, table)));
    adoption_check_names(L, table, callback_name, settings->warn, settings->data);
    adoption->groups = has_callback(L, table, EXECUTOR_LAUNCH_GROUP);
    if (!adoption->groups && !has_callback(L, table, EXECUTOR_LAUNCH_TASK))
        settings->warn(settings->data,
                       "it has no callback launchTask, so that every task will fail");
    adoption_load_module(L, "mesos");
    executor_methods_open(L);
    lua_pushvalue(L, table);
    adoption->table = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

struct executor_guess {
    struct script *script;
    bool is;
};

static int guess(lua_State *L) // [-1, +0, e]
{
    struct executor_guess *guess = lua_touserdata(L, 1);
    script_result(guess->script, L);
    int table = lua_gettop(L);
    guess->is = lua_istable(L, table) && (has_callback(L, table, EXECUTOR_LAUNCH_TASK) ||
                                          has_callback(L, table, EXECUTOR_LAUNCH_GROUP));
    return 0;
}

bool executor_script_is(struct script *script)
{
    struct executor_guess made = {.script = script};
    if (protect_run(script, NULL, guess, &made, 0) == PROTECT_RAISED)
        lua_pop(script_state(script), 1);
    return made.is;
}

static bool adopt_table(struct executor_adoption *adoption, struct error *err)
{
    struct script *script = adoption->script;
    return protect_result(script, protect_run(script, NULL, adopt, adoption, 0), err);
}

// ---- life ----

struct executor_script *executor_script_create(struct script *script,
                                               const struct executor_script_settings *settings,
                                               struct error *err)
{
    struct executor_adoption adoption = {.script = script, .settings = settings};
    if (!adopt_table(&adoption, err)) {
        transport_destroy(settings->transport);
        return NULL;
    }
    const struct executor_driver_options options = {.environment = settings->environment,
                                                    .transport = settings->transport,
                                                    .tls = settings->tls,
                                                    .groups = adoption.groups};
    struct executor_script *executor = memory_new(sizeof *executor);
    executor->script = script;
    executor->table = adoption.table;
    executor->object = LUA_NOREF;
    executor->expired = settings->expired;
    executor->data = settings->data;
    LIST_INIT(&executor->routines);
    executor->driver =
        executor_driver_create(script_loop(script), &options, &listener, executor, err);
    if (executor->driver != NULL)
        return executor;
    free(executor);
    return NULL;
}

void executor_script_destroy(struct executor_script *executor)
{
    if (executor == NULL || executor->destroyed)
        return;
    lua_State *L = script_state(executor->script);
    lua_rawgeti(L, LUA_REGISTRYINDEX, executor->object);
    executor_methods_clear(L);
    luaL_unref(L, LUA_REGISTRYINDEX, executor->object);
    luaL_unref(L, LUA_REGISTRYINDEX, executor->table);
    executor->destroyed = true;
    if (executor->depth == 0)
        release(executor);
}

struct executor_driver *executor_script_driver(struct executor_script *executor)
{
    return executor->driver;
}
