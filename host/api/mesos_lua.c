// SPDX-License-Identifier: Apache-2.0
//
// The host for C programs: see include/mesos_lua.h. Everything that runs is host.h's; this file
// keeps copies of what the embedder passed in, and looks at the end of each turn of the loop, which
// the embedder may run, whether the host has ended.

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
    struct host *host;     // NULL until a script is loaded
    struct deferral nudge; // makes the loop take a turn
    enum stage stage;
    int status;       // of a host that has ended
    unsigned running; // rounds of mesos_lua_load() and mesos_lua_run()
    bool stopping;    // it was asked to stop before there was a script
    bool doomed;      // destroy it when it is not busy any more
};

// ---- errors ----

// Hands an error on; returns false always.
static bool fail(const struct error *err, char *error, size_t error_size)
{
    if (error_size > 0)
        snprintf(error, error_size, "%s", err->text);
    return false;
}

static char *keep(struct mesos_lua *this, const char *text)
{
    size_t size = strlen(text) + 1;
    struct text *kept = memory_new(sizeof *kept + size);
    memcpy(kept->bytes, text, size);
    kept->next = this->texts;
    this->texts = kept;
    return kept->bytes;
}

static bool check_stage(const struct mesos_lua *this, enum stage stage, const char *wish,
                        struct error *err)
{
    static const char *const names[] = {
        [STAGE_NEW] = "no script is loaded",     [STAGE_LOADING] = "its script is being loaded",
        [STAGE_LOADED] = "its script is loaded", [STAGE_STARTED] = "it was started",
        [STAGE_ENDED] = "it has ended",
    };
    return this->stage == stage ||
           error_set(err, ERROR_INVALID, "the host cannot %s: %s", wish, names[this->stage]);
}

// ---- the end ----

static void release(struct mesos_lua *this)
{
    if (this->host != NULL) {
        loop_uv_follow(host_loop(this->host), NULL, NULL);
        deferral_cancel(&this->nudge);
        host_destroy(this->host);
    }
    while (this->texts != NULL) {
        struct text *next = this->texts->next;
        free(this->texts);
        this->texts = next;
    }
    free(this->arguments);
    free(this->modules);
    free(this);
}

static bool is_busy(const struct mesos_lua *this)
{
    return this->running > 0 || (this->host != NULL && host_busy(this->host));
}

static void finish(struct mesos_lua *this)
{
    this->stage = STAGE_ENDED;
    host_quiesce(this->host);
    this->status = host_status(this->host);
    loop_uv_follow(host_loop(this->host), NULL, NULL);
    if (this->face.ended != NULL && !this->doomed)
        this->face.ended(this->face.data, this, this->status);
}

// The end of a turn of the loop. Nothing may be touched behind release() and finish().
static void on_turn(void *data)
{
    struct mesos_lua *this = data;
    if (host_busy(this->host))
        return;
    if (this->doomed && !is_busy(this))
        release(this);
    else if (this->stage == STAGE_STARTED && host_finished(this->host))
        finish(this);
}

static void leave(struct mesos_lua *this)
{
    if (--this->running == 0 && this->doomed && !is_busy(this))
        release(this);
}

void mesos_lua_destroy(struct mesos_lua *this)
{
    if (this == NULL)
        return;
    if (!is_busy(this)) {
        release(this);
        return;
    }
    this->doomed = true;
    mesos_lua_stop(this);
    if (this->host != NULL)
        deferral_queue(&this->nudge);
}

// ---- setting up ----

static bool read_options(struct mesos_lua *this, const struct mesos_lua_options *given,
                         struct error *err)
{
    size_t size = given ? given->size : 0;
    if (given != NULL && (size < sizeof size || size > sizeof this->face))
        return error_set(err, ERROR_INVALID,
                         "options: size is %zu, which is that of no version up to this one: it is "
                         "to be sizeof(struct mesos_lua_options)",
                         size);
    if (given != NULL)
        memcpy(&this->face, given, size);
    return options_init(&this->options, this->face.environment, err);
}

struct mesos_lua *mesos_lua_create(const struct mesos_lua_options *options, char *error,
                                   size_t error_size)
{
    struct error err = {0};
    struct mesos_lua *this = memory_new(sizeof *this);
    this->modules = memory_new(sizeof *this->modules);
    if (read_options(this, options, &err)) {
        if (this->face.environment)
            log_set_level(this->options.log_level);
        return this;
    }
    fail(&err, error, error_size);
    release(this);
    return NULL;
}

bool mesos_lua_set(struct mesos_lua *this, const char *name, const char *value, char *error,
                   size_t error_size)
{
    struct error err = {0};
    enum log_level level = this->options.log_level;
    enum log_format format = this->options.log_format;
    if (name == NULL)
        error_set(&err, ERROR_INVALID, "an option needs a name");
    if (name == NULL || !check_stage(this, STAGE_NEW, "take options", &err) ||
        !options_set(&this->options, name, value ? keep(this, value) : NULL, &err))
        return fail(&err, error, error_size);
    if (this->options.log_level != level)
        log_set_level(this->options.log_level);
    if (this->options.log_format != format)
        log_set_format(this->options.log_format);
    return true;
}

static bool check_module(const struct mesos_lua *this, const char *name,
                         int (*open)(struct lua_State *L), struct error *err)
{
    if (name == NULL || *name == 0 || open == NULL)
        return error_set(err, ERROR_INVALID, "a module needs a name and a function that opens it");
    bool taken = strcmp(name, "mesos") == 0;
    for (size_t i = 0; i < this->module_count; i++)
        taken = taken || strcmp(name, this->modules[i].name) == 0;
    if (taken)
        return error_set(err, ERROR_INVALID, "module '%s': there is one of that name", name);
    if (this->module_count == MODULES_MOST)
        return error_set(err, ERROR_LIMIT, "module '%s': there are %d already", name, MODULES_MOST);
    return check_stage(this, STAGE_NEW, "take modules", err);
}

bool mesos_lua_add_module(struct mesos_lua *this, const char *name,
                          int (*open)(struct lua_State *L), void *upvalue, char *error,
                          size_t error_size)
{
    struct error err = {0};
    if (!check_module(this, name, open, &err))
        return fail(&err, error, error_size);
    size_t count = ++this->module_count;
    this->modules = memory_resize(this->modules, (count + 1) * sizeof *this->modules);
    this->modules[count - 1] = (struct script_module){keep(this, name), open, upvalue};
    this->modules[count] = (struct script_module){.name = NULL};
    return true;
}

// ---- the script ----

static bool take_arguments(struct mesos_lua *this, const char *const *arguments, struct error *err)
{
    size_t count = 0;
    while (arguments != NULL && arguments[count] != NULL)
        if (++count > ARGUMENTS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d arguments", ARGUMENTS_MOST);
    this->arguments = memory_new((count + 1) * sizeof *this->arguments);
    for (size_t i = 0; i < count; i++)
        this->arguments[i] = keep(this, arguments[i]);
    this->options.argc = (int)count;
    this->options.argv = this->arguments;
    return true;
}

static void on_nudge(void *data)
{
    (void)data; // the end of the turn is what counts
}

static void create_host(struct mesos_lua *this)
{
    const struct host_settings settings = {
        .options = &this->options, .modules = this->modules, .loop = this->face.loop};
    this->host = host_create(&settings);
    deferral_init(&this->nudge, host_loop(this->host), on_nudge, this);
    loop_uv_follow(host_loop(this->host), on_turn, this);
    if (this->stopping)
        host_stop(this->host);
}

bool mesos_lua_load(struct mesos_lua *this, const char *path, const char *const *arguments,
                    char *error, size_t error_size)
{
    struct error err = {0};
    if (path == NULL)
        error_set(&err, ERROR_INVALID, "a path is needed");
    if (path == NULL || !check_stage(this, STAGE_NEW, "load a script", &err) ||
        !take_arguments(this, arguments, &err))
        return fail(&err, error, error_size);
    this->options.script = keep(this, path);
    this->stage = STAGE_LOADING;
    create_host(this);
    this->running++;
    bool loaded = host_load(this->host, &err);
    this->stage = loaded ? STAGE_LOADED : STAGE_ENDED;
    this->status = host_status(this->host);
    if (this->doomed)
        loaded = error_set(&err, ERROR_INVALID, "the host was destroyed by its script");
    leave(this);
    return loaded || fail(&err, error, error_size);
}

static void on_reloaded(void *data, bool swapped, const char *text)
{
    struct mesos_lua *this = data;
    if (this->face.reloaded != NULL && !this->doomed)
        this->face.reloaded(this->face.data, this, swapped, text);
}

// A host that has nothing to start ends at the end of the turn as well.
bool mesos_lua_start(struct mesos_lua *this, char *error, size_t error_size)
{
    struct error err = {0};
    if (!check_stage(this, STAGE_LOADED, "be started", &err))
        return fail(&err, error, error_size);
    this->stage = STAGE_STARTED;
    host_start(this->host);
    if (host_reload(this->host) != NULL)
        reload_listen(host_reload(this->host), on_reloaded, this);
    deferral_queue(&this->nudge);
    return true;
}

static bool has_ended(void *data)
{
    const struct mesos_lua *this = data;
    return this->stage == STAGE_ENDED;
}

int mesos_lua_run(struct mesos_lua *this)
{
    char text[256];
    if (this->stage == STAGE_LOADED)
        mesos_lua_start(this, text, sizeof text);
    if (this->stage != STAGE_STARTED || is_busy(this))
        return mesos_lua_exit_status(this);
    this->running++;
    loop_uv_run(host_loop(this->host), has_ended, this);
    int status = this->status;
    leave(this);
    return status;
}

bool mesos_lua_reload(struct mesos_lua *this, char *error, size_t error_size)
{
    struct error err = {0};
    if (!check_stage(this, STAGE_STARTED, "reload its script", &err))
        return fail(&err, error, error_size);
    if (host_reload(this->host) == NULL) {
        error_set(&err, ERROR_INVALID,
                  "the host cannot reload its script: only one that returns its scheduler can be "
                  "reloaded while it runs");
        return fail(&err, error, error_size);
    }
    reload_request(host_reload(this->host), "asked for");
    return true;
}

void mesos_lua_stop(struct mesos_lua *this)
{
    this->stopping = true;
    if (this->host != NULL && this->stage != STAGE_ENDED)
        host_stop(this->host);
}

bool mesos_lua_running(const struct mesos_lua *this)
{
    return this->stage == STAGE_STARTED;
}

int mesos_lua_exit_status(const struct mesos_lua *this)
{
    bool live = this->host != NULL && this->stage != STAGE_ENDED && this->stage != STAGE_LOADING;
    return live ? host_status(this->host) : this->status;
}

void mesos_lua_set_log(mesos_log_function function, void *data, enum mesos_log_level level)
{
    mesos_driver_set_log(function, data, level);
}
