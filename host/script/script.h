// SPDX-License-Identifier: Apache-2.0
//
// A script: one Lua state with its libraries, modules, arguments and memory account. A new version
// of a script is a new Lua state; timers, coroutines and everything else of the old one are
// destroyed with it. This room knows nothing of Mesos: the creator of a script passes what the
// script can do beyond Lua as modules.
//
// Code outside this room calls into Lua through protect.h only.

#ifndef MESOS_LUA_SCRIPT_SCRIPT_H
#define MESOS_LUA_SCRIPT_SCRIPT_H

#include "base/error.h"
#include "loop/loop.h"
#include "script/sources.h"

#include <lua.h>

struct script;
struct title;

// A module that `require` finds without a file. `open` is called as the module's loader, with the
// module's name as its first argument and `upvalue` as its first upvalue (a light userdata).
struct script_module {
    const char *name;
    lua_CFunction open;
    void *upvalue;
};

struct script_settings {
    struct loop *loop;                    // outlives the script
    const struct script_module *modules;  // ended by a row without a name; NULL: none
    size_t memory_limit;                  // bytes of the Lua heap; 0: none
    double callback_warn, callback_limit; // seconds without a pause (watchdog.h); 0: none
    double load_limit;                    // the same of a main chunk and of an operator's code
    bool idle_collection; // between turns of the loop, which is one of real time (collector.h)
    bool sandbox;         // sandbox.h

    // Not 0: the state iterates over its tables in the same order in each process that chooses the
    // same number and does the same in it (state_seed.h), and its objects are collected at the same
    // places, and where there is room for that, are at the same addresses (script_heap_place()). So
    // the order is also that of keys which are tables, functions of Lua, userdata and coroutines;
    // functions of C and light userdata are where the program was loaded. For scripts on virtual
    // time. 0: as Lua's states do it, differently in each process.
    uint32_t hash_seed;

    // The script asked to end the process, by os.exit or script_exit(). Called once, inside the
    // script, which does not run another line: note it, and destroy the script later.
    void (*on_exit)(void *data, int code);

    // A file was read, or was missing: see script_sources(). Called inside the script; may be NULL.
    void (*on_source)(void *data);

    // Lua code of the script has run for long without a pause and still does. Called ten times a
    // second, between two of its instructions. It may do what a C function that Lua calls may do,
    // except call Lua, and may use script_running() and script_interrupt(). May be NULL.
    void (*on_long)(void *data);

    // A timer or a spawned function ("timer of x.lua:3") raised an error, which is in the log. May
    // be NULL.
    void (*on_failure)(void *data, const char *what, const char *text);

    // Code of the script has run for so long, until it returned or waits; the title is that of
    // watchdog.h, with a kind. For measurements: it costs two looks at a clock each time. May be
    // NULL.
    void (*on_slice)(void *data, const struct title *title, uint64_t nanoseconds);
    void *data;
};

// Makes a Lua state without a script in it. NULL, and `err`, if the memory limit is too small.
struct script *script_create(const struct script_settings *settings, struct error *err);

// Ends it: every routine that waits in it is completed with PROTECT_CLOSED, then the functions of
// script_on_close() are called, the last one first, then the state is closed. Inside one of its own
// calls this is put off to the end of the loop's turn in which the call has returned; until then
// nothing new starts in it. NULL is fine.
void script_destroy(struct script *script);

// A script without a file: the state of another program (lua5.4, busted), which loads the module
// `mesos` from a shared library. What runs in it counts as a main chunk that does not end; routines
// run inside of driver:run(). Nothing of the state is replaced: it has its own pcall, coroutines
// and searchers, no strict globals, no watchdog and no limits, and it ends when its program wants.
// `path` names it in messages. Modules are not looked at, they are up to the caller.
// [-0, +0, e]
struct script *script_attach(lua_State *L, const struct script_settings *settings,
                             const char *path);

// The state is about to close: routines that wait in it end, without their on_done(), as the
// objects of that may be finalized already; then come the functions of script_on_close(). No code
// of it is called any more, and its functions raise. script_destroy() does not close it. Inside of
// a call into the script, which will not return as the process ends, only the latter holds.
void script_detach(struct script *script);

// Registers what must end before the state does.
void script_on_close(struct script *script, void (*close)(void *data), void *data);

// Reads a script from a file and compiles it. Once in the life of a script. False, and `err` with a
// traceback where there is one, if that fails.
bool script_read(struct script *script, const char *path, int argc, char *const *argv,
                 struct error *err);

// The same with the text of the files as an earlier version read it, even if the files have changed
// since. A module that the earlier version did not read comes from its file.
bool script_read_sources(struct script *script, struct sources *earlier, int argc,
                         char *const *argv, struct error *err);

// Then runs its main chunk with the arguments, and keeps the first value that it returns. False,
// and `err`, if that fails; also when the script asked to exit, which script_exit_requested()
// tells.
bool script_run(struct script *script, struct error *err);

// script_read() and script_run().
bool script_load(struct script *script, const char *path, int argc, char *const *argv,
                 struct error *err);

// False, and `err`, if the script asked for the end of the program while it was loaded: for those
// who load it in a program that goes on.
bool script_check_exit(const struct script *script, struct error *err);

// Pushes what the main chunk returned, or nil. // [-0, +1, -]
void script_result(struct script *script, lua_State *L);

// True if the script asked for the end; `code`, which may be NULL, is then the exit status.
bool script_exit_requested(const struct script *script, int *code);

// Asks for the end and leaves the script for good: does not return. // [-0, +0, e]
int script_exit(lua_State *L, int code) __attribute__((noreturn));

// os.exit and mesos.exit: (true | false | whole number | nothing). // [-0, +0, e]
int l_exit(lua_State *L);

// A coroutine that was made before script_attach() has nothing of use in its extra space, so from
// then on the script is looked up. Raises in a state whose script was detached. // [-0, +0, v]
extern bool script_any_attached;
struct script *script_find(lua_State *L, struct script *found);

// The script that a state belongs to, of any of its coroutines as well.
static inline struct script *script_of(lua_State *L)
{
    struct script *script = *(struct script **)lua_getextraspace(L);
    return script_any_attached ? script_find(L, script) : script;
}

lua_State *script_state(struct script *script);
struct loop *script_loop(struct script *script);
const char *script_path(const struct script *script); // as it was given to script_load(), or NULL
bool script_sandboxed(const struct script *script);
bool script_calling(const struct script *script); // inside a call into it
bool script_closing(const struct script *script); // nothing new may be started in it

// The file's name without folder and ".lua", such as "policy". Valid as long as the script.
const char *script_name(const struct script *script);

// The files that it has read so far. They outlive the script if a reference is taken.
struct sources *script_sources(struct script *script);

size_t script_memory(const struct script *script); // bytes of the Lua heap

// What runs on this thread, of any script: "callback statusUpdate, which has run for 3.20 s
// and is at x.lua:7". False: no Lua code does.
bool script_running(char *text, size_t size);

// Stops that when on_long() returns, with an error that nothing catches: "stopped after 3.20 s
// without a pause, by <why>", which lives until then. False: no Lua code runs.
bool script_interrupt(const char *why);

// True if the last slice of the script was stopped by its limit or by script_interrupt().
bool script_stopped(const struct script *script);

// Hands a failure to on_failure().
void script_failed(struct script *script, const char *what, const char *text);

// How many calls into it ended with an error.
uint64_t script_failures(const struct script *script);

// The last error was not the script's own: it does not count.
void script_uncount_failure(struct script *script);

// How many calls into it have ended so far. While the number stays the same, no code of the script
// has run.
uint64_t script_runs(const struct script *script);

#endif
