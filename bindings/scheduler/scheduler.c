// SPDX-License-Identifier: Apache-2.0
//
// A scheduler: see scheduler.h. The table that the script wrote and the driver object are held by
// registry references; both go when the scheduler or its script goes, whichever is first. A
// callback that waits may outlive its scheduler, so what it tells at its end goes through a block
// of its own.

#include "bindings/scheduler/scheduler_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "offers/offer_fields.h"
#include "script/protect.h"
#include "wire/field_numbers.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

// A callback while it is being started, on the C stack: what it is given, and how it ended if that
// was at once.
struct callback_dispatch {
    struct scheduler *scheduler;
    const struct driver_event *event;
    bool missing; // the script has no such callback
    enum driver_outcome outcome;
};

// One callback, from its start to its end.
struct callback_delivery {
    struct scheduler *scheduler; // NULL: nobody waits for its end any more
    enum driver_callback callback;
    double started;
};

// ---- a callback that the script does not have ----

static void decline_all(struct scheduler *this, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++)
        driver_decline(this->driver, offer_fields_id(event->offers[i]),
                       (struct slice){.data = NULL});
}

static void do_without(struct scheduler *this, const struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS)
        decline_all(this, event);
    else if (event->callback == CALLBACK_FRAMEWORK_REMOVED)
        log_error(
            "the master has completed the framework %.*s, and its tasks are gone; to go on as "
            "a new one, let a callback frameworkRemoved return \"reregister\"",
            SLICE_ARGS(event->framework_id));
}

// ---- the framework id that is kept ----

static bool keeps_id(const struct scheduler *this)
{
    return this->environment->kept == this;
}

static bool keep_id(struct scheduler *this, struct slice id, struct error *err)
{
    const struct scheduler_services *services = this->environment->services;
    return !keeps_id(this) || services->keep_id(services->data, id, err);
}

static void let_go_of_id(struct scheduler *this)
{
    if (keeps_id(this))
        this->environment->kept = NULL;
}

// Nobody may hear of a registration that this process would not remember.
static bool keep_new_id(struct scheduler *this, const struct driver_event *event)
{
    if (event->callback != CALLBACK_REGISTERED)
        return true;
    struct error err = {0};
    if (keep_id(this, event->framework_id, &err))
        return true;
    error_context(&err, "registered as framework %.*s, whose id cannot be kept",
                  SLICE_ARGS(event->framework_id));
    driver_fail(this->driver, err.text);
    return false;
}

// What became of the tasks meanwhile is told by updates that come again, if they were not
// acknowledged, and by the answers to this. The script was called before, and may have asked for
// tasks by name.
static void reconcile(struct scheduler *this)
{
    if (!this->resumes)
        return;
    this->resumes = false;
    driver_call(this->driver, CALL_RECONCILE, slice_text(""));
}

// The id goes first: a crash between the two makes another framework, but no loop.
static void reregister(struct scheduler *this)
{
    struct error err = {0};
    this->resumes = false;
    if (keep_id(this, slice_text(""), &err))
        driver_reregister(this->driver);
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

static void follow_up(struct scheduler *this, enum driver_callback callback,
                      const struct protect_end *end)
{
    if (callback == CALLBACK_REGISTERED)
        reconcile(this);
    else if (callback == CALLBACK_FRAMEWORK_REMOVED && wants_reregistration(end))
        reregister(this);
}

static void forget_id(struct scheduler *this)
{
    struct error err = {0};
    if (driver_torn_down(this->driver) && !keep_id(this, slice_text(""), &err))
        log_error("the framework was torn down, but its id is still kept: %s", err.text);
    let_go_of_id(this);
}

// ---- dispatch ----

// Pushes the method and its arguments, or nothing if there is no such method. // [-0, +n, e]
static int push_callback(lua_State *L)
{
    struct callback_dispatch *dispatch = lua_touserdata(L, 1);
    struct scheduler *this = dispatch->scheduler;
    luaL_checkstack(L, 10, "arguments of a callback");
    lua_rawgeti(L, LUA_REGISTRYINDEX, this->table);                       // table
    lua_getfield(L, -1, events_callback_name(dispatch->event->callback)); // table, method
    dispatch->missing = lua_isnil(L, -1);
    if (dispatch->missing)
        return 0;
    lua_rotate(L, -2, 1); // method, table
    scheduler_push_driver(L, this);
    return 3 + callback_arguments_push(L, dispatch->event);
}

static bool is_missing(const struct scheduler *this)
{
    return this->dispatch != NULL && this->dispatch->missing;
}

// Tells the observer, who may want the event to come again.
static void callback_ended(struct scheduler *this, enum driver_callback callback, const char *text)
{
    if (this->ended != NULL && !is_missing(this) && !this->doomed &&
        this->ended(this->ended_data, events_callback_name(callback), text))
        driver_repeat(this->driver);
}

static void measure(struct scheduler *this, enum driver_callback callback, double seconds)
{
    struct scheduler_times *times = &this->times[callback];
    if (is_missing(this))
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
    struct scheduler *this = delivery->scheduler;
    enum driver_callback callback = delivery->callback;
    bool ok = end->outcome == PROTECT_DONE, raised = end->outcome == PROTECT_RAISED;
    if (raised)
        log_error("callback %s: %s", events_callback_name(callback), end->text);
    double seconds = stopwatch_seconds() - delivery->started;
    if (this == NULL) {
        free(delivery);
        return;
    }
    this->delivery = NULL;
    this->spare = delivery;
    measure(this, callback, seconds);
    if (ok || raised)
        callback_ended(this, callback, raised ? end->text : NULL);
    follow_up(this, callback, end);
    if (this->dispatch != NULL)
        this->dispatch->outcome = ok ? OUTCOME_DONE : OUTCOME_FAILED;
    else
        driver_callback_finished(this->driver, ok);
}

static void forsake(struct scheduler *this)
{
    if (this->delivery != NULL)
        this->delivery->scheduler = NULL;
    this->delivery = NULL;
}

static void release(struct scheduler *this)
{
    forsake(this);
    free(this->spare);
    driver_destroy(this->driver);
    scheduler_forget_description(&this->description);
    free(this);
}

static struct callback_delivery *new_delivery(struct scheduler *this, enum driver_callback callback)
{
    this->delivery = this->spare ? this->spare : memory_new(sizeof *this->delivery);
    this->spare = NULL;
    *this->delivery = (struct callback_delivery){
        .scheduler = this, .callback = callback, .started = stopwatch_seconds()};
    return this->delivery;
}

static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct scheduler *this = data;
    if (this->script == NULL || !keep_new_id(this, event))
        return OUTCOME_FAILED;
    if (event->callback == CALLBACK_ERROR)
        log_error("%.*s", SLICE_ARGS(event->data));
    struct callback_dispatch dispatch = {
        .scheduler = this, .event = event, .outcome = OUTCOME_DONE};
    this->dispatch = &dispatch;
    const struct title title = {.kind = "callback", .name = events_callback_name(event->callback)};
    enum protect_outcome started = protect_dispatch(this->script, &title, push_callback, &dispatch,
                                                    on_done, new_delivery(this, event->callback));
    this->dispatch = NULL;
    if (this->doomed) {
        release(this);
        return OUTCOME_FAILED;
    }
    if (dispatch.missing)
        do_without(this, event);
    return started == PROTECT_YIELDED ? OUTCOME_PENDING : dispatch.outcome;
}

// The object is kept while the driver runs, also if the script lets go of it.
static void on_finished(void *data)
{
    struct scheduler *this = data;
    this->environment->aborted = driver_status(this->driver) == DRIVER_ABORTED;
    forget_id(this);
    if (this->script == NULL)
        return;
    luaL_unref(script_state(this->script), LUA_REGISTRYINDEX, this->object);
    this->object = LUA_NOREF;
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- life ----

static void join_environment(struct scheduler *this, struct scheduler_environment *environment)
{
    this->environment = environment;
    this->next = environment->first;
    this->link = &environment->first;
    if (this->next != NULL)
        this->next->link = &this->next;
    environment->first = this;
    environment->used = true;
}

static void leave_environment(struct scheduler *this)
{
    *this->link = this->next;
    if (this->next != NULL)
        this->next->link = this->link;
}

// Which framework is meant if the script says one thing and what was kept another is not for us to
// guess. // [-0, +0, v]
static void check_id(lua_State *L, struct slice given, struct slice kept)
{
    if (given.length > 0 && kept.length > 0 && !slice_equal(given, kept))
        luaL_error(L,
                   "framework.id is '%s', but the id that was kept (--state) is '%s': leave "
                   "framework.id out, or use another state file",
                   lua_pushlstring(L, (const char *)given.data, given.length),
                   lua_pushlstring(L, (const char *)kept.data, kept.length));
}

// The driver comes with the id that is kept, unless that of another is. // [-0, +many, v]
static bool take_kept_id(lua_State *L, const struct scheduler_environment *environment,
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

// A framework that a master removes as soon as it is gone has nothing to come back to.
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

static void keep_from_now(struct scheduler *this, const struct driver_options *options)
{
    this->environment->kept = this;
    this->resumes = options->framework_id.length > 0;
    if (!this->environment->checking)
        check_timeout(this->driver);
}

void scheduler_forget(struct scheduler_environment *environment, const struct script *script)
{
    for (struct scheduler *this = environment->first; this != NULL; this = this->next)
        if (this->script == script)
            this->script = NULL;
}

struct scheduler *scheduler_create(lua_State *L, int index,
                                   struct scheduler_environment *environment)
{
    struct collected collected = {.master = NULL};
    const struct credentials_options *credential = &collected.credential;
    const struct scheduler_services *services = environment->services;
    struct error err = {0};
    int top = lua_gettop(L);
    luaL_checkstack(L, 30, "settings of a driver");
    index = lua_absindex(L, index);
    scheduler_check_settings(L, index);
    scheduler_collect(L, index, &collected);
    bool keeps = take_kept_id(L, environment, &collected.options);
    lua_pushvalue(L, top + 1);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    if (!services->connect(services->data, collected.master,
                           credential->principal ? credential : NULL, &collected.options, &err)) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        luaL_error(L, "%s", err.text);
    }
    struct scheduler *this = memory_new(sizeof *this);
    this->explicit_acknowledgements = collected.options.explicit_acknowledgements;
    this->driver = driver_create(environment->loop, &collected.options, &listener, this, &err);
    if (this->driver == NULL) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        free(this);
        luaL_error(L, "%s", err.text);
    }
    this->script = script_of(L);
    this->table = table;
    this->object = LUA_NOREF;
    scheduler_describe(&this->description, &collected);
    join_environment(this, environment);
    if (keeps)
        keep_from_now(this, &collected.options);
    lua_settop(L, top);
    return this;
}

void scheduler_let_go(struct scheduler *this)
{
    lua_State *L = script_state(this->script);
    luaL_unref(L, LUA_REGISTRYINDEX, this->object);
    luaL_unref(L, LUA_REGISTRYINDEX, this->table);
    this->script = NULL;
}

void scheduler_point(struct scheduler *this, struct scheduler_handle *handle)
{
    scheduler_handle_link(handle, this, &this->handles);
}

void scheduler_destroy(struct scheduler *this)
{
    if (this == NULL || this->doomed)
        return;
    leave_environment(this);
    let_go_of_id(this);
    if (this->script != NULL)
        scheduler_let_go(this);
    scheduler_handle_clear(&this->handles);
    this->doomed = true;
    if (this->dispatch == NULL)
        release(this);
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

struct driver *scheduler_driver(struct scheduler *this)
{
    return this->driver;
}

struct scheduler *scheduler_next(struct scheduler *this)
{
    return this->next;
}

struct scheduler_environment *scheduler_environment(struct scheduler *this)
{
    return this->environment;
}

bool scheduler_explicit(const struct scheduler *this)
{
    return this->explicit_acknowledgements;
}

// A framework without a failover timeout would lose its tasks anyway: end it in an orderly way.
void scheduler_stop(struct scheduler *this)
{
    struct slice info = driver_framework(this->driver);
    Mesos__V1__FrameworkInfo *framework =
        mesos__v1__framework_info__unpack(NULL, info.length, info.data);
    bool failover = framework != NULL && framework->failover_timeout > 0;
    mesos__v1__framework_info__free_unpacked(framework, NULL);
    driver_stop(this->driver, failover);
}

void scheduler_give_up(struct scheduler *this)
{
    if (this->delivery == NULL || this->dispatch != NULL)
        return;
    log_debug("callback %s is not waited for any more",
              events_callback_name(this->delivery->callback));
    forsake(this);
    driver_callback_finished(this->driver, false);
}

void scheduler_hold(lua_State *L, struct scheduler *this, int index)
{
    lua_pushvalue(L, index);
    this->object = luaL_ref(L, LUA_REGISTRYINDEX);
}

void scheduler_push_driver(lua_State *L, struct scheduler *this)
{
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, this->object) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    scheduler_point(this, scheduler_handle_push(L, NULL));
    scheduler_hold(L, this, -1);
}

void scheduler_observe(struct scheduler *this,
                       bool (*ended)(void *data, const char *callback, const char *text),
                       void *data)
{
    this->ended = ended;
    this->ended_data = data;
}

const char *scheduler_callback(const struct scheduler *this)
{
    return this->delivery ? events_callback_name(this->delivery->callback) : NULL;
}

// ---- looking at it ----

const double scheduler_bounds[SCHEDULER_BOUNDS] = {0.0001, 0.0005, 0.001, 0.005, 0.01,
                                                   0.05,   0.1,    0.5,   1,     5};

const struct scheduler_times *scheduler_times(const struct scheduler *this,
                                              enum driver_callback callback)
{
    return &this->times[callback];
}

void scheduler_push_table(lua_State *L, const struct scheduler *this)
{
    if (this->script != NULL)
        lua_rawgeti(L, LUA_REGISTRYINDEX, this->table);
    else
        lua_pushnil(L);
}
