// SPDX-License-Identifier: Apache-2.0
//
// A scheduler: see scheduler.h. One row for each callback says which arguments it has. The table
// that the script wrote and the driver object are held by registry references; both go when the
// scheduler or its script goes, whichever is first. A callback that waits may outlive its
// scheduler, so what it tells at its end goes through a block of its own.

#include "bindings/scheduler.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "bindings/arguments.h"
#include "bindings/driver.h"
#include "bindings/framework_info.h"
#include "bindings/message.h"
#include "bindings/offer_list.h"
#include "bindings/view.h"
#include "bindings/wording.h"
#include "mesos/roles.h"
#include "mesos/wire.h"
#include "script/protect.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

// What the table said when it was adopted, for comparison with the next version's.
struct description {
    struct bytes *framework;   // FrameworkInfo
    struct bytes *constraints; // OfferConstraints, or NULL
    struct roles suppressed;
    uint32_t callbacks; // one bit for each that it has
};

struct scheduler {
    struct scheduler_environment *environment;
    struct scheduler *next, **link; // among those of the environment
    struct script *script;          // NULL: its world is gone
    struct driver *driver;
    struct scheduler_link *links; // of the driver objects that point to this
    int table, object;            // registry references
    bool explicit_acknowledgements;
    bool resumes;     // came with the id that was kept, and has not registered yet
    bool dispatching; // the callback is being started: its end is told by the return value
    bool doomed;      // destroyed while dispatching
    bool missing;     // the script has no such callback
    enum driver_outcome outcome;
    const struct driver_event *event; // while dispatching
    struct delivery *delivery;        // the callback whose end the driver waits for, or NULL
    struct delivery *spare;           // for the next one, or NULL
    struct description description;
    bool (*ended)(void *data, const char *callback, const char *text);
    void *ended_data;
    struct scheduler_times times[CALLBACKS];
};

// One callback, from its start to its end.
struct delivery {
    struct scheduler *scheduler; // NULL: nobody waits for its end any more
    enum driver_callback callback;
    double started;
};

static void description_free(struct description *description)
{
    bytes_unref(description->framework);
    bytes_unref(description->constraints);
    roles_clear(&description->suppressed);
}

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
    push_list(L, &mesos__v1__offer__descriptor, event);
    offer_list_adopt(L);
    return 1;
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
    [CALLBACK_RELOADED] = push_nothing,
    [CALLBACK_FRAMEWORK_REMOVED] = push_data,
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
    return !keeps_id(this) || this->environment->keep_id(this->environment->data, id, err);
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

// Tells the observer, who may want the event to come again.
static void callback_ended(struct scheduler *this, enum driver_callback callback, const char *text)
{
    if (this->ended != NULL && !this->missing && !this->doomed &&
        this->ended(this->ended_data, driver_callback_name(callback), text))
        driver_repeat(this->driver);
}

static void measure(struct scheduler *this, enum driver_callback callback, double seconds)
{
    struct scheduler_times *times = &this->times[callback];
    if (this->missing)
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
    struct delivery *delivery = data;
    struct scheduler *this = delivery->scheduler;
    enum driver_callback callback = delivery->callback;
    bool ok = end->outcome == PROTECT_DONE, raised = end->outcome == PROTECT_RAISED;
    if (raised)
        log_error("callback %s: %s", driver_callback_name(callback), end->text);
    double seconds = clock_seconds() - delivery->started;
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
    free(this->spare);
    driver_destroy(this->driver);
    description_free(&this->description);
    free(this);
}

static struct delivery *new_delivery(struct scheduler *this, enum driver_callback callback)
{
    this->delivery = this->spare ? this->spare : memory_new(sizeof *this->delivery);
    this->spare = NULL;
    *this->delivery =
        (struct delivery){.scheduler = this, .callback = callback, .started = clock_seconds()};
    return this->delivery;
}

static enum driver_outcome on_callback(void *data, const struct driver_event *event)
{
    struct scheduler *this = data;
    if (this->script == NULL || !keep_new_id(this, event))
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
    this->environment->aborted = driver_status(this->driver) == DRIVER_ABORTED;
    forget_id(this);
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
        if (!is_setting(word))
            luaL_error(L, "mesos.SchedulerDriver: unknown setting '%s'%s", word,
                       wording_push(L, word, setting_name, NULL));
        lua_pop(L, 1);
    }
}

// What driver_create() needs, in memory that the Lua stack owns.
struct collected {
    struct driver_options options;
    const char *master;
    struct credentials_options credential; // principal NULL: none was given
    uint32_t callbacks;
};

// Which callbacks the table at the top has itself. // [-0, +0, m]
static uint32_t find_callbacks(lua_State *L)
{
    uint32_t found = 0;
    for (int i = 0; i < CALLBACKS; i++) {
        lua_pushstring(L, driver_callback_name((enum driver_callback)i));
        lua_rawget(L, -2);
        found |= (lua_isnil(L, -1) ? 0u : 1u) << i;
        lua_pop(L, 1);
    }
    return found;
}

// [-0, +1, e]
static const char *credential_word(lua_State *L, int index, const char *name)
{
    if (lua_getfield(L, index, name) != LUA_TSTRING)
        luaL_error(L, "credential.%s: string expected, got %s", name, luaL_typename(L, -1));
    size_t length;
    const char *word = lua_tolstring(L, -1, &length);
    if (strlen(word) != length)
        luaL_error(L, "credential.%s: it has a zero byte in it", name);
    return word;
}

// [-0, +2, e]
static void collect_credential(lua_State *L, int index, struct credentials_options *credential)
{
    if (lua_isnil(L, index))
        return;
    credential->principal = credential_word(L, index, "principal");
    credential->secret = credential_word(L, index, "secret");
}

// The first value that it leaves is the table of callbacks. // [-0, +many, e]
static void collect(lua_State *L, int index, struct collected *collected)
{
    struct driver_options *options = &collected->options;
    options->subscription = subscription_defaults;
    setting(L, index, "scheduler", LUA_TTABLE);
    if (lua_isnil(L, -1))
        luaL_error(L, "scheduler: a table of callbacks expected, got nothing");
    collected->callbacks = find_callbacks(L);
    setting(L, index, "master", LUA_TSTRING);
    collected->master = lua_tostring(L, -1);
    setting(L, index, "implicitAcknowledgements", LUA_TBOOLEAN);
    options->explicit_acknowledgements = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    setting(L, index, "suppressedRoles", LUA_TTABLE);
    options->suppressed_roles = arguments_roles(L, lua_gettop(L), "suppressedRoles");
    setting(L, index, "credential", LUA_TTABLE);
    int credential = lua_gettop(L);
    collect_credential(L, credential, &collected->credential);
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

static void describe(struct description *description, const struct collected *collected)
{
    const struct driver_options *options = &collected->options;
    struct slice constraints = options->offer_constraints;
    *description = (struct description){.callbacks = collected->callbacks};
    description->framework = bytes_copy(options->framework.data, options->framework.length);
    if (constraints.data != NULL)
        description->constraints = bytes_copy(constraints.data, constraints.length);
    for (size_t i = 0; options->suppressed_roles && options->suppressed_roles[i]; i++)
        roles_add(&description->suppressed, options->suppressed_roles[i]);
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
    enum { FIELD_ID = 3, FIELD_VALUE = 1 };
    if (environment->kept_id == NULL || environment->kept != NULL)
        return false;
    struct slice given = wire_find(wire_find(options->framework, FIELD_ID), FIELD_VALUE);
    options->framework_id = environment->kept_id(environment->data);
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
    struct error err = {0};
    int top = lua_gettop(L);
    luaL_checkstack(L, 30, "settings of a driver");
    index = lua_absindex(L, index);
    check_settings(L, index);
    collect(L, index, &collected);
    bool keeps = take_kept_id(L, environment, &collected.options);
    lua_pushvalue(L, top + 1);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    if (!environment->connect(environment->data, collected.master,
                              credential->principal ? credential : NULL, &collected.options,
                              &err)) {
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
    describe(&this->description, &collected);
    join_environment(this, environment);
    if (keeps)
        keep_from_now(this, &collected.options);
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

void scheduler_link(struct scheduler *this, struct scheduler_link *link)
{
    *link = (struct scheduler_link){.scheduler = this, .next = this->links, .link = &this->links};
    if (link->next != NULL)
        link->next->link = &link->next;
    this->links = link;
}

void scheduler_unlink(struct scheduler_link *link)
{
    if (link->scheduler == NULL)
        return;
    link->scheduler = NULL;
    *link->link = link->next;
    if (link->next != NULL)
        link->next->link = link->link;
}

static void unlink_all(struct scheduler *this)
{
    while (this->links != NULL)
        scheduler_unlink(this->links);
}

void scheduler_destroy(struct scheduler *this)
{
    if (this == NULL || this->doomed)
        return;
    leave_environment(this);
    let_go_of_id(this);
    if (this->script != NULL)
        let_go(this);
    unlink_all(this);
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
    const char *near = wording_near(word, callback_name, NULL);
    if (near == NULL || strcmp(near, word) == 0)
        return;
    snprintf(text, sizeof text, "no callback '%s'; did you mean '%s'?", word, near);
    tell(data, text);
}

// Is it a callback's name that stands for something else?
static void check_type(const char *word, const char *type,
                       void (*tell)(void *data, const char *text), void *data)
{
    char text[256];
    enum driver_callback i = 0;
    while (i < CALLBACKS && strcmp(driver_callback_name(i), word) != 0)
        i++;
    if (i == CALLBACKS)
        return;
    snprintf(text, sizeof text, "%s is no callback: a function expected, got %s", word, type);
    tell(data, text);
}

static void check_names(lua_State *L, int index, void (*tell)(void *data, const char *text),
                        void *data) // [-0, +0, e]
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1))
            check_name(lua_tostring(L, -2), tell, data);
        else if (lua_type(L, -2) == LUA_TSTRING)
            check_type(lua_tostring(L, -2), luaL_typename(L, -1), tell, data);
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

static void check_result(lua_State *L, int index) // [-0, +0, v]
{
    if (!lua_istable(L, index))
        luaL_error(L,
                   "it returned %s: a script returns its scheduler, a table with callbacks such as "
                   "resourceOffers, or runs a mesos.SchedulerDriver itself",
                   lua_isnil(L, index) ? "nothing"
                                       : lua_pushfstring(L, "a %s", luaL_typename(L, index)));
}

static int adopt(lua_State *L) // [-1, +0, e]
{
    struct adoption *adoption = lua_touserdata(L, 1);
    script_result(adoption->script, L);
    int table = lua_gettop(L);
    if (lua_isnil(L, table) && adoption->environment->used)
        return 0;
    check_result(L, table);
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

// ---- another version of the script ----

struct replacement {
    struct scheduler *scheduler;
    struct script *script;
    void (*tell)(void *data, const char *text);
    void *data;
    struct buffer *changes;
};

static void tell_change(struct buffer *changes, const char *what, const char *name, bool first)
{
    if (first)
        buffer_format(changes, "%s%s ", changes->length > 0 ? "; " : "", what);
    buffer_format(changes, "%s%s", first ? "" : ", ", name);
}

static void tell_callbacks(struct buffer *changes, const char *what, uint32_t callbacks)
{
    bool first = true;
    for (int i = 0; i < CALLBACKS; i++) {
        if ((callbacks >> i & 1) == 0)
            continue;
        tell_change(changes, what, driver_callback_name((enum driver_callback)i), first);
        first = false;
    }
}

// How many fields of that number `message` has, and how many of them are `value`.
struct tally {
    size_t all, same;
};

// The value of a field, as the bytes it takes.
static bool next_value(struct wire *wire, uint32_t number, struct slice *value)
{
    const uint8_t *from = wire->at;
    for (struct wire_field field; wire_next(wire, &field); from = wire->at) {
        *value = (struct slice){from, (size_t)(wire->at - from)};
        if (field.number == number)
            return true;
    }
    return false;
}

static struct tally count(struct slice message, uint32_t number, struct slice value)
{
    struct tally tally = {0};
    struct wire wire = wire_open(message);
    for (struct slice other; next_value(&wire, number, &other); tally.all++)
        tally.same += slice_equal(other, value);
    return tally;
}

// Has that field the same values in both, in any order? Maps have none, and the lists here (roles,
// capabilities) are sets.
static bool same_field(struct slice a, struct slice b, uint32_t number)
{
    struct wire wire = wire_open(a);
    if (count(a, number, a).all != count(b, number, b).all)
        return false;
    for (struct slice value; next_value(&wire, number, &value);)
        if (count(a, number, value).same != count(b, number, value).same)
            return false;
    return true;
}

static bool same_message(struct slice a, struct slice b, const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (!same_field(a, b, type->fields[i].id))
            return false;
    return true;
}

static const ProtobufCMessageDescriptor *const framework_type =
    &mesos__v1__framework_info__descriptor;

// Mesos refuses these for a framework that it knows. `real` is what it knows, filled in and all.
// [-0, +0, v]
static void check_fixed(lua_State *L, struct slice old, struct slice real, struct slice new)
{
    static const char *const fixed[] = {"id", "user", "principal", "checkpoint"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(framework_type, fixed[i]);
        if (!same_field(old, new, field->id) && !same_field(real, new, field->id))
            luaL_error(L,
                       "framework.%s: Mesos does not let a framework change its %s while it is "
                       "registered; put the old value back, or start the program again",
                       fixed[i], fixed[i]);
    }
}

static bool tell_fields(struct buffer *changes, struct slice old, struct slice new)
{
    bool first = true;
    for (unsigned i = 0; i < framework_type->n_fields; i++) {
        if (same_field(old, new, framework_type->fields[i].id))
            continue;
        tell_change(changes, "framework:", framework_type->fields[i].name, first);
        first = false;
    }
    return !first;
}

static bool same_roles(const struct roles *a, const struct roles *b)
{
    size_t same = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            same += strcmp(a->names[i], b->names[j]) == 0;
    return a->count == b->count && same == a->count;
}

static bool same_constraints(const struct bytes *a, const struct bytes *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return same_message(slice_of(a), slice_of(b),
                        &mesos__v1__scheduler__offer_constraints__descriptor);
}

static void tell_settings(struct buffer *changes, const struct driver_revision *revision,
                          bool was_explicit)
{
    bool first = true;
    const char *words[3] = {
        revision->roles ? "suppressedRoles" : NULL,
        revision->constraints ? "offerConstraints" : NULL,
        revision->explicit_acknowledgements != was_explicit ? "implicitAcknowledgements" : NULL};
    for (int i = 0; i < 3; i++) {
        if (words[i] == NULL)
            continue;
        tell_change(changes, "changed", words[i], first);
        first = false;
    }
}

// Compares the descriptions and gives the driver what is new.
static void revise(struct scheduler *this, const struct collected *collected,
                   const struct description *next, struct buffer *changes)
{
    const struct description *old = &this->description;
    const struct driver_options *options = &collected->options;
    struct driver_revision revision = {
        .roles = !same_roles(&old->suppressed, &next->suppressed),
        .suppressed_roles = options->suppressed_roles,
        .constraints = !same_constraints(old->constraints, next->constraints),
        .offer_constraints = options->offer_constraints,
        .explicit_acknowledgements = options->explicit_acknowledgements,
    };
    tell_callbacks(changes, "callbacks added:", next->callbacks & ~old->callbacks);
    tell_callbacks(changes, "callbacks removed:", old->callbacks & ~next->callbacks);
    if (tell_fields(changes, slice_of(old->framework), slice_of(next->framework)))
        revision.framework = options->framework;
    tell_settings(changes, &revision, this->explicit_acknowledgements);
    this->explicit_acknowledgements = options->explicit_acknowledgements;
    driver_revise(this->driver, &revision);
}

// The old script is left; what it still holds of us says that it is gone.
static void detach(struct scheduler *this)
{
    unlink_all(this);
    if (this->script != NULL)
        let_go(this);
    this->object = this->table = LUA_NOREF;
    if (this->delivery != NULL)
        driver_repeat(this->driver);
    scheduler_give_up(this);
}

// From the reference on nothing raises.
static int replace(lua_State *L) // [-1, +0, e]
{
    struct replacement *replacement = lua_touserdata(L, 1);
    struct scheduler *this = replacement->scheduler;
    struct collected collected = {.master = NULL};
    struct description next;
    luaL_checkstack(L, 40, "settings of a driver");
    load_module(L, "mesos");
    script_result(replacement->script, L);
    int table = lua_gettop(L);
    check_result(L, table);
    check_names(L, table, replacement->tell, replacement->data);
    push_settings(L, table);
    collect(L, lua_gettop(L), &collected);
    check_fixed(L, slice_of(this->description.framework), driver_framework(this->driver),
                collected.options.framework);
    lua_pushvalue(L, table);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    describe(&next, &collected);
    revise(this, &collected, &next, replacement->changes);
    description_free(&this->description);
    this->description = next;
    detach(this);
    this->script = replacement->script;
    this->table = reference;
    driver_hand_over(this->driver);
    return 0;
}

bool scheduler_replace(struct scheduler *this, struct script *script,
                       void (*tell)(void *data, const char *text), void *data,
                       struct buffer *changes, struct error *err)
{
    struct replacement replacement = {
        .scheduler = this, .script = script, .tell = tell, .data = data, .changes = changes};
    enum protect_outcome outcome = protect_run(script, replace, &replacement, 0);
    if (outcome == PROTECT_DONE)
        return true;
    if (outcome != PROTECT_RAISED)
        return error_set(err, ERROR_SCRIPT, "%s: it ended itself", script_path(script));
    error_set(err, ERROR_SCRIPT, "%s: %s", script_path(script), protect_text(script));
    lua_pop(script_state(script), 1);
    return false;
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
    return this->delivery ? driver_callback_name(this->delivery->callback) : NULL;
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
