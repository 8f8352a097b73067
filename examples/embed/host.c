// SPDX-License-Identifier: Apache-2.0
//
// A C program that has its decisions made by a Lua script. The program owns a budget; the script
// (policy.lua) decides what to spend it on, and pays with budget.spend(), which is a C function.
//
//     host MASTER SCRIPT BUDGET           for instance: host local policy.lua 3
//
// The script runs on the program's own libuv loop, between whatever else happens there. SIGHUP
// reloads it while it runs, SIGINT and SIGTERM end it. Exit status: the script's, 2 usage.
//
// Built against an installed mesos-lua with
//
//     cc host.c $(pkg-config --cflags --libs mesos-lua lua5.4 libuv) -o host
//
// or with the CMakeLists.txt beside it.

#include <mesos_lua.h>

#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { EXIT_USAGE = 2, SIGNALS = 3 };

struct program {
    lua_Integer budget, spent;
    struct mesos_lua *host;
    uv_signal_t signals[SIGNALS];
    int status;
};

// ---- what the script can call ----

static struct program *program_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

// budget.spend(amount): true, and what is left, or false if there is not that much.
static int l_spend(lua_State *L)
{
    struct program *program = program_of(L);
    lua_Integer amount = luaL_checkinteger(L, 1);
    luaL_argcheck(L, amount > 0, 1, "a positive amount expected");
    bool enough = amount <= program->budget;
    if (enough) {
        program->budget -= amount;
        program->spent += amount;
    }
    lua_pushboolean(L, enough);
    lua_pushinteger(L, program->budget);
    return 2;
}

// budget.refund(amount): what is left then.
static int l_refund(lua_State *L)
{
    struct program *program = program_of(L);
    lua_Integer amount = luaL_checkinteger(L, 1);
    luaL_argcheck(L, amount > 0 && amount <= program->spent, 1, "that much was not spent");
    program->budget += amount;
    program->spent -= amount;
    lua_pushinteger(L, program->budget);
    return 1;
}

// The module "budget": require calls this for each version of the script.
static int open_budget(lua_State *L)
{
    static const luaL_Reg functions[] = {{"spend", l_spend}, {"refund", l_refund}, {NULL, NULL}};
    luaL_newlibtable(L, functions);
    lua_pushvalue(L, lua_upvalueindex(1)); // the program, for each function
    luaL_setfuncs(L, functions, 1);
    return 1;
}

// ---- what the host tells ----

static void on_ended(void *data, struct mesos_lua *host, int status)
{
    struct program *program = data;
    program->status = status;
    program->host = NULL;
    mesos_lua_destroy(host);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&program->signals[i], NULL);
}

static void on_reloaded(void *data, struct mesos_lua *host, bool swapped, const char *text)
{
    (void)data, (void)host;
    printf("%s: %s\n", swapped ? "new policy" : "old policy", text);
    fflush(stdout);
}

// ---- the program ----

static void on_signal(uv_signal_t *signal, int number)
{
    struct program *program = signal->data;
    char text[256];
    if (number != SIGHUP)
        mesos_lua_stop(program->host);
    else if (!mesos_lua_reload(program->host, text, sizeof text))
        fprintf(stderr, "host: %s\n", text);
}

static void start_signals(struct program *program, uv_loop_t *loop)
{
    static const int numbers[SIGNALS] = {SIGHUP, SIGINT, SIGTERM};
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop, &program->signals[i]);
        program->signals[i].data = program;
        uv_signal_start(&program->signals[i], on_signal, numbers[i]);
    }
}

// With the host's files not watched, SIGHUP is the only way to another version.
static bool start_host(struct program *program, uv_loop_t *loop, const char *master,
                       const char *script, char *text, size_t size)
{
    const struct mesos_lua_options options = {.size = sizeof options,
                                              .loop = loop,
                                              .ended = on_ended,
                                              .reloaded = on_reloaded,
                                              .data = program};
    program->host = mesos_lua_create(&options, text, size);
    return program->host != NULL && mesos_lua_set(program->host, "master", master, text, size) &&
           mesos_lua_set(program->host, "no-watch", NULL, text, size) &&
           mesos_lua_add_module(program->host, "budget", open_budget, program, text, size) &&
           mesos_lua_load(program->host, script, NULL, text, size) &&
           mesos_lua_start(program->host, text, size);
}

int main(int argc, char **argv)
{
    char text[1024], *end = NULL;
    uv_loop_t loop;
    struct program program = {.budget = argc == 4 ? strtoll(argv[3], &end, 10) : 0};
    if (end == NULL || *end != 0 || program.budget < 1) {
        fprintf(stderr, "usage: host MASTER SCRIPT BUDGET\n");
        return EXIT_USAGE;
    }
    uv_loop_init(&loop);
    if (start_host(&program, &loop, argv[1], argv[2], text, sizeof text)) {
        start_signals(&program, &loop);
    } else {
        fprintf(stderr, "host: %s\n", text);
        program.status = EXIT_USAGE;
        mesos_lua_destroy(program.host);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    printf("%lld spent, %lld left\n", (long long)program.spent, (long long)program.budget);
    return program.status;
}
