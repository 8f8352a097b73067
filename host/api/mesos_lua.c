// SPDX-License-Identifier: Apache-2.0
//
// The host for C programs: see include/mesos_lua.h. Everything that runs is host.h's; this file
// copies what the embedder passes in, and checks at the end of each turn of the loop, which the
// embedder may run, whether the host has ended.

#include "mesos_lua.h"

#include "app/host.h"
#include "app/reload.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"
#include "mesos_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES_MOST = 256, ARGUMENTS_MOST = 4096 };

enum stage { STAGE_NEW, STAGE_LOADING, STAGE_LOADED, STAGE_STARTED, STAGE_ENDED };

// A text that the options, the modules or the arguments point to.
struct text {
    struct text *next;
    char bytes[];
};

struct mesos_lua {
    struct mesos_lua_options face;
    struct options options;
    struct script_module *modules; // ended by a row without a name
    size_t module_count;
    char **arguments; // NULL: none
    struct text *texts;
    struct host *host;    // NULL until a script is loaded
    struct deferral wake; // makes the loop turn
    enum stage stage;
    int status;       // of a host that has ended
    unsigned running; // nested calls of mesos_lua_load() and mesos_lua_run()
    bool stopping;    // it was asked to stop before there was a script
    bool destroyed;   // to be freed when it is not busy any more
};

// ---- errors ----

// Copies the text for the caller; returns false.
static bool fail(const struct error *err, char *error, size_t error_size)
{
    if (error_size > 0)
        snprintf(error, error_size, "%s", err->text);
    return false;
}

static char *copy_text(struct mesos_lua *lua, const char *text)
{
    size_t size = strlen(text) + 1;
    struct text *copy = memory_new(sizeof *copy + size);
    memcpy(copy->bytes, text, size);
    copy->next = lua->texts;
    lua->texts = copy;
    return copy->bytes;
}

static bool check_stage(const struct mesos_lua *lua, enum stage stage, const char *wish,
                        struct error *err)
{
    static const char *const names[] = {
        [STAGE_NEW] = "no script is loaded",     [STAGE_LOADING] = "its script is being loaded",
        [STAGE_LOADED] = "its script is loaded", [STAGE_STARTED] = "it was started",
        [STAGE_ENDED] = "it has ended",
    };
    return lua->stage == stage ||
           error_set(err, ERROR_INVALID, "the host cannot %s: %s", wish, names[lua->stage]);
}

// ---- the end ----

static void release(struct mesos_lua *lua)
{
    if (lua->host != NULL) {
        loop_uv_follow(host_loop(lua->host), NULL, NULL);
        deferral_cancel(&lua->wake);
        host_destroy(lua->host);
    }
    while (lua->texts != NULL) {
        struct text *next = lua->texts->next;
        free(lua->texts);
        lua->texts = next;
    }
    free(lua->arguments);
    free(lua->modules);
    free(lua);
}

static bool is_busy(const struct mesos_lua *lua)
{
    return lua->running > 0 || (lua->host != NULL && host_busy(lua->host));
}

static void finish(struct mesos_lua *lua)
{
    lua->stage = STAGE_ENDED;
    host_quiesce(lua->host);
    lua->status = host_status(lua->host);
    loop_uv_follow(host_loop(lua->host), NULL, NULL);
    if (lua->face.ended != NULL && !lua->destroyed)
        lua->face.ended(lua->face.data, lua, lua->status);
}

// The end of a turn of the loop. `lua` may be freed in release() and finish().
static void on_turn(void *data)
{
    struct mesos_lua *lua = data;
    if (host_busy(lua->host))
        return;
    if (lua->destroyed && !is_busy(lua))
        release(lua);
    else if (lua->stage == STAGE_STARTED && host_finished(lua->host))
        finish(lua);
}

static void leave(struct mesos_lua *lua)
{
    if (--lua->running == 0 && lua->destroyed && !is_busy(lua))
        release(lua);
}

void mesos_lua_destroy(struct mesos_lua *lua)
{
    if (lua == NULL)
        return;
    if (!is_busy(lua)) {
        release(lua);
        return;
    }
    lua->destroyed = true;
    mesos_lua_stop(lua);
    if (lua->host != NULL)
        deferral_queue(&lua->wake);
}

// ---- setting up ----

static bool read_options(struct mesos_lua *lua, const struct mesos_lua_options *given,
                         struct error *err)
{
    size_t size = given ? given->size : 0;
    if (given != NULL && (size < sizeof size || size > sizeof lua->face))
        return error_set(
            err, ERROR_INVALID,
            "options: size is %zu, which is that of no version up to this one: it must be "
            "sizeof(struct mesos_lua_options)",
            size);
    if (given != NULL)
        memcpy(&lua->face, given, size);
    return options_init(&lua->options, lua->face.environment, err);
}

struct mesos_lua *mesos_lua_create(const struct mesos_lua_options *options, char *error,
                                   size_t error_size)
{
    struct error err = {0};
    struct mesos_lua *lua = memory_new(sizeof *lua);
    lua->modules = memory_new(sizeof *lua->modules);
    if (read_options(lua, options, &err)) {
        if (lua->face.environment)
            log_set_level(lua->options.log_level);
        return lua;
    }
    fail(&err, error, error_size);
    release(lua);
    return NULL;
}

bool mesos_lua_set(struct mesos_lua *lua, const char *name, const char *value, char *error,
                   size_t error_size)
{
    struct error err = {0};
    enum log_level level = lua->options.log_level;
    enum log_format format = lua->options.log_format;
    if (name == NULL)
        error_set(&err, ERROR_INVALID, "an option needs a name");
    if (name == NULL || !check_stage(lua, STAGE_NEW, "take options", &err) ||
        !options_set(&lua->options, name, value ? copy_text(lua, value) : NULL, &err))
        return fail(&err, error, error_size);
    if (lua->options.log_level != level)
        log_set_level(lua->options.log_level);
    if (lua->options.log_format != format)
        log_set_format(lua->options.log_format);
    return true;
}

static bool check_module(const struct mesos_lua *lua, const char *name,
                         int (*open)(struct lua_State *L), struct error *err)
{
    if (name == NULL || *name == 0 || open == NULL)
        return error_set(err, ERROR_INVALID, "a module needs a name and a function that opens it");
    bool used = strcmp(name, "mesos") == 0;
    for (size_t i = 0; i < lua->module_count; i++)
        used = used || strcmp(name, lua->modules[i].name) == 0;
    if (used)
        return error_set(err, ERROR_INVALID, "module '%s': there is one of that name", name);
    if (lua->module_count == MODULES_MOST)
        return error_set(err, ERROR_LIMIT, "module '%s': there are %d already", name, MODULES_MOST);
    return check_stage(lua, STAGE_NEW, "take modules", err);
}

bool mesos_lua_add_module(struct mesos_lua *lua, const char *name, int (*open)(struct lua_State *L),
                          void *upvalue, char *error, size_t error_size)
{
    struct error err = {0};
    if (!check_module(lua, name, open, &err))
        return fail(&err, error, error_size);
    size_t count = ++lua->module_count;
    lua->modules = memory_resize(lua->modules, (count + 1) * sizeof *lua->modules);
    lua->modules[count - 1] = (struct script_module){copy_text(lua, name), open, upvalue};
    lua->modules[count] = (struct script_module){.name = NULL};
    return true;
}

// ---- the script ----

static bool copy_arguments(struct mesos_lua *lua, const char *const *arguments, struct error *err)
{
    size_t count = 0;
    while (arguments != NULL && arguments[count] != NULL)
        if (++count > ARGUMENTS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d arguments", ARGUMENTS_MOST);
    lua->arguments = memory_new((count + 1) * sizeof *lua->arguments);
    for (size_t i = 0; i < count; i++)
        lua->arguments[i] = copy_text(lua, arguments[i]);
    lua->options.argc = (int)count;
    lua->options.argv = lua->arguments;
    return true;
}

static void on_wake(void *data)
{
    (void)data; // on_turn() follows
}

static void create_host(struct mesos_lua *lua)
{
    const struct host_settings settings = {
        .options = &lua->options, .modules = lua->modules, .loop = lua->face.loop};
    lua->host = host_create(&settings);
    deferral_init(&lua->wake, host_loop(lua->host), on_wake, lua);
    loop_uv_follow(host_loop(lua->host), on_turn, lua);
    if (lua->stopping)
        host_stop(lua->host);
}

bool mesos_lua_load(struct mesos_lua *lua, const char *path, const char *const *arguments,
                    char *error, size_t error_size)
{
    struct error err = {0};
    if (path == NULL)
        error_set(&err, ERROR_INVALID, "a path is needed");
    if (path == NULL || !check_stage(lua, STAGE_NEW, "load a script", &err) ||
        !copy_arguments(lua, arguments, &err))
        return fail(&err, error, error_size);
    lua->options.script = copy_text(lua, path);
    lua->stage = STAGE_LOADING;
    create_host(lua);
    lua->running++;
    bool loaded = host_load(lua->host, &err);
    lua->stage = loaded ? STAGE_LOADED : STAGE_ENDED;
    lua->status = host_status(lua->host);
    if (lua->destroyed)
        loaded = error_set(&err, ERROR_INVALID, "the host was destroyed by its script");
    leave(lua);
    return loaded || fail(&err, error, error_size);
}

static void on_reloaded(void *data, bool swapped, const char *text)
{
    struct mesos_lua *lua = data;
    if (lua->face.reloaded != NULL && !lua->destroyed)
        lua->face.reloaded(lua->face.data, lua, swapped, text);
}

// A host that has nothing to start ends at the end of the turn as well.
bool mesos_lua_start(struct mesos_lua *lua, char *error, size_t error_size)
{
    struct error err = {0};
    if (!check_stage(lua, STAGE_LOADED, "be started", &err))
        return fail(&err, error, error_size);
    lua->stage = STAGE_STARTED;
    host_start(lua->host);
    if (host_reload(lua->host) != NULL)
        reload_listen(host_reload(lua->host), on_reloaded, lua);
    deferral_queue(&lua->wake);
    return true;
}

static bool has_ended(void *data)
{
    const struct mesos_lua *lua = data;
    return lua->stage == STAGE_ENDED;
}

int mesos_lua_run(struct mesos_lua *lua)
{
    char text[256];
    if (lua->stage == STAGE_LOADED)
        mesos_lua_start(lua, text, sizeof text);
    if (lua->stage != STAGE_STARTED || is_busy(lua))
        return mesos_lua_exit_status(lua);
    lua->running++;
    loop_uv_run(host_loop(lua->host), has_ended, lua);
    int status = lua->status;
    leave(lua);
    return status;
}

bool mesos_lua_reload(struct mesos_lua *lua, char *error, size_t error_size)
{
    struct error err = {0};
    if (!check_stage(lua, STAGE_STARTED, "reload its script", &err))
        return fail(&err, error, error_size);
    if (host_reload(lua->host) == NULL) {
        error_set(&err, ERROR_INVALID,
                  "the host cannot reload its script: only one that returns its scheduler can be "
                  "reloaded while it runs");
        return fail(&err, error, error_size);
    }
    reload_request(host_reload(lua->host), "asked for");
    return true;
}

void mesos_lua_stop(struct mesos_lua *lua)
{
    lua->stopping = true;
    if (lua->host != NULL && lua->stage != STAGE_ENDED)
        host_stop(lua->host);
}

bool mesos_lua_running(const struct mesos_lua *lua)
{
    return lua->stage == STAGE_STARTED;
}

int mesos_lua_exit_status(const struct mesos_lua *lua)
{
    bool live = lua->host != NULL && lua->stage != STAGE_ENDED && lua->stage != STAGE_LOADING;
    return live ? host_status(lua->host) : lua->status;
}

void mesos_lua_set_log(mesos_log_function function, void *data, enum mesos_log_level level)
{
    mesos_driver_set_log(function, data, level);
}
