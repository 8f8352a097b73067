// SPDX-License-Identifier: Apache-2.0
//
// The inside of a script, for the files of this room only. Every state of the script, main or
// coroutine, has the script's address in its extra space.
//
// The words of this room:
//
//   routine  a coroutine that the host made for a callback, a timer or a spawned function, and that
//            may wait; "coroutine" alone is one that the script made (protect.h)
//   frame    one entry into Lua that has not returned (struct frame)
//   slice    the time from where the host calls into Lua to where that comes back, because it ended
//            or because it waits; meanwhile no event is handled (watchdog.h)
//   title    what a call is called in messages (struct title in protect.h)

#ifndef MESOS_LUA_SCRIPT_SCRIPT_INTERNAL_H
#define MESOS_LUA_SCRIPT_SCRIPT_INTERNAL_H

#include "base/buffer.h"
#include "script/collector.h"
#include "script/protect.h"
#include "script/script.h"
#include "script/script_heap.h"
#include "script/sources.h"
#include "script/watchdog.h"

// What runs now: a chain on the C stack, the innermost first.
struct frame {
    struct frame *previous;
    lua_State *L;
    struct routine *routine; // NULL: a main chunk or another plain call
    bool coroutine;          // L is a coroutine that the script made
    bool main;               // the main chunk of the script, or a coroutine in it
    bool waits;              // every coroutine between the routine and L can yield

    bool first;           // Its slice began with it.
    struct title title;   // of that slice
    volatile bool hooked; // L has a hook of watchdog.c, and had this one before:
    lua_Hook hook;
    int mask, count;
};

struct closer {
    void (*close)(void *data);
    void *data;
};

struct script {
    lua_State *L;
    struct loop *loop;
    void (*on_exit)(void *data, int code);
    void (*on_source)(void *data);
    void (*on_long)(void *data);
    void (*on_failure)(void *data, const char *what, const char *text);
    void (*on_slice)(void *data, const struct title *title, uint64_t nanoseconds);
    void *data;

    struct sources *sources; // what it has read
    struct sources *earlier; // an earlier version, which it reads instead of files, or NULL

    char *path, *name;
    int arguments; // of the main chunk, which lie above it on the stack before it runs
    int result;    // registry reference of what the main chunk returned

    struct script_heap heap; // the Lua heap
    struct collector collector;
    struct buffer warning; // the pieces of one so far

    struct watchdog watchdog;
    struct frame *volatile frame; // NULL: no Lua code runs
    struct routine *routines;     // those that run, wait, or are prepared
    struct routine *idle;         // those whose coroutine can be used again
    size_t idles;
    size_t busy; // calls into Lua that have not returned yet
    uint64_t failures;
    uint64_t runs; // calls into Lua that have returned
    bool traced;   // the trace of a coroutine is kept

    bool sandbox;
    bool attached;     // its state is another program's (script_attach)
    bool detached;     // and that closes it
    struct frame base; // what runs in such a state all the time
    bool exiting;      // It stops as soon as possible and runs no further line.
    int code;
    bool closing;         // Nothing new is started in it.
    bool destroy_pending; // It is destroyed when it is not busy any more.
    struct deferral destruction;

    struct closer *closers;
    size_t closings;
};

// ---- script.c ----

struct script *script_new(const struct script_settings *settings); // without a state
void script_set_path(struct script *script, const char *path);
void script_close_all(struct script *script); // routines, then what script_on_close() registered

// ---- attached.c ----

// Lets script_find() find it, for any of its coroutines. // [-0, +0, m]
void script_register(lua_State *L, struct script *script);

// ---- the others ----

// Reads of undeclared globals, and assignments to new ones outside a main chunk, raise from here
// on. // [-0, +0, e]
void strict_globals_open(lua_State *L);
bool strict_globals_active(lua_State *L); // True while that is so. // [-0, +0, m]
bool strict_globals_declared(lua_State *L, const char *name); // [-0, +0, m]

// The text of that error, for a name that is read or assigned where these local variables can be
// seen (their list ends with NULL). // [-0, +many, m]
void strict_globals_push_error(lua_State *L, const char *name, const char *const *visible,
                               bool assigned);

// What Lua 5.4 has instead of a global of other versions of Lua; NULL if the name is none.
const char *strict_globals_foreign(const char *name);

// The key of the table at `index` that was probably meant, or NULL. // [-0, +0, -]
const char *strict_globals_nearest_key(lua_State *L, int index, const char *name);

// pcall, xpcall and the coroutine library, in their versions for routines. // [-0, +0, e]
void coroutines_open(lua_State *L);

// package.path, package.preload, and the searcher that reads source text only. // [-0, +0, e]
void modules_open(lua_State *L, const struct script_module *modules);
void modules_set_folder(lua_State *L, const char *script); // [-0, +0, e]

// Reads a file (`module` NULL: the script itself), from memory if an earlier version is brought
// back. NULL and `err`, without the path, if that fails. // [-0, +0, -]
const struct source *modules_read(struct script *script, const char *module, const char *path,
                                  struct error *err);

// True if the file belongs to the script: it is the script, or lies below its folder. Modules from
// elsewhere are not the author's own.
bool modules_is_own(const struct script *script, const char *path);

// luaL_loadfilex() of a file of source text, or of standard input (NULL). One that is read while
// the main chunk of the script runs is part of its version, as a module is. // [-0, +1, m]
int modules_load_file(lua_State *L, const char *path);
bool modules_is_file(const struct source *source); // True if it was read so.

// luaL_loadfilex() of what was read. // [-0, +1, m]
int modules_load(lua_State *L, const struct source *source);

#endif
