// SPDX-License-Identifier: Apache-2.0
//
// A scheduler: see scheduler.h. The table that the script wrote and the driver object are held by
// registry references; both go when the scheduler or its script goes, whichever is first. A
// callback that waits may outlive its scheduler, so its end is reported through a block of its own.

#include "bindings/scheduler/scheduler_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "offers/offer_fields.h"
#include "script/protect.h"
#include "wire/field_numbers.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

// One callback, from its start to its end.
struct callback_delivery {
    struct scheduler *scheduler; // NULL: its end is not waited for any more
    enum driver_callback callback;
    const struct bytes *job; // of CALLBACK_SUBMIT, or NULL
};

// ---- a callback that the script does not have ----

static void decline_all(struct scheduler *scheduler, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++)
        driver_decline(scheduler->driver, offer_fields_id(event->offers[i]),
                       (struct slice){.data = NULL});
}

static void default_callback(struct scheduler *scheduler, const struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS)
        decline_all(scheduler, event);
    else if (event->callback == CALLBACK_FRAMEWORK_REMOVED)
        log_error(
            "the master has completed the framework %.*s, and its tasks are gone; to go on as "
            "a new one, let a callback frameworkRemoved return \"reregister\"",
            SLICE_ARGS(event->framework_id));
}

// ---- the framework id that is kept ----

static bool keeps_id(const struct scheduler *scheduler)
{
    return scheduler->environment->kept == scheduler;
}

static bool keep_id(struct scheduler *scheduler, struct slice id, struct error *err)
{
    const struct scheduler_services *services = scheduler->environment->services;
    return !keeps_id(scheduler) || services->keep_id(services->data, id, err);
}

static void stop_keeping_id(struct scheduler *scheduler)
{
    if (keeps_id(scheduler))
        scheduler->environment->kept = NULL;
}

// A registration that this process would not remember is not reported to the script.
static bool keep_new_id(struct scheduler *scheduler, const struct driver_event *event)
{
    if (event->callback != CALLBACK_REGISTERED)
        return true;
    struct error err = {0};
    if (keep_id(scheduler, event->framework_id, &err))
        return true;
    error_context(&err, "registered as framework %.*s, whose id cannot be kept",
                  SLICE_ARGS(event->framework_id));
    driver_fail(scheduler->driver, err.text);
    return false;
}

// What happened to the tasks meanwhile comes as updates that are repeated, if they were not
// acknowledged, and as answers to this. The script was called before, and may have asked for
// tasks by name.
static void reconcile(struct scheduler *scheduler)
{
    if (!scheduler->resumes)
        return;
    scheduler->resumes = false;
    driver_call(scheduler->driver, CALL_RECONCILE, slice_text(""));
}

// The id is removed first: a crash between the two registers a new framework, but does not loop.
static void reregister(struct scheduler *scheduler)
{
    struct error err = {0};
    scheduler->resumes = false;
    if (keep_id(scheduler, slice_text(""), &err))
        driver_reregister(scheduler->driver);
    else
        log_error("cannot go on as a new framework: %s", err.text);
}

static bool wants_reregistration(const struct protect_end *end)
{
    static const char word[] = "reregister";
    if (end->outcome != PROTECT_DONE || end->results == 0)
        return false;
    int first = -end->results;
    if (lua_type(end->L, first) == LUA_TSTRING && strcmp(lua_tostring(end->L, first), word) == 0)
        return true;
    if (!lua_isnil(end->L, first))
        log_warning("callback frameworkRemoved returned a %s; only \"%s\" makes it go on",
                    luaL_typename(end->L, first), word);
    return false;
}

static void follow_up(struct scheduler *scheduler, enum driver_callback callback,
                      const struct protect_end *end)
{
    if (callback == CALLBACK_REGISTERED)
        reconcile(scheduler);
    else if (callback == CALLBACK_FRAMEWORK_REMOVED && wants_reregistration(end))
        reregister(scheduler);
}

static void forget_id(struct scheduler *scheduler)
{
    struct error err = {0};
    if (driver_torn_down(scheduler->driver) && !keep_id(scheduler, slice_text(""), &err))
        log_error("the framework was torn down, but its id is still kept: %s", err.text);
    stop_keeping_id(scheduler);
}

// ---- dispatch ----

static bool is_missing(const struct scheduler *scheduler)
{
    return scheduler->dispatch != NULL && scheduler->dispatch->missing;
}

// Calls the observer, which may ask for the event to be delivered again: returns true then.
static bool callback_ended(struct scheduler *scheduler, enum driver_callback callback,
                           const char *text)
{
    bool again = scheduler->ended != NULL && !is_missing(scheduler) &&
                 !scheduler->destroy_pending &&
                 scheduler->ended(scheduler->ended_data, events_callback_name(callback), text);
    if (again)
        driver_repeat(scheduler->driver);
    return again;
}

static void measure(struct scheduler *scheduler, enum driver_callback callback, double seconds)
{
    struct scheduler_times *times = &scheduler->times[callback];
    if (is_missing(scheduler))
        return;
    for (int i = 0; i < SCHEDULER_BOUNDS; i++) {
        if (seconds <= scheduler_bounds[i]) {
            times->within[i]++;
            break;
        }
    }
    times->count++;
    times->sum += seconds;
    times->last = seconds;
    if (seconds > times->longest)
        times->longest = seconds;
}

static void on_done(void *data, const struct protect_end *end)
{
    struct callback_delivery *delivery = data;
    struct scheduler *scheduler = delivery->scheduler;
    enum driver_callback callback = delivery->callback;
    const struct bytes *job = delivery->job;
    bool ok = end->outcome == PROTECT_DONE, raised = end->outcome == PROTECT_RAISED;
    if (raised)
        log_error("callback %s: %s", events_callback_name(callback), end->text);
    if (scheduler == NULL) {
        free(delivery);
        return;
    }
    scheduler->delivery = NULL;
    scheduler->spare = delivery;
    measure(scheduler, callback, scheduler->script ? protect_seconds(scheduler->script, end) : 0);
    bool again = (ok || raised) && callback_ended(scheduler, callback, raised ? end->text : NULL);
    if (job != NULL && !again)
        submissions_answer(scheduler, job, is_missing(scheduler), end);
    follow_up(scheduler, callback, end);
    if (scheduler->dispatch != NULL)
        scheduler->dispatch->outcome = ok ? OUTCOME_DONE : OUTCOME_FAILED;
    else
        driver_callback_finished(scheduler->driver, ok);
}

static void detach_delivery(struct scheduler *scheduler)
{
    if (scheduler->delivery != NULL)
        scheduler->delivery->scheduler = NULL;
    scheduler->delivery = NULL;
}

static void release(struct scheduler *scheduler)
{
    detach_delivery(scheduler);
    submissions_end_all(scheduler, "the framework has ended");
    free(scheduler->spare);
    driver_destroy(scheduler->driver);
    scheduler_settings_forget(&scheduler->description);
    free(scheduler);
}

static struct callback_delivery *new_delivery(struct scheduler *scheduler,
                                              const struct driver_event *event)
{
    scheduler->delivery =
        scheduler->spare ? scheduler->spare : memory_new(sizeof *scheduler->delivery);
    scheduler->spare = NULL;
    *scheduler->delivery =
        (struct callback_delivery){.scheduler = scheduler,
                                   .callback = event->callback,
                                   .job = event->callback == CALLBACK_SUBMIT ? event->block : NULL};
    return scheduler->delivery;
}

static void report_connection(struct scheduler *scheduler, enum driver_callback callback)
{
    const struct scheduler_services *services = scheduler->environment->services;
    bool connected = callback == CALLBACK_REGISTERED || callback == CALLBACK_REREGISTERED;
    if (services->connected != NULL && (connected || callback == CALLBACK_DISCONNECTED))
        services->connected(services->data, scheduler, connected);
}

static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct scheduler *scheduler = data;
    if (scheduler->script == NULL || !keep_new_id(scheduler, event))
        return OUTCOME_FAILED;
    report_connection(scheduler, event->callback);
    if (event->callback == CALLBACK_ERROR)
        log_error("%.*s", SLICE_ARGS(event->data));
    struct callback_dispatch dispatch = {
        .scheduler = scheduler, .event = event, .outcome = OUTCOME_DONE};
    scheduler->dispatch = &dispatch;
    const struct title title = {.kind = "callback", .name = events_callback_name(event->callback)};
    enum protect_outcome started =
        protect_dispatch(scheduler->script, &title, callback_arguments_push, &dispatch, on_done,
                         new_delivery(scheduler, event));
    scheduler->dispatch = NULL;
    if (scheduler->destroy_pending) {
        release(scheduler);
        return OUTCOME_FAILED;
    }
    if (dispatch.missing)
        default_callback(scheduler, event);
    return started == PROTECT_YIELDED ? OUTCOME_PENDING : dispatch.outcome;
}

// The object is referenced while the driver runs, even if the script has no reference to it.
static void on_finished(void *data)
{
    struct scheduler *scheduler = data;
    scheduler->environment->aborted = driver_status(scheduler->driver) == DRIVER_ABORTED;
    forget_id(scheduler);
    submissions_end_all(scheduler, "the framework has ended");
    if (scheduler->script == NULL)
        return;
    luaL_unref(script_state(scheduler->script), LUA_REGISTRYINDEX, scheduler->object);
    scheduler->object = LUA_NOREF;
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- life ----

static void join_environment(struct scheduler *scheduler, struct scheduler_environment *environment)
{
    scheduler->environment = environment;
    scheduler->next = environment->first;
    scheduler->link = &environment->first;
    if (scheduler->next != NULL)
        scheduler->next->link = &scheduler->next;
    environment->first = scheduler;
    environment->used = true;
}

static void leave_environment(struct scheduler *scheduler)
{
    *scheduler->link = scheduler->next;
    if (scheduler->next != NULL)
        scheduler->next->link = scheduler->link;
}

// Raises if the script names another framework id than the one that was kept. // [-0, +0, v]
static void check_id(lua_State *L, struct slice given, struct slice kept)
{
    if (given.length > 0 && kept.length > 0 && !slice_equal(given, kept))
        luaL_error(L,
                   "framework.id is '%s', but the id that was kept (--state) is '%s': leave "
                   "framework.id out, or use another state file",
                   lua_pushlstring(L, (const char *)given.data, given.length),
                   lua_pushlstring(L, (const char *)kept.data, kept.length));
}

// The driver starts with the id that is kept, unless it is that of another scheduler. // [-0,
// +many, v]
static bool use_kept_id(lua_State *L, const struct scheduler_environment *environment,
                        struct driver_options *options)
{
    const struct scheduler_services *services = environment->services;
    if (services->kept_id == NULL || environment->kept != NULL)
        return false;
    struct slice given = wire_text(wire_find(options->framework, FIELD_FRAMEWORK_INFO_ID));
    options->framework_id = services->kept_id(services->data);
    check_id(L, given, options->framework_id);
    return true;
}

// Warns of a failover timeout of 0: the master removes the framework when the process ends.
static void check_timeout(const struct driver *driver)
{
    struct slice info = driver_framework(driver);
    Mesos__V1__FrameworkInfo *framework =
        mesos__v1__framework_info__unpack(NULL, info.length, info.data);
    if (framework != NULL && !(framework->failover_timeout > 0))
        log_warning("the framework id is kept, but framework.failover_timeout is 0: the master "
                    "removes the framework and its tasks as soon as this process ends; set it to "
                    "the seconds that a restart may take");
    mesos__v1__framework_info__free_unpacked(framework, NULL);
}

static void keep_from_now(struct scheduler *scheduler, const struct driver_options *options)
{
    scheduler->environment->kept = scheduler;
    scheduler->resumes = options->framework_id.length > 0;
    if (!scheduler->environment->checking)
        check_timeout(scheduler->driver);
}

void scheduler_forget(struct scheduler_environment *environment, const struct script *script)
{
    for (struct scheduler *scheduler = environment->first; scheduler != NULL;
         scheduler = scheduler->next)
        if (scheduler->script == script)
            scheduler->script = NULL;
}

struct scheduler *scheduler_create(lua_State *L, int index,
                                   struct scheduler_environment *environment)
{
    struct scheduler_settings settings = {.master = NULL};
    const struct credentials_options *credential = &settings.credential;
    const struct scheduler_services *services = environment->services;
    struct error err = {0};
    int top = lua_gettop(L);
    luaL_checkstack(L, 30, "settings of a driver");
    index = lua_absindex(L, index);
    scheduler_settings_check(L, index);
    scheduler_settings_read(L, index, &settings);
    bool keeps = use_kept_id(L, environment, &settings.options);
    lua_pushvalue(L, top + 1);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    if (!services->connect(services->data, settings.master,
                           credential->principal ? credential : NULL, &settings.options, &err)) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        luaL_error(L, "%s", err.text);
    }
    struct scheduler *scheduler = memory_new(sizeof *scheduler);
    TAILQ_INIT(&scheduler->submissions);
    scheduler->explicit_acknowledgements = settings.options.explicit_acknowledgements;
    scheduler->driver =
        driver_create(environment->loop, &settings.options, &listener, scheduler, &err);
    if (scheduler->driver == NULL) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        free(scheduler);
        luaL_error(L, "%s", err.text);
    }
    scheduler->script = script_of(L);
    scheduler->table = table;
    scheduler->object = LUA_NOREF;
    scheduler_settings_describe(&scheduler->description, &settings);
    join_environment(scheduler, environment);
    if (keeps)
        keep_from_now(scheduler, &settings.options);
    lua_settop(L, top);
    return scheduler;
}

void scheduler_unref_script(struct scheduler *scheduler)
{
    lua_State *L = script_state(scheduler->script);
    luaL_unref(L, LUA_REGISTRYINDEX, scheduler->object);
    luaL_unref(L, LUA_REGISTRYINDEX, scheduler->table);
    scheduler->script = NULL;
}

void scheduler_point(struct scheduler *scheduler, struct scheduler_handle *handle)
{
    scheduler_handle_link(handle, scheduler, &scheduler->handles);
}

void scheduler_destroy(struct scheduler *scheduler)
{
    if (scheduler == NULL || scheduler->destroy_pending)
        return;
    leave_environment(scheduler);
    stop_keeping_id(scheduler);
    if (scheduler->script != NULL)
        scheduler_unref_script(scheduler);
    scheduler_handle_clear(&scheduler->handles);
    scheduler->destroy_pending = true;
    if (scheduler->dispatch == NULL)
        release(scheduler);
}

// ---- what others ask ----

const struct offer *scheduler_find_offer(void *data, struct slice id)
{
    const struct scheduler_environment *environment = data;
    const struct offer *found = NULL;
    for (struct scheduler *it = environment->first; it != NULL && found == NULL; it = it->next)
        found = offer_table_find(driver_offers(it->driver), id, NULL);
    return found;
}

struct driver *scheduler_driver(struct scheduler *scheduler)
{
    return scheduler->driver;
}

struct scheduler *scheduler_next(struct scheduler *scheduler)
{
    return scheduler->next;
}

struct scheduler_environment *scheduler_environment(struct scheduler *scheduler)
{
    return scheduler->environment;
}

bool scheduler_explicit(const struct scheduler *scheduler)
{
    return scheduler->explicit_acknowledgements;
}

// A framework without a failover timeout would lose its tasks anyway: end it in an orderly way.
void scheduler_stop(struct scheduler *scheduler)
{
    struct slice info = driver_framework(scheduler->driver);
    Mesos__V1__FrameworkInfo *framework =
        mesos__v1__framework_info__unpack(NULL, info.length, info.data);
    bool failover = framework != NULL && framework->failover_timeout > 0;
    mesos__v1__framework_info__free_unpacked(framework, NULL);
    driver_stop(scheduler->driver, failover);
}

void scheduler_give_up(struct scheduler *scheduler)
{
    if (scheduler->delivery == NULL || scheduler->dispatch != NULL)
        return;
    log_debug("callback %s is not waited for any more",
              events_callback_name(scheduler->delivery->callback));
    detach_delivery(scheduler);
    driver_callback_finished(scheduler->driver, false);
}

void scheduler_hold(lua_State *L, struct scheduler *scheduler, int index)
{
    lua_pushvalue(L, index);
    scheduler->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

void scheduler_push_driver(lua_State *L, struct scheduler *scheduler)
{
    scheduler_push_object(L, scheduler);
}

void scheduler_observe(struct scheduler *scheduler,
                       bool (*ended)(void *data, const char *callback, const char *text),
                       void *data)
{
    scheduler->ended = ended;
    scheduler->ended_data = data;
}

const char *scheduler_callback(const struct scheduler *scheduler)
{
    return scheduler->delivery ? events_callback_name(scheduler->delivery->callback) : NULL;
}

// ---- looking at it ----

const double scheduler_bounds[SCHEDULER_BOUNDS] = {0.0001, 0.0005, 0.001, 0.005, 0.01,
                                                   0.05,   0.1,    0.5,   1,     5};

const struct scheduler_times *scheduler_times(const struct scheduler *scheduler,
                                              enum driver_callback callback)
{
    return &scheduler->times[callback];
}

void scheduler_push_table(lua_State *L, const struct scheduler *scheduler)
{
    if (scheduler->script != NULL)
        lua_rawgeti(L, LUA_REGISTRYINDEX, scheduler->table);
    else
        lua_pushnil(L);
}
