// SPDX-License-Identifier: Apache-2.0
//
// What the table of a scheduler says: see scheduler_internal.h. What is wrong with it is raised, by
// the name of the setting; what is right is collected in memory that the Lua stack owns.

#include "bindings/core/hints.h"
#include "bindings/core/scratch.h"
#include "bindings/message/arguments.h"
#include "bindings/message/message_encode.h"
#include "bindings/scheduler/framework_info.h"
#include "bindings/scheduler/scheduler_internal.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <lauxlib.h>
#include <string.h>

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

void scheduler_settings_check(lua_State *L, int index)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "mesos.SchedulerDriver: a table of named settings expected");
        const char *word = lua_tostring(L, -2);
        if (!is_setting(word))
            luaL_error(L, "mesos.SchedulerDriver: unknown setting '%s'%s", word,
                       hints_push(L, word, setting_name, NULL));
        lua_pop(L, 1);
    }
}

// Which callbacks the table at the top has itself. // [-0, +0, m]
static uint32_t find_callbacks(lua_State *L)
{
    uint32_t found = 0;
    for (int i = 0; i < CALLBACKS; i++) {
        lua_pushstring(L, events_callback_name((enum driver_callback)i));
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

void scheduler_settings_read(lua_State *L, int index, struct scheduler_settings *settings)
{
    struct driver_options *options = &settings->options;
    options->subscription = subscription_defaults;
    setting(L, index, "scheduler", LUA_TTABLE);
    if (lua_isnil(L, -1))
        luaL_error(L, "scheduler: a table of callbacks expected, got nothing");
    settings->callbacks = find_callbacks(L);
    setting(L, index, "master", LUA_TSTRING);
    settings->master = lua_tostring(L, -1);
    if (settings->master != NULL && strlen(settings->master) != lua_rawlen(L, -1))
        luaL_error(L, "master: it has a zero byte in it");
    setting(L, index, "implicitAcknowledgements", LUA_TBOOLEAN);
    options->explicit_acknowledgements = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    setting(L, index, "suppressedRoles", LUA_TTABLE);
    options->suppressed_roles = arguments_roles(L, lua_gettop(L), "suppressedRoles");
    setting(L, index, "credential", LUA_TTABLE);
    int credential = lua_gettop(L);
    collect_credential(L, credential, &settings->credential);
    setting(L, index, "framework", LUA_TTABLE);
    options->framework = framework_info_encode(L, lua_gettop(L), credential);
    setting(L, index, "offerConstraints", LUA_TTABLE);
    if (!lua_isnil(L, -1)) {
        int constraints = lua_gettop(L);
        struct buffer *buffer = scratch_push(L);
        message_encode(L, constraints, &mesos__v1__scheduler__offer_constraints__descriptor,
                       "offerConstraints", buffer);
        options->offer_constraints = buffer->data ? buffer_slice(buffer) : slice_text("");
    }
}

void scheduler_settings_describe(struct scheduler_description *description,
                                 const struct scheduler_settings *settings)
{
    const struct driver_options *options = &settings->options;
    struct slice constraints = options->offer_constraints;
    *description = (struct scheduler_description){.callbacks = settings->callbacks};
    description->framework = bytes_copy(options->framework.data, options->framework.length);
    if (constraints.data != NULL)
        description->constraints = bytes_copy(constraints.data, constraints.length);
    for (size_t i = 0; options->suppressed_roles && options->suppressed_roles[i]; i++)
        roles_add(&description->suppressed, options->suppressed_roles[i]);
}

void scheduler_settings_forget(struct scheduler_description *description)
{
    bytes_unref(description->framework);
    bytes_unref(description->constraints);
    roles_clear(&description->suppressed);
}
