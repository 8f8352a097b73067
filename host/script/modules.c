// SPDX-License-Identifier: Apache-2.0
//
// What `require` finds: the host's own modules, then the library that comes with the program
// (library.h), then Lua files beside the script and where Lua looks by default. Files are source
// text, never bytecode. Their text is kept (sources.h), so that a change of a file can be noticed
// and a version be brought back; the same holds for files that the main chunk reads by dofile() and
// loadfile().

#include "base/memory.h"
#include "script/library.h"
#include "script/script_internal.h"

#include <lauxlib.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Skips what luaL_loadfilex() skips: the byte order mark of UTF-8, and a first line for a shell
// without its newline.
static struct slice skip_head(struct slice text)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (text.length >= 3 && memcmp(text.data, mark, 3) == 0)
        text = (struct slice){text.data + 3, text.length - 3};
    if (text.length == 0 || *text.data != '#')
        return text;
    const uint8_t *end = memchr(text.data, '\n', text.length);
    size_t skipped = end ? (size_t)(end - text.data) : text.length;
    return (struct slice){text.data + skipped, text.length - skipped};
}

int modules_load(lua_State *L, const struct source *source)
{
    struct slice text = skip_head(slice_of(source->text));
    lua_pushfstring(L, "@%s", source->path);
    int status =
        luaL_loadbufferx(L, (const char *)text.data, text.length, lua_tostring(L, -1), "t");
    lua_remove(L, -2);
    return status;
}

const struct source *modules_read(struct script *script, const char *module, const char *path,
                                  struct error *err)
{
    const struct source *earlier = script->earlier ? sources_find(script->earlier, module) : NULL;
    const struct source *source = earlier;
    if (earlier != NULL && earlier->text != NULL)
        sources_add(script->sources, earlier);
    else
        source = sources_read(script->sources, module, path, err);
    if (script->on_source != NULL)
        script->on_source(script->data);
    return source;
}

bool modules_is_file(const struct source *source)
{
    return source->module != NULL && *source->module == '@';
}

int modules_load_file(lua_State *L, const char *path)
{
    enum { FILES_MOST = 1000 };
    struct script *script = script_of(L);
    struct error err = {0};
    const struct source *source = NULL;
    if (path != NULL && protect_in_main(L) && sources_count(script->sources) < FILES_MOST) {
        lua_pushfstring(L, "@%s", path);
        source = modules_read(script, lua_tostring(L, -1), path, &err);
        lua_pop(L, 1);
    }
    return source ? modules_load(L, source) : luaL_loadfilex(L, path, "t");
}

// The first file of the list, separated by ';', that can be read. It is not opened, as
// package.searchpath would, since that blocks at a named pipe.
static bool push_first(lua_State *L, const char *list) // [-0, +1|0, m]
{
    for (const char *end; *list != 0; list = *end ? end + 1 : end) {
        end = strchrnul(list, ';');
        lua_pushlstring(L, list, (size_t)(end - list));
        if (access(lua_tostring(L, -1), R_OK) == 0)
            return true;
        lua_pop(L, 1);
    }
    return false;
}

// (name) -> the path of its file, or nil and where it was looked for, in Lua's words. The upvalue
// is package.
static void find_file(lua_State *L) // [-0, +2, e]
{
    const char *name = luaL_gsub(L, lua_tostring(L, 1), ".", LUA_DIRSEP);
    lua_getfield(L, lua_upvalueindex(1), "path");
    if (!lua_isstring(L, -1))
        luaL_error(L, "'package.path' must be a string");
    const char *list = luaL_gsub(L, lua_tostring(L, -1), LUA_PATH_MARK, name);
    if (!push_first(L, list)) {
        lua_pushnil(L);
        lua_pushliteral(L, "no file '");
        luaL_gsub(L, list, LUA_PATH_SEP, "'\n\tno file '");
        lua_pushliteral(L, "'");
        lua_concat(L, 3);
    } else {
        lua_pushnil(L);
    }
    lua_rotate(L, -5, 2);
    lua_pop(L, 3);
}

// The author of a script may write a missing module in a moment, beside the script: it is watched.
static void note_missing(struct script *script, lua_State *L, const char *name) // [-0, +0, m]
{
    static const char *const patterns[] = {"%s%s.lua", "%s%s/init.lua"};
    if (script->path == NULL) // it was not loaded from a file, and is not reloaded
        return;
    const char *slash = strrchr(script->path, '/');
    lua_pushlstring(L, script->path, slash ? (size_t)(slash - script->path) + 1 : 0);
    luaL_gsub(L, name, ".", "/");
    for (int i = 0; i < 2; i++) {
        lua_pushfstring(L, patterns[i], lua_tostring(L, -2), lua_tostring(L, -1));
        sources_add_missing(script->sources, name, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    if (script->on_source != NULL)
        script->on_source(script->data);
}

// Pushes the path of that module's file in the earlier version, if it had one. // [-0, +1|0, m]
static bool push_earlier(lua_State *L, const struct script *script, const char *name)
{
    const struct source *earlier = script->earlier ? sources_find(script->earlier, name) : NULL;
    if (earlier == NULL || earlier->text == NULL)
        return false;
    lua_pushstring(L, earlier->path);
    return true;
}

// The module that a call of require() at that level of the stack is for, or NULL; the name lives as
// long as the call. The second upvalue is require. // [-0, +0, -]
static const char *required_at(lua_State *L, int level)
{
    lua_Debug ar;
    const char *name = NULL;
    int top = lua_gettop(L);
    if (!lua_getstack(L, level, &ar))
        return NULL;
    lua_getinfo(L, "f", &ar);
    if (lua_rawequal(L, -1, lua_upvalueindex(2)) && lua_getlocal(L, &ar, 1) != NULL)
        name = lua_tostring(L, -1);
    lua_settop(L, top);
    return name;
}

// Raises, with the files in the order in which they require each other, from that level on.
static int raise_circle(lua_State *L, int level) // [-0, +0, v]
{
    const struct sources *sources = script_of(L)->sources;
    luaL_Buffer text;
    luaL_where(L, 2); // the caller of require
    const char *where = lua_tostring(L, -1);
    luaL_buffinit(L, &text);
    luaL_addstring(&text, where);
    for (; level > 0; level--) {
        const char *name = required_at(L, level);
        const struct source *source = name ? sources_find(sources, name) : NULL;
        luaL_addstring(&text, source ? source->path : name ? name : "");
        luaL_addstring(&text, name && level > 1 ? " requires " : "");
    }
    luaL_addstring(&text, ": a module that is still being loaded cannot be required; put what both "
                          "need into a third one, or require it in a function that is called "
                          "later");
    luaL_pushresult(&text);
    return lua_error(L);
}

// A module that requires itself, perhaps through others, would be loaded without end. Lua takes as
// many steps to find a level of the stack as there are levels above it, so there is a cap.
static void check_circle(lua_State *L, const char *name) // [-0, +0, v]
{
    enum { LEVELS_MOST = 1000 };
    lua_Debug ar;
    for (int level = 2; level < LEVELS_MOST && lua_getstack(L, level, &ar); level++) {
        const char *other = required_at(L, level);
        if (other != NULL && strcmp(other, name) == 0)
            raise_circle(L, level);
    }
}

// ---- what the sandbox may read ----

static bool lies_in(const char *path, const char *folder)
{
    char *whole = realpath(folder, NULL);
    size_t length = whole ? strlen(whole) : 0;
    bool inside = length > 0 && strncmp(path, whole, length) == 0 &&
                  (path[length] == '/' || whole[length - 1] == '/');
    free(whole);
    return inside;
}

static bool may_read(const struct script *script, const char *path)
{
    const char *slash = strrchr(script->path, '/');
    char *folder =
        slash ? memory_text(script->path, (size_t)(slash - script->path) + 1) : memory_string(".");
    char *whole = realpath(path, NULL);
    bool may = whole != NULL && lies_in(whole, folder);
    free(whole);
    free(folder);
    return may;
}

// Raises if a sandboxed script may not read the module from that file. // [-0, +0, e]
static void check_sandbox(lua_State *L, const char *module, const char *path)
{
    const struct script *script = script_of(L);
    if (script->sandbox && !may_read(script, path))
        luaL_error(
            L,
            "module '%s' is in '%s', outside of the script's folder, where the sandbox reads "
            "nothing (--sandbox)",
            module, path);
}

// ---- the searcher ----

static int l_searcher(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct script *script = script_of(L);
    struct error err = {0};
    check_circle(L, name);
    if (!push_earlier(L, script, name)) {
        find_file(L);
        if (lua_isnil(L, -2)) {
            note_missing(script, L, name);
            return 1;
        }
        lua_pop(L, 1);
    }
    const char *path = lua_tostring(L, -1);
    check_sandbox(L, name, path);
    const struct source *source = modules_read(script, name, path, &err);
    if (source == NULL)
        return luaL_error(L, "cannot open '%s' of module '%s': %s", path, name, err.text);
    if (modules_load(L, source) != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, path,
                          lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

bool modules_is_own(const struct script *script, const char *path)
{
    if (script->path == NULL)
        return true;
    const char *slash = strrchr(script->path, '/');
    size_t length = slash ? (size_t)(slash - script->path) + 1 : 0;
    return strncmp(path, script->path, length) == 0 && (length > 0 || *path != '/');
}

static void set_searcher(lua_State *L) // [-0, +0, e]
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_getglobal(L, "require");
    lua_pushcclosure(L, l_searcher, 2);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

static void set_preload(lua_State *L, const struct script_module *modules) // [-0, +0, e]
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (; modules != NULL && modules->name != NULL; modules++) {
        lua_pushlightuserdata(L, modules->upvalue);
        lua_pushcclosure(L, modules->open, 1);
        lua_setfield(L, -2, modules->name);
    }
    lua_pop(L, 1);
}

void modules_open(lua_State *L, const struct script_module *modules)
{
    set_searcher(L);
    library_open(L);
    set_preload(L, modules);
}

// If the script's path has no folder, the paths of its modules have none either, so messages name
// both in the same way.
void modules_set_folder(lua_State *L, const char *script)
{
    const char *slash = strrchr(script, '/');
    lua_pushlstring(L, script, slash ? (size_t)(slash - script) + 1 : 0);
    const char *folder = lua_tostring(L, -1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "path");
    lua_pushfstring(L, "%s?.lua;%s?/init.lua;%s", folder, folder, lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pop(L, 3);
}
