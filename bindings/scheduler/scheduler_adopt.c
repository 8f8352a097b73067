// SPDX-License-Identifier: Apache-2.0
//
// The scheduler that a script returned, and that of its next version: see scheduler.h. What changed
// between two versions is found by comparing their descriptions as bytes; only the table is
// replaced.

#include "bindings/core/adoption.h"
#include "bindings/scheduler/scheduler_internal.h"
#include "script/protect.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char *callback_name(const void *data, size_t i)
{
    (void)data;
    return i < CALLBACKS ? events_callback_name((enum driver_callback)i) : NULL;
}

// ---- the scheduler of a script that returned its table ----

struct adoption {
    struct script *script;
    struct scheduler_environment *environment;
    void (*warn)(void *data, const char *text);
    void *data;
    struct scheduler *made;
};

// Makes the settings of a driver from the scheduler table at `index`. // [-0, +1, e]
static void push_settings(lua_State *L, int index)
{
    static const char *const names[] = {"framework", "implicitAcknowledgements", "suppressedRoles",
                                        "offerConstraints"};
    lua_newtable(L); // settings
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lua_getfield(L, index, names[i]); // settings, setting
        lua_setfield(L, -2, names[i]);    // settings
    }
    lua_pushvalue(L, index);          // settings, table
    lua_setfield(L, -2, "scheduler"); // settings
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
    adoption_check_names(L, table, callback_name, adoption->warn, adoption->data);
    adoption_load_module(L, "mesos");
    push_settings(L, table);
    adoption->made = scheduler_create(L, -1, adoption->environment);
    return 0;
}

bool scheduler_adopt(struct script *script, struct scheduler_environment *environment,
                     void (*warn)(void *data, const char *text), void *data,
                     struct scheduler **made, struct error *err)
{
    struct adoption adoption = {
        .script = script, .environment = environment, .warn = warn, .data = data};
    enum protect_outcome outcome = protect_run(script, NULL, adopt, &adoption, 0);
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
    void (*warn)(void *data, const char *text);
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
        tell_change(changes, what, events_callback_name((enum driver_callback)i), first);
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

// True if that field has the same values in both, in any order. Maps have none, and the lists here
// (roles, capabilities) are sets.
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
static void revise(struct scheduler *scheduler, const struct scheduler_settings *settings,
                   const struct scheduler_description *next, struct buffer *changes)
{
    const struct scheduler_description *old = &scheduler->description;
    const struct driver_options *options = &settings->options;
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
    tell_settings(changes, &revision, scheduler->explicit_acknowledgements);
    scheduler->explicit_acknowledgements = options->explicit_acknowledgements;
    driver_revise(scheduler->driver, &revision);
}

// The old script is detached; its driver objects raise from now on.
static void detach(struct scheduler *scheduler)
{
    scheduler_handle_clear(&scheduler->handles);
    if (scheduler->script != NULL)
        scheduler_unref_script(scheduler);
    scheduler->object = scheduler->table = LUA_NOREF;
    scheduler->statuses = NULL;
    if (scheduler->delivery != NULL)
        driver_repeat(scheduler->driver);
    scheduler_give_up(scheduler);
}

// No Lua error can be raised after luaL_ref().
static int replace(lua_State *L) // [-1, +0, e]
{
    struct replacement *replacement = lua_touserdata(L, 1);
    struct scheduler *scheduler = replacement->scheduler;
    struct scheduler_settings settings = {.master = NULL};
    struct scheduler_description next;
    luaL_checkstack(L, 40, "settings of a driver");
    adoption_load_module(L, "mesos");
    script_result(replacement->script, L);
    int table = lua_gettop(L);
    check_result(L, table);
    adoption_check_names(L, table, callback_name, replacement->warn, replacement->data);
    push_settings(L, table);
    scheduler_settings_read(L, lua_gettop(L), &settings);
    check_fixed(L, slice_of(scheduler->description.framework), driver_framework(scheduler->driver),
                settings.options.framework);
    lua_pushvalue(L, table);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    scheduler_settings_describe(&next, &settings);
    revise(scheduler, &settings, &next, replacement->changes);
    scheduler_settings_forget(&scheduler->description);
    scheduler->description = next;
    detach(scheduler);
    scheduler->script = replacement->script;
    scheduler->table = reference;
    driver_hand_over(scheduler->driver);
    return 0;
}

bool scheduler_replace(struct scheduler *scheduler, struct script *script,
                       void (*warn)(void *data, const char *text), void *data,
                       struct buffer *changes, struct error *err)
{
    struct replacement replacement = {
        .scheduler = scheduler, .script = script, .warn = warn, .data = data, .changes = changes};
    return protect_result(script, protect_run(script, NULL, replace, &replacement, 0), err);
}
