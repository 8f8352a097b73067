// SPDX-License-Identifier: Apache-2.0
//
// Child processes as objects: see process.h. The registry keeps the object under its own address
// until the end of the child was reported, so that a script need not. The end is reported when all
// output has been handed to the script's functions, which are called one at a time for each output;
// while one of them waits, the pipe is not read.

#include "bindings/lib/process.h"

#include "base/buffer.h"
#include "base/log.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/hints.h"
#include "bindings/core/userdata.h"
#include "bindings/lib/command_arguments.h"
#include "bindings/message/arguments.h"
#include "loop/subprocess.h"
#include "script/protect.h"

#include <lauxlib.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROCESS_TYPE "mesos.Process"
#define WAIT_TYPE "mesos.Process wait"

enum {
    PROCESSES = 4096,            // at the same time
    PENDING_MOST = 256 * 1024,   // bytes of output that wait for the function before reading stops
    REST_MOST = 4 * 1024 * 1024, // bytes that are read when the child has ended
};

// One output of a child, if the script has a function for it.
struct child_output {
    struct child_process *process;
    bool err, paused;
    int function; // registry reference; LUA_NOREF: it goes where the host's goes
    bool running; // the function
    bool taken;   // what was pending, by the function that runs
    struct buffer pending;
};

struct child_process {
    struct userdata base;
    struct script *script;
    struct subprocess *child; // NULL: its end was reported, or the state closes
    struct child_output outputs[2];
    TAILQ_HEAD(, child_wait) waits;
    bool ended;    // the child
    bool reported; // that it has
    int64_t status;
    int signal;
    char name[64], failure[256], code[32]; // failure: it did not run, or was lost; or empty
};

// A routine that waits for the end. Its userdata lies on the stack of the coroutine.
struct child_wait {
    struct userdata base;
    TAILQ_ENTRY(child_wait) link;
    struct child_process *process; // NULL: not waiting any more
    struct routine *routine;
    struct timer timer;
    bool late;
};

static _Thread_local unsigned processes;

// ---- the end ----

static void stop_waiting(struct child_wait *wait)
{
    timer_stop(&wait->timer);
    if (wait->process != NULL)
        TAILQ_REMOVE(&wait->process->waits, wait, link);
    wait->process = NULL;
}

static void abandon_wait(void *data)
{
    stop_waiting(data);
}

static void end_wait(lua_State *L, struct userdata *userdata)
{
    (void)L;
    stop_waiting((struct child_wait *)userdata);
}

static void release_child(struct child_process *process)
{
    if (process->child == NULL)
        return;
    subprocess_destroy(process->child);
    process->child = NULL;
    processes--;
}

static void end_process(lua_State *L, struct userdata *userdata)
{
    struct child_process *process = (struct child_process *)userdata;
    release_child(process);
    while (!TAILQ_EMPTY(&process->waits))
        stop_waiting(TAILQ_FIRST(&process->waits));
    for (int i = 0; i < 2; i++) {
        if (!script_closing(process->script))
            luaL_unref(L, LUA_REGISTRYINDEX, process->outputs[i].function);
        process->outputs[i].function = LUA_NOREF;
        buffer_free(&process->outputs[i].pending);
    }
}

// Allocates nothing: the key is in the table. // [-0, +0, -]
static void unanchor(struct child_process *process)
{
    lua_State *L = script_state(process->script);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, process);
}

static bool has_output(const struct child_output *output)
{
    return output->running || output->pending.length > 0;
}

// The object may be collected as soon as the registry lets it go.
static void try_report(struct child_process *process)
{
    if (!process->ended || process->reported || has_output(&process->outputs[0]) ||
        has_output(&process->outputs[1]))
        return;
    process->reported = true;
    release_child(process);
    while (!TAILQ_EMPTY(&process->waits)) {
        struct child_wait *wait = TAILQ_FIRST(&process->waits);
        stop_waiting(wait);
        protect_resume(wait->routine);
    }
    if (!script_closing(process->script))
        unanchor(process);
}

static void on_end(void *data, const struct subprocess_end *end)
{
    struct child_process *process = data;
    process->ended = true;
    process->status = end->status;
    process->signal = end->signal;
    if (end->outcome == SUBPROCESS_FAILED) {
        snprintf(process->failure, sizeof process->failure, "%s", end->text);
        snprintf(process->code, sizeof process->code, "%s", end->code);
    }
    try_report(process);
}

// ---- output ----

static void set_paused(struct child_output *output, bool paused)
{
    if (output->paused == paused || output->process->child == NULL)
        return;
    output->paused = paused;
    subprocess_pause(output->process->child, output->err, paused);
}

// The function, and all that waits for it. // [-0, +2, e]
static int push_output(lua_State *L)
{
    struct child_output *output = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, output->function);
    lua_pushlstring(L, (const char *)output->pending.data, output->pending.length);
    output->taken = true;
    buffer_shrink(&output->pending);
    set_paused(output, false);
    return 2;
}

static void call_function(struct child_output *output);

// What could not be handed over, since the script has no memory left for it, would fail again.
static void drop_untaken(struct child_output *output)
{
    if (output->taken)
        return;
    buffer_shrink(&output->pending);
    set_paused(output, false);
}

static void on_output_done(void *data, const struct protect_end *end)
{
    struct child_output *output = data;
    output->running = false;
    if (end->outcome == PROTECT_RAISED) {
        log_error("output of a process: %s", end->text);
        script_failed(output->process->script, "output of a process", end->text);
        drop_untaken(output);
    }
    if (end->outcome == PROTECT_DONE || end->outcome == PROTECT_RAISED) {
        call_function(output);
        try_report(output->process);
    }
}

static void call_function(struct child_output *output)
{
    static const struct title title = {.kind = "output", .name = "of a process"};
    if (output->running || output->pending.length == 0)
        return;
    output->running = true;
    output->taken = false;
    protect_dispatch(output->process->script, &title, push_output, output, on_output_done, output);
}

static void on_output(void *data, bool err, struct slice piece)
{
    struct child_process *process = data;
    struct child_output *output = &process->outputs[err];
    buffer_append_slice(&output->pending, piece);
    call_function(output);
    if (output->pending.length > PENDING_MOST)
        set_paused(output, true);
}

// ---- methods ----

static struct child_process *check_process(lua_State *L) // [-0, +0, v]
{
    return userdata_check(L, 1, PROCESS_TYPE);
}

static int push_result(lua_State *L, const struct child_process *process) // [-0, +1|3, m]
{
    if (process->failure[0] != '\0') {
        luaL_pushfail(L);
        lua_pushstring(L, process->failure);
        lua_pushstring(L, process->code);
        return 3;
    }
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, process->signal != 0 ? process->signal : (lua_Integer)process->status);
    lua_setfield(L, -2, process->signal != 0 ? "signal" : "status");
    return 1;
}

static void on_late(void *data)
{
    struct child_wait *wait = data;
    wait->late = true;
    stop_waiting(wait);
    protect_resume(wait->routine);
}

// The context is the stack index of the userdata of the wait; the process is at 1.
static int on_waited(lua_State *L, int status, lua_KContext context)
{
    const struct child_wait *wait = userdata_at(L, (int)context);
    const struct child_process *process = userdata_at(L, 1);
    (void)status;
    if (!wait->late)
        return push_result(L, process);
    luaL_pushfail(L);
    lua_pushfstring(L, "'%s' still runs", process->name);
    lua_pushliteral(L, "ETIMEDOUT");
    return 3;
}

static int l_wait(lua_State *L) // [-2, +1|3, e]
{
    struct child_process *process = check_process(L);
    double seconds = luaL_optnumber(L, 2, HUGE_VAL);
    luaL_argcheck(L, seconds >= 0, 2, "a number of seconds, 0 or more, expected");
    lua_settop(L, 2);
    if (process->reported)
        return push_result(L, process);
    struct routine *routine = protect_waiter(L, "process:wait");
    struct child_wait *wait = userdata_push(L, WAIT_TYPE, sizeof *wait, 0, end_wait);
    timer_init(&wait->timer, script_loop(process->script), on_late, wait);
    wait->process = process;
    wait->routine = routine;
    TAILQ_INSERT_TAIL(&process->waits, wait, link);
    if (!isinf(seconds))
        timer_start(&wait->timer, loop_seconds(seconds));
    protect_waits_for(routine, abandon_wait, wait);
    return protect_wait(L, 3, on_waited);
}

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"SIGTERM", SIGTERM}, {"SIGKILL", SIGKILL}, {"SIGINT", SIGINT},   {"SIGHUP", SIGHUP},
    {"SIGQUIT", SIGQUIT}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGSTOP", SIGSTOP},
    {"SIGCONT", SIGCONT}, {"SIGABRT", SIGABRT},
};

enum { SIGNALS = sizeof signals / sizeof *signals };

static const char *signal_name(const void *data, size_t index)
{
    (void)data;
    return index < SIGNALS ? signals[index].name : NULL;
}

static int check_signal(lua_State *L, int index) // [-0, +0, v]
{
    if (lua_isnoneornil(L, index))
        return SIGTERM;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) > 0 && lua_tointeger(L, index) < NSIG)
        return (int)lua_tointeger(L, index);
    const char *text = luaL_tolstring(L, index, NULL);
    for (size_t i = 0; i < SIGNALS && lua_type(L, index) == LUA_TSTRING; i++)
        if (strcmp(text, signals[i].name) == 0 || strcmp(text, signals[i].name + 3) == 0)
            return signals[i].number;
    return luaL_error(L, "signal: a number, or a name such as SIGTERM, expected, got '%s'%s", text,
                      hints_push(L, text, signal_name, NULL));
}

static int l_kill(lua_State *L) // [-2, +1, e]
{
    struct child_process *process = check_process(L);
    int number = check_signal(L, 2);
    bool runs = process->child != NULL && !process->ended;
    if (runs)
        subprocess_signal(process->child, number);
    lua_pushboolean(L, runs);
    return 1;
}

static int l_pid(lua_State *L) // [-1, +1, e]
{
    const struct child_process *process = check_process(L);
    int64_t pid = process->child != NULL && !process->ended ? subprocess_pid(process->child) : 0;
    if (pid != 0)
        lua_pushinteger(L, (lua_Integer)pid);
    else
        lua_pushnil(L);
    return 1;
}

static int l_tostring(lua_State *L) // [-1, +1, e]
{
    const struct child_process *process = check_process(L);
    lua_pushfstring(L, "process '%s' (%s)", process->name, process->ended ? "ended" : "runs");
    return 1;
}

static const luaL_Reg methods[] = {
    {"wait", l_wait}, {"kill", l_kill}, {"pid", l_pid}, {NULL, NULL}};

static const char *method_name(const void *data, size_t index)
{
    (void)data;
    return methods[index].name;
}

static int l_no_method(lua_State *L) // [-2, +0, v]
{
    const char *name = luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "a process has no '%s'%s", name, hints_push(L, name, method_name, NULL));
}

// ---- starting ----

// [-0, +0, e]
static void read_function(lua_State *L, struct child_process *process, const char *name, bool err)
{
    int type = lua_getfield(L, 2, name);
    if (type != LUA_TNIL && type != LUA_TFUNCTION)
        luaL_error(L, "%s: a function of the output expected, got %s", name, luaL_typename(L, -1));
    if (type == LUA_TFUNCTION)
        process->outputs[err].function = luaL_ref(L, LUA_REGISTRYINDEX);
    else
        lua_pop(L, 1);
}

static enum subprocess_output output_mode(const struct child_output *output)
{
    return output->function == LUA_NOREF ? SUBPROCESS_SHARED : SUBPROCESS_PIECES;
}

// [-0, +many, e]
static void read_command(lua_State *L, struct subprocess_command *command,
                         struct child_process *process)
{
    static const char *const names[] = {"stdin", "env", "cwd", "stdout", "stderr", NULL};
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    arguments_keys(L, 2, names, "mesos.process: option");
    read_function(L, process, "stdout", false);
    read_function(L, process, "stderr", true);
    *command = (struct subprocess_command){
        .argv = command_arguments_argv(L, "mesos.process"),
        .environment = command_arguments_environment(L),
        .directory = arguments_text(L, 2, "cwd"),
        .input = command_arguments_input(L),
        .limit = REST_MOST,
        .out = output_mode(&process->outputs[0]),
        .err = output_mode(&process->outputs[1]),
        .on_output = on_output,
    };
    snprintf(process->name, sizeof process->name, "%s", command->argv[0]);
}

static struct child_process *push_process(lua_State *L) // [-0, +1, m]
{
    struct child_process *process = userdata_push(L, PROCESS_TYPE, sizeof *process, 0, end_process);
    process->script = script_of(L);
    TAILQ_INIT(&process->waits);
    for (int i = 0; i < 2; i++) {
        process->outputs[i] =
            (struct child_output){.process = process, .err = i == 1, .function = LUA_NOREF};
        buffer_init(&process->outputs[i].pending, SIZE_MAX / 2);
    }
    return process;
}

int l_process(lua_State *L)
{
    struct script *script = script_of(L);
    struct subprocess_command command;
    struct error err = {0};
    const char *code = "EAGAIN";
    dot_call_check(L, "process");
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    if (script_closing(script))
        luaL_error(L, "mesos.process: the script is being closed");
    struct child_process *process = push_process(L); // argv, options, process
    read_command(L, &command, process);
    lua_pushvalue(L, 3);
    lua_rawsetp(L, LUA_REGISTRYINDEX, process);
    if (processes < PROCESSES)
        process->child =
            subprocess_start(script_loop(script), &command, on_end, process, &code, &err);
    else
        error_set(&err, ERROR_LIMIT, "%d processes of mesos.process run already", PROCESSES);
    if (process->child == NULL) {
        unanchor(process);
        luaL_pushfail(L);
        lua_pushstring(L, err.text);
        lua_pushstring(L, code);
        return 3;
    }
    processes++;
    lua_settop(L, 3);
    return 1;
}

void process_open(lua_State *L)
{
    userdata_type(L, WAIT_TYPE);
    lua_pop(L, 1);
    userdata_type(L, PROCESS_TYPE); // class
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newlib(L, methods);  // class, methods
    lua_createtable(L, 0, 1); // class, methods, metatable
    lua_pushcfunction(L, l_no_method);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);        // class, methods
    lua_setfield(L, -2, "__index"); // class
    lua_pop(L, 1);
}
