// SPDX-License-Identifier: Apache-2.0
//
// A scheduler: see scheduler.h. One row for each callback says which arguments it has. The table
// that the script wrote and the driver object are held by registry references; both go when the
// scheduler or its script goes, whichever is first. A callback that waits may outlive its
// scheduler, so what it tells at its end goes through a block of its own.

#include "bindings/scheduler.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "bindings/arguments.h"
#include "bindings/driver.h"
#include "bindings/framework_info.h"
#include "bindings/message.h"
#include "bindings/view.h"
#include "mesos/wire.h"
#include "script/protect.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct scheduler {
    struct scheduler_environment *environment;
    struct scheduler *next, **link; // among those of the environment
    struct script *script;          // NULL: its world is gone
    struct driver *driver;
    struct scheduler **link_back; // where the driver object points to this, or NULL
    int table, object;            // registry references
    bool explicit_acknowledgements;
    bool dispatching; // the callback is being started: its end is told by the return value
    bool doomed;      // destroyed while dispatching
    bool missing;     // the script has no such callback
    enum driver_outcome outcome;
    const struct driver_event *event; // while dispatching
    struct delivery *delivery;        // the callback whose end the driver waits for, or NULL
};

// One callback, from its start to its end.
struct delivery {
    struct scheduler *scheduler; // NULL: nobody waits for its end any more
    enum driver_callback callback;
};

// ---- arguments of the callbacks; each pushes what comes behind the driver ----

static int push_text(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? (const char *)text.data : "", text.length);
    return 1;
}

static int push_master(lua_State *L, const struct driver_event *event)
{
    message_push(L, &mesos__v1__master_info__descriptor, event->message);
    return 1;
}

static int push_registered(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->framework_id);
    push_master(L, event);
    return 2;
}

static int push_nothing(lua_State *L, const struct driver_event *event)
{
    (void)L, (void)event;
    return 0;
}

static struct slice next_wire(void *data)
{
    const struct offer *const **offers = data;
    return (*(*offers)++)->wire;
}

static int push_list(lua_State *L, const ProtobufCMessageDescriptor *type,
                     const struct driver_event *event)
{
    const struct offer *const *offers = event->offers;
    view_push_list(L, type, event->block, next_wire, &offers, event->count);
    return 1;
}

static int push_offers(lua_State *L, const struct driver_event *event)
{
    return push_list(L, &mesos__v1__offer__descriptor, event);
}

static int push_inverse_offers(lua_State *L, const struct driver_event *event)
{
    return push_list(L, &mesos__v1__inverse_offer__descriptor, event);
}

static int push_offer_id(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->offer_id);
}

static int push_status(lua_State *L, const struct driver_event *event)
{
    view_push(L, &mesos__v1__task_status__descriptor, event->block, event->message);
    return 1;
}

static int push_operation_status(lua_State *L, const struct driver_event *event)
{
    message_push(L, &mesos__v1__operation_status__descriptor, event->message);
    return 1;
}

static int push_message(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->executor_id);
    push_text(L, event->agent_id);
    push_text(L, event->data);
    return 3;
}

static int push_agent(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->agent_id);
}

static int push_executor(lua_State *L, const struct driver_event *event)
{
    push_text(L, event->executor_id);
    push_text(L, event->agent_id);
    lua_pushinteger(L, event->status);
    return 3;
}

static int push_data(lua_State *L, const struct driver_event *event)
{
    return push_text(L, event->data);
}

static int (*const rows[CALLBACKS])(lua_State *L, const struct driver_event *event) = {
    [CALLBACK_REGISTERED] = push_registered,
    [CALLBACK_REREGISTERED] = push_master,
    [CALLBACK_DISCONNECTED] = push_nothing,
    [CALLBACK_RESOURCE_OFFERS] = push_offers,
    [CALLBACK_OFFER_RESCINDED] = push_offer_id,
    [CALLBACK_STATUS_UPDATE] = push_status,
    [CALLBACK_FRAMEWORK_MESSAGE] = push_message,
    [CALLBACK_SLAVE_LOST] = push_agent,
    [CALLBACK_EXECUTOR_LOST] = push_executor,
    [CALLBACK_ERROR] = push_data,
    [CALLBACK_INVERSE_OFFERS] = push_inverse_offers,
    [CALLBACK_INVERSE_OFFER_RESCINDED] = push_offer_id,
    [CALLBACK_OPERATION_STATUS_UPDATE] = push_operation_status,
};

// ---- a callback that the script does not have ----

static void decline_all(struct scheduler *this, const struct driver_event *event)
{
    for (size_t i = 0; i < event->count; i++)
        driver_decline(this->driver, event->offers[i]->id, (struct slice){.data = NULL});
}

static void do_without(struct scheduler *this, const struct driver_event *event)
{
    if (event->callback == CALLBACK_RESOURCE_OFFERS)
        decline_all(this, event);
    else if (event->callback == CALLBACK_ERROR)
        log_error("%.*s", SLICE_ARGS(event->data));
}

// ---- dispatch ----

// Pushes the method and its arguments, or nothing if there is no such method. // [-0, +n, e]
static int push_callback(lua_State *L)
{
    struct scheduler *this = lua_touserdata(L, 1);
    const struct driver_event *event = this->event;
    luaL_checkstack(L, 10, "arguments of a callback");
    lua_rawgeti(L, LUA_REGISTRYINDEX, this->table);
    lua_getfield(L, -1, driver_callback_name(event->callback));
    this->missing = lua_isnil(L, -1);
    if (this->missing)
        return 0;
    lua_rotate(L, -2, 1); // method, table
    scheduler_push_driver(L, this);
    return 3 + rows[event->callback](L, event);
}

static void on_done(void *data, const struct protect_end *end)
{
    struct delivery *delivery = data;
    struct scheduler *this = delivery->scheduler;
    bool ok = end->outcome == PROTECT_DONE;
    if (end->outcome == PROTECT_RAISED)
        log_error("callback %s: %s", driver_callback_name(delivery->callback), end->text);
    free(delivery);
    if (this == NULL)
        return;
    this->delivery = NULL;
    if (this->dispatching)
        this->outcome = ok ? OUTCOME_DONE : OUTCOME_FAILED;
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
    driver_destroy(this->driver);
    free(this);
}

static struct delivery *new_delivery(struct scheduler *this, enum driver_callback callback)
{
    this->delivery = memory_new(sizeof *this->delivery);
    *this->delivery = (struct delivery){.scheduler = this, .callback = callback};
    return this->delivery;
}

static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct scheduler *this = data;
    if (this->script == NULL)
        return OUTCOME_FAILED;
    this->event = event;
    this->missing = false;
    this->dispatching = true;
    this->outcome = OUTCOME_DONE;
    protect_title(this->script, "callback", driver_callback_name(event->callback));
    enum protect_outcome started = protect_dispatch(this->script, push_callback, this, on_done,
                                                    new_delivery(this, event->callback));
    this->dispatching = false;
    if (this->doomed) {
        release(this);
        return OUTCOME_FAILED;
    }
    if (this->missing)
        do_without(this, event);
    return started == PROTECT_YIELDED ? OUTCOME_PENDING : this->outcome;
}

// The object is kept while the driver runs, also if the script lets go of it.
static void on_finished(void *data)
{
    struct scheduler *this = data;
    if (this->script == NULL)
        return;
    luaL_unref(script_state(this->script), LUA_REGISTRYINDEX, this->object);
    this->object = LUA_NOREF;
}

static const struct driver_listener listener = {.callback = on_callback, .finished = on_finished};

// ---- settings ----

// Pushes the setting, checked for its type; nil is always fine. // [-0, +1, e]
static int setting(lua_State *L, int index, const char *name, int type)
{
    int actual = lua_getfield(L, index, name);
    if (actual != LUA_TNIL && actual != type)
        luaL_error(L, "%s: %s expected, got %s", name, lua_typename(L, type),
                   lua_typename(L, actual));
    return actual;
}

static const char *setting_name(const void *data, size_t i)
{
    static const char *const names[] = {
        "scheduler",       "framework",        "master",     "implicitAcknowledgements",
        "suppressedRoles", "offerConstraints", "credential", NULL};
    (void)data;
    return names[i];
}

static bool is_setting(const char *word)
{
    for (size_t i = 0; setting_name(NULL, i) != NULL; i++)
        if (strcmp(setting_name(NULL, i), word) == 0)
            return true;
    return false;
}

// [-0, +0, e]
static void check_settings(lua_State *L, int index)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "mesos.SchedulerDriver: a table of named settings expected");
        const char *word = lua_tostring(L, -2);
        if (!is_setting(word)) {
            const char *near = suggest(word, setting_name, NULL);
            luaL_error(L, "mesos.SchedulerDriver: unknown setting '%s'%s%s%s", word,
                       near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
        }
        lua_pop(L, 1);
    }
}

// What driver_create() needs, in memory that the Lua stack owns.
struct collected {
    struct driver_options options;
    const char *master;
};

// The first value that it leaves is the table of callbacks. // [-0, +many, e]
static void collect(lua_State *L, int index, struct collected *collected)
{
    struct driver_options *options = &collected->options;
    options->subscription = subscription_defaults;
    setting(L, index, "scheduler", LUA_TTABLE);
    if (lua_isnil(L, -1))
        luaL_error(L, "scheduler: a table of callbacks expected, got nothing");
    setting(L, index, "master", LUA_TSTRING);
    collected->master = lua_tostring(L, -1);
    setting(L, index, "implicitAcknowledgements", LUA_TBOOLEAN);
    options->explicit_acknowledgements = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    setting(L, index, "suppressedRoles", LUA_TTABLE);
    options->suppressed_roles = arguments_roles(L, lua_gettop(L), "suppressedRoles");
    setting(L, index, "credential", LUA_TTABLE);
    int credential = lua_gettop(L);
    setting(L, index, "framework", LUA_TTABLE);
    options->framework = framework_info_encode(L, lua_gettop(L), credential);
    setting(L, index, "offerConstraints", LUA_TTABLE);
    if (!lua_isnil(L, -1)) {
        int constraints = lua_gettop(L);
        struct buffer *buffer = message_scratch(L);
        message_encode(L, constraints, &mesos__v1__scheduler__offer_constraints__descriptor,
                       "offerConstraints", buffer);
        options->offer_constraints = buffer->data ? buffer_slice(buffer) : slice_text("");
    }
}

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
    struct error err = {0};
    int top = lua_gettop(L);
    luaL_checkstack(L, 30, "settings of a driver");
    index = lua_absindex(L, index);
    check_settings(L, index);
    collect(L, index, &collected);
    lua_pushvalue(L, top + 1);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    if (!environment->connect(environment->data, collected.master, &collected.options.detector,
                              &collected.options.transport, &err)) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        luaL_error(L, "%s", err.text);
    }
    struct scheduler *this = memory_new(sizeof *this);
    this->explicit_acknowledgements = collected.options.explicit_acknowledgements;
    this->driver = driver_create(environment->loop, &collected.options, &listener, this);
    this->script = script_of(L);
    this->table = table;
    this->object = LUA_NOREF;
    join_environment(this, environment);
    lua_settop(L, top);
    return this;
}

static void let_go(struct scheduler *this)
{
    lua_State *L = script_state(this->script);
    luaL_unref(L, LUA_REGISTRYINDEX, this->object);
    luaL_unref(L, LUA_REGISTRYINDEX, this->table);
    this->script = NULL;
}

void scheduler_destroy(struct scheduler *this)
{
    if (this == NULL || this->doomed)
        return;
    leave_environment(this);
    if (this->script != NULL)
        let_go(this);
    if (this->link_back != NULL)
        *this->link_back = NULL;
    this->doomed = true;
    if (!this->dispatching)
        release(this);
}

// ---- what others ask ----

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

bool scheduler_dispatching(const struct scheduler *this)
{
    return this->dispatching;
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
    if (this->delivery == NULL || this->dispatching)
        return;
    log_debug("callback %s is not waited for any more",
              driver_callback_name(this->delivery->callback));
    forsake(this);
    driver_callback_finished(this->driver, false);
}

void scheduler_link(struct scheduler *this, struct scheduler **link_back)
{
    this->link_back = link_back;
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
    driver_push(L, this);
    scheduler_hold(L, this, -1);
}

static const char *callback_name(const void *data, size_t i)
{
    (void)data;
    return i < CALLBACKS ? driver_callback_name((enum driver_callback)i) : NULL;
}

static void check_name(const char *word, void (*tell)(void *data, const char *text), void *data)
{
    char text[256];
    const char *near = suggest(word, callback_name, NULL);
    if (near == NULL || strcmp(near, word) == 0)
        return;
    snprintf(text, sizeof text, "no callback '%s'; did you mean '%s'?", word, near);
    tell(data, text);
}

static void check_names(lua_State *L, int index, void (*tell)(void *data, const char *text),
                        void *data) // [-0, +0, e]
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1))
            check_name(lua_tostring(L, -2), tell, data);
        lua_pop(L, 1);
    }
}

// ---- the scheduler of a script that returned its table ----

struct adoption {
    struct script *script;
    struct scheduler_environment *environment;
    void (*tell)(void *data, const char *text);
    void *data;
    struct scheduler *made;
};

// Makes the settings of a driver from the scheduler table at `index`. // [-0, +1, e]
static void push_settings(lua_State *L, int index)
{
    static const char *const names[] = {"framework", "implicitAcknowledgements", "suppressedRoles",
                                        "offerConstraints"};
    lua_newtable(L);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lua_getfield(L, index, names[i]);
        lua_setfield(L, -2, names[i]);
    }
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "scheduler");
}

// Loads the module of that name if the script did not: what the callbacks are given has its types.
// [-0, +0, e]
static void load_module(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
        lua_getfield(L, -1, name);
        lua_pushstring(L, name);
        lua_call(L, 1, 1);
        lua_setfield(L, -4, name);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

static int adopt(lua_State *L) // [-1, +0, e]
{
    struct adoption *adoption = lua_touserdata(L, 1);
    script_result(adoption->script, L);
    int table = lua_gettop(L);
    if (lua_isnil(L, table) && adoption->environment->used)
        return 0;
    if (!lua_istable(L, table))
        luaL_error(L,
                   "it returned %s: a script returns its scheduler, a table with callbacks such as "
                   "resourceOffers, or runs a mesos.SchedulerDriver itself",
                   lua_isnil(L, table) ? "nothing" : luaL_typename(L, table));
    check_names(L, table, adoption->tell, adoption->data);
    load_module(L, "mesos");
    push_settings(L, table);
    adoption->made = scheduler_create(L, -1, adoption->environment);
    return 0;
}

bool scheduler_adopt(struct script *script, struct scheduler_environment *environment,
                     void (*tell)(void *data, const char *text), void *data,
                     struct scheduler **made, struct error *err)
{
    struct adoption adoption = {
        .script = script, .environment = environment, .tell = tell, .data = data};
    enum protect_outcome outcome = protect_run(script, adopt, &adoption, 0);
    *made = adoption.made;
    if (outcome != PROTECT_RAISED)
        return outcome == PROTECT_DONE;
    error_set(err, ERROR_SCRIPT, "%s: %s", script_path(script), protect_text(script));
    lua_pop(script_state(script), 1);
    return false;
}
