// SPDX-License-Identifier: Apache-2.0
//
// The life of a script: see script.h. Everything that can run out of Lua memory happens in a
// protected call, the opening of the libraries included.

#include "script/script.h"

#include "base/log.h"
#include "base/memory.h"
#include "script/sandbox.h"
#include "script/script_internal.h"
#include "script/state_seed.h"

#include <lauxlib.h>
#include <lualib.h>

#include <stdlib.h>
#include <string.h>

// ---- memory ----

size_t script_memory(const struct script *script)
{
    return script->heap.used;
}

// ---- what Lua reports outside of a call ----

static int on_panic(lua_State *L)
{
    log_error("error outside of a protected call: %s", lua_tostring(L, -1));
    return 0;
}

// Errors of finalizers, and the script's own warn(). A warning may come in pieces. What starts with
// '@' is a command to the warning system; there are none here.
static void on_warning(void *data, const char *text, int more)
{
    struct buffer *buffer = &((struct script *)data)->warning;
    bool command = buffer->length == 0 && !more && *text == '@';
    if (command)
        return;
    buffer_append_text(buffer, text);
    if (more)
        return;
    log_warning("%s", buffer_string(buffer));
    buffer_clear(buffer);
}

// ---- the end asked for by the script ----

int script_exit(lua_State *L, int code)
{
    struct script *script = script_of(L);
    if (script->attached)
        luaL_error(L, "mesos.exit ends the program that hosts a script (mesos-lua SCRIPT.lua), and "
                      "here is none: stop the driver, and call os.exit");
    if (!script->exiting) {
        script->exiting = true;
        script->code = code;
        if (script->on_exit != NULL)
            script->on_exit(script->data, code);
    }
    protect_unwind(L);
}

int l_exit(lua_State *L)
{
    int code = EXIT_SUCCESS;
    if (lua_isboolean(L, 1))
        code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    else if (!lua_isnoneornil(L, 1))
        code = (int)luaL_checkinteger(L, 1);
    script_exit(L, code);
}

bool script_exit_requested(const struct script *script, int *code)
{
    if (script->exiting && code != NULL)
        *code = script->code;
    return script->exiting;
}

// ---- creating ----

enum { WARNING_LIMIT = 4096 };

static int l_open(lua_State *L)
{
    const struct script_settings *settings = lua_touserdata(L, 1);
    script_register(L, script_of(L));
    collector_register(L);
    sandbox_open_libraries(L);
    lua_getglobal(L, "os");
    lua_pushcfunction(L, l_exit);
    lua_setfield(L, -2, "exit");
    coroutines_open(L);
    modules_open(L, settings->modules);
    lua_createtable(L, 0, 0);
    lua_setglobal(L, "arg");
    if (settings->sandbox)
        sandbox_close_in(L);
    strict_globals_open(L);
    watchdog_set_memory_text(L, settings->memory_limit);
    return 0;
}

static void on_destroy(void *data)
{
    struct script *script = data;
    if (script->busy == 0)
        script_destroy(script);
}

struct script *script_new(const struct script_settings *settings)
{
    struct script *script = memory_new(sizeof *script);
    script->loop = settings->loop;
    script->on_exit = settings->on_exit;
    script->on_source = settings->on_source;
    script->on_long = settings->on_long;
    script->on_failure = settings->on_failure;
    script->on_slice = settings->on_slice;
    script->data = settings->data;
    script->sandbox = settings->sandbox;
    script_heap_init(&script->heap, settings->memory_limit);
    script->sources = sources_create();
    script->result = LUA_REFNIL;
    buffer_init(&script->warning, WARNING_LIMIT);
    deferral_init(&script->destruction, settings->loop, on_destroy, script);
    return script;
}

static bool open_state(struct script *script, const struct script_settings *settings,
                       struct error *err)
{
    lua_State *L = script->L;
    if (L == NULL)
        return error_set(err, ERROR_LIMIT, "not enough memory for a Lua state");
    *(struct script **)lua_getextraspace(L) = script;
    lua_atpanic(L, on_panic);
    lua_setwarnf(L, on_warning, script);
    collector_open(script, settings->idle_collection, settings->hash_seed != 0);
    if (protect_run(script, NULL, l_open, (void *)(uintptr_t)settings, 0) != PROTECT_DONE)
        return error_set(err, ERROR_SCRIPT, "cannot prepare a Lua state: %s", protect_text(script));
    // What was called so far is our own, and takes as long as it takes on a busy machine.
    watchdog_open(script, settings->callback_warn, settings->callback_limit, settings->load_limit);
    return true;
}

static lua_State *new_state(struct script_heap *heap, uint32_t hash_seed)
{
    if (hash_seed == 0)
        return lua_newstate(script_heap_allocate, heap);
    script_heap_place(heap);
    return state_seed_open(heap, hash_seed);
}

struct script *script_create(const struct script_settings *settings, struct error *err)
{
    struct script *script = script_new(settings);
    script->L = new_state(&script->heap, settings->hash_seed);
    if (open_state(script, settings, err))
        return script;
    script_destroy(script);
    return NULL;
}

// ---- ending ----

void script_on_close(struct script *script, void (*close)(void *data), void *data)
{
    size_t size = (script->closings + 1) * sizeof *script->closers;
    script->closers = memory_resize(script->closers, size);
    script->closers[script->closings++] = (struct closer){.close = close, .data = data};
}

void script_close_all(struct script *script)
{
    protect_close(script);
    while (script->closings > 0) {
        struct closer *closer = &script->closers[--script->closings];
        closer->close(closer->data);
    }
}

// Lua 5.4 begins to call finalizers in lua_close() in whatever phase its collector is. If one of
// them runs out of memory while a sweep is under way, the emergency collection frees what
// later finalizers need. So a full collection ends the sweep before.
static void close_state(struct script *script)
{
    if (script->L == NULL || script->attached)
        return;
    collector_close(script);
    script_close_all(script);
    lua_gc(script->L, LUA_GCCOLLECT);
    lua_close(script->L);
}

void script_destroy(struct script *script)
{
    if (script == NULL)
        return;
    script->closing = true;
    if (script->busy > 0) {
        script->destroy_pending = true;
        return;
    }
    deferral_cancel(&script->destruction);
    close_state(script);
    watchdog_close(script);
    script_heap_free(&script->heap);
    buffer_free(&script->warning);
    free(script->closers);
    sources_unref(script->sources);
    sources_unref(script->earlier);
    free(script->path);
    free(script->name);
    free(script);
}

// ---- loading ----

static bool cannot_open(const char *path, const char *reason, struct error *err)
{
    return error_set(err, ERROR_INVALID, "cannot open script '%s': %s", path, reason);
}

void script_set_path(struct script *script, const char *path)
{
    const char *slash = strrchr(path, '/');
    script->path = memory_string(path);
    script->name = memory_string(slash ? slash + 1 : path);
    char *end = strrchr(script->name, '.');
    if (end != NULL && end != script->name && strcmp(end, ".lua") == 0)
        *end = '\0';
}

struct load {
    const struct source *source;
    int argc;
    char *const *argv;
};

static void set_arguments(lua_State *L, const struct load *load) // [-0, +0, e]
{
    lua_createtable(L, load->argc, 1);
    lua_pushstring(L, load->source->path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < load->argc; i++) {
        lua_pushstring(L, load->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
}

// Leaves the main chunk and its arguments, or raises the text of a syntax error.
static int l_read(lua_State *L)
{
    const struct load *load = lua_touserdata(L, 1);
    lua_settop(L, 0);
    modules_set_folder(L, load->source->path);
    set_arguments(L, load);
    if (modules_load(L, load->source) != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, 1);
        return 2;
    }
    luaL_checkstack(L, load->argc, "too many arguments to the script");
    for (int i = 0; i < load->argc; i++)
        lua_pushstring(L, load->argv[i]);
    return load->argc + 1;
}

static int l_keep_result(lua_State *L)
{
    script_of(L)->result = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

// Moves the text at the top to `err`. A trace that does not fit is cut behind a whole line.
static bool move_error(struct script *script, struct error *err) // [-1, +0, -]
{
    error_set(err, ERROR_SCRIPT, "%s", protect_text(script));
    char *cut = err ? strrchr(err->text, '\n') : NULL;
    if (cut != NULL && strlen(err->text) == sizeof err->text - 1)
        *cut = '\0';
    lua_pop(script->L, 1);
    return false;
}

static bool read_chunk(struct script *script, struct load *load, struct error *err)
{
    lua_State *L = script->L;
    int top = lua_gettop(L);
    if (protect_run(script, NULL, l_read, load, LUA_MULTRET) != PROTECT_DONE)
        return move_error(script, err);
    script->arguments = lua_gettop(L) - top - 1;
    if (!lua_isnil(L, top + 1))
        return true;
    lua_remove(L, top + 1);
    return move_error(script, err);
}

static bool run_chunk(struct script *script, struct error *err)
{
    const struct title title = {.kind = "script", .name = script->path, .loaded = true};
    enum protect_outcome outcome = protect_main(script, &title, script->arguments);
    if (outcome == PROTECT_RAISED)
        return move_error(script, err);
    if (outcome != PROTECT_DONE)
        return error_set(err, ERROR_SCRIPT, "the script ended itself");
    return true;
}

// Makes the value at the top the result. // [-1, +0, -]
static bool keep_result(struct script *script, struct error *err)
{
    lua_pushcfunction(script->L, l_keep_result);
    lua_insert(script->L, -2);
    return protect_call(script, NULL, 1, 0) == PROTECT_DONE || move_error(script, err);
}

static const struct source *read_script(struct script *script, const char *path, struct error *err)
{
    struct error reason = {0};
    script_set_path(script, path);
    const struct source *source = modules_read(script, NULL, path, &reason);
    if (source == NULL) {
        cannot_open(path, reason.text, err);
    } else if (source->text->length > 0 && *source->text->data == *LUA_SIGNATURE) {
        cannot_open(path, "it is compiled Lua; only source text is loaded", err);
        source = NULL;
    }
    return source;
}

bool script_read(struct script *script, const char *path, int argc, char *const *argv,
                 struct error *err)
{
    struct load load = {.argc = argc, .argv = argv};
    load.source = read_script(script, path, err);
    return load.source != NULL && read_chunk(script, &load, err);
}

bool script_run(struct script *script, struct error *err)
{
    collector_begin(script);
    return run_chunk(script, err) && keep_result(script, err);
}

bool script_load(struct script *script, const char *path, int argc, char *const *argv,
                 struct error *err)
{
    return script_read(script, path, argc, argv, err) && script_run(script, err);
}

bool script_read_sources(struct script *script, struct sources *earlier, int argc,
                         char *const *argv, struct error *err)
{
    const struct source *source = sources_find(earlier, NULL);
    script->earlier = sources_ref(earlier);
    return script_read(script, source->path, argc, argv, err);
}

bool script_check_exit(const struct script *script, struct error *err)
{
    return !script_exit_requested(script, NULL) ||
           error_set(err, ERROR_SCRIPT,
                     "%s: it asked for the end of the program while it was loaded",
                     script_path(script));
}

void script_result(struct script *script, lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->result);
}

// ---- queries ----

lua_State *script_state(struct script *script)
{
    return script->L;
}

struct loop *script_loop(struct script *script)
{
    return script->loop;
}

const char *script_path(const struct script *script)
{
    return script->path;
}

const char *script_name(const struct script *script)
{
    return script->name;
}

bool script_calling(const struct script *script)
{
    return script->busy > 0;
}

bool script_sandboxed(const struct script *script)
{
    return script->sandbox;
}

bool script_closing(const struct script *script)
{
    return script->closing;
}

struct sources *script_sources(struct script *script)
{
    return script->sources;
}

bool script_running(char *text, size_t size)
{
    return watchdog_describe(text, size);
}

bool script_stopped(const struct script *script)
{
    return script->watchdog.stopped;
}

bool script_interrupt(const char *why)
{
    return watchdog_interrupt(why);
}

void script_failed(struct script *script, const char *what, const char *text)
{
    if (script->on_failure != NULL)
        script->on_failure(script->data, what, text);
}

uint64_t script_failures(const struct script *script)
{
    return script->failures;
}

void script_uncount_failure(struct script *script)
{
    script->failures--;
}

uint64_t script_runs(const struct script *script)
{
    return script->runs;
}
