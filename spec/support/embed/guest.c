// SPDX-License-Identifier: Apache-2.0
//
// A program around mesos_lua.h that does one thing the way that its first argument says, for
// spec/embed_spec.lua: guest MODE MASTER SCRIPT [NAME=VALUE...]. The script can require "guest",
// whose functions act on the host from inside: guest.stop(), guest.reload(), guest.destroy(); and
// guest.count(), which counts the calls in the data of its host. It prints what happens, and the
// exit status at the end. What is behind the script are options of each host, a '#' in them being
// its number.
//
//     own       a loop of the host's, run by mesos_lua_run()
//     loop      a loop of ours, run by us; the host is destroyed in `ended`
//     late      the same; the host is destroyed when uv_run() has returned
//     early     a loop of ours; the host is destroyed while it runs, by a timer of ours
//     twice     two hosts on one loop of ours
//     pair      the same, each with a number as its argument, and the log on stdout
//     surround  a loop of the host's, with the variables of the environment, MASTER not being set
//     errors    what the functions say to wrong calls

#include <mesos_lua.h>

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char text[1024];
static struct mesos_lua *host;
static bool destroy_in_ended, surrounded;
static char *const *settings; // NAME=VALUE, ended by NULL
static int counts[2], hosts;
static const char *first_argument = "one";
static int status = -1;

static bool say(bool good)
{
    if (!good)
        printf("error: %s\n", text);
    text[0] = 0;
    return good;
}

// ---- what the script can call ----

static int l_stop(lua_State *L)
{
    (void)L;
    mesos_lua_stop(host);
    return 0;
}

static int l_reload(lua_State *L)
{
    lua_pushboolean(L, say(mesos_lua_reload(host, text, sizeof text)));
    return 1;
}

static int l_destroy(lua_State *L)
{
    (void)L;
    mesos_lua_destroy(host);
    host = NULL;
    return 0;
}

static int l_count(lua_State *L)
{
    int *count = lua_touserdata(L, lua_upvalueindex(1));
    lua_pushinteger(L, ++*count);
    return 1;
}

static int open_guest(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"stop", l_stop}, {"reload", l_reload}, {"destroy", l_destroy}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, l_count, 1);
    lua_setfield(L, -2, "count");
    return 1;
}

// ---- hosts ----

static bool set(struct mesos_lua *made, const char *setting)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", setting);
    char *value = strchr(copy, '='), *number = strchr(copy, '#');
    if (value != NULL)
        *value++ = 0;
    if (number != NULL)
        *number = (char)('0' + hosts);
    return say(mesos_lua_set(made, copy, value, text, sizeof text));
}

static bool set_all(struct mesos_lua *made)
{
    bool good = true;
    for (char *const *each = settings; good && *each != NULL; each++)
        good = set(made, *each);
    return good;
}

static void on_ended(void *data, struct mesos_lua *which, int code)
{
    (void)data;
    printf("ended: %d\n", code);
    status = code;
    if (destroy_in_ended)
        mesos_lua_destroy(which);
}

static void on_reloaded(void *data, struct mesos_lua *which, bool swapped, const char *line)
{
    (void)data;
    (void)which;
    printf("%s: %s\n", swapped ? "swapped" : "kept", line);
    fflush(stdout);
}

static struct mesos_lua *create(uv_loop_t *loop, const char *master, const char *script)
{
    const char *const arguments[] = {first_argument, "two", NULL};
    const struct mesos_lua_options options = {.size = sizeof options,
                                              .loop = loop,
                                              .environment = surrounded,
                                              .ended = on_ended,
                                              .reloaded = on_reloaded};
    int *count = &counts[hosts++ % 2];
    struct mesos_lua *made = mesos_lua_create(&options, text, sizeof text);
    bool good = say(made != NULL) &&
                (surrounded || say(mesos_lua_set(made, "master", master, text, sizeof text))) &&
                say(mesos_lua_set(made, "registration-backoff", "200ms", text, sizeof text)) &&
                set_all(made) &&
                say(mesos_lua_add_module(made, "guest", open_guest, count, text, sizeof text));
    host = made;
    if (good && say(mesos_lua_load(made, script, arguments, text, sizeof text)))
        return made;
    if (host != NULL) { // the script may have destroyed it
        printf("status: %d\n", mesos_lua_exit_status(made));
        mesos_lua_destroy(made);
    }
    return NULL;
}

static void run_loop(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    printf("loop: %s\n", uv_loop_close(loop) == 0 ? "closed" : "not closed");
}

static void run_own(const char *master, const char *script)
{
    struct mesos_lua *made = create(NULL, master, script);
    if (made == NULL)
        return;
    printf("run: %d\n", mesos_lua_run(made));
    mesos_lua_destroy(host);
}

static void run_on_loop(const char *master, const char *script, bool in_ended)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    destroy_in_ended = in_ended;
    struct mesos_lua *made = create(&loop, master, script);
    if (made != NULL)
        say(mesos_lua_start(made, text, sizeof text));
    if (made != NULL && !in_ended) {
        uv_run(&loop, UV_RUN_DEFAULT);
        printf("running: %d, status: %d\n", mesos_lua_running(made), mesos_lua_exit_status(made));
        mesos_lua_destroy(made);
    }
    run_loop(&loop);
}

static void on_timer(uv_timer_t *timer)
{
    mesos_lua_destroy(host);
    uv_close((uv_handle_t *)timer, NULL);
}

static void run_early(const char *master, const char *script)
{
    uv_loop_t loop;
    uv_timer_t timer;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &timer);
    if (create(&loop, master, script) != NULL)
        say(mesos_lua_start(host, text, sizeof text));
    uv_timer_start(&timer, on_timer, 300, 0);
    run_loop(&loop);
}

static void run_two(const char *master, const char *script)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    destroy_in_ended = true;
    for (int i = 0; i < 2; i++) {
        first_argument = i == 0 ? "one" : "other";
        struct mesos_lua *made = create(&loop, master, script);
        if (made != NULL)
            say(mesos_lua_start(made, text, sizeof text));
    }
    run_loop(&loop);
}

static void on_log(void *data, enum mesos_log_level level, const char *line)
{
    printf("log %s %d: %s\n", (const char *)data, (int)level, line);
}

static void run_pair(const char *master, const char *script)
{
    mesos_lua_set_log(on_log, "here", MESOS_LOG_INFO);
    run_two(master, script);
    mesos_lua_set_log(NULL, NULL, MESOS_LOG_INFO);
}

static void run_surrounded(const char *master, const char *script)
{
    surrounded = true;
    run_own(master, script);
}

static void show_errors(const char *master, const char *script)
{
    const struct mesos_lua_options wrong = {.size = 1};
    say(mesos_lua_create(&wrong, text, sizeof text) != NULL);
    host = mesos_lua_create(NULL, text, sizeof text);
    say(mesos_lua_set(host, NULL, "x", text, sizeof text));
    say(mesos_lua_set(host, "mastr", "x", text, sizeof text));
    say(mesos_lua_set(host, "help", NULL, text, sizeof text));
    say(mesos_lua_set(host, "agents", "many", text, sizeof text));
    say(mesos_lua_set(host, "master", NULL, text, sizeof text));
    say(mesos_lua_set(host, "no-watch", "perhaps", text, sizeof text));
    say(mesos_lua_set(host, "master", master, NULL, 0));
    say(mesos_lua_add_module(host, "mesos", open_guest, NULL, text, sizeof text));
    say(mesos_lua_add_module(host, "guest", NULL, NULL, text, sizeof text));
    say(mesos_lua_start(host, text, sizeof text));
    say(mesos_lua_reload(host, text, sizeof text));
    say(mesos_lua_load(host, NULL, NULL, text, sizeof text));
    printf("run: %d\n", mesos_lua_run(host));
    say(mesos_lua_load(host, script, NULL, text, sizeof text));
    say(mesos_lua_load(host, script, NULL, text, sizeof text));
    say(mesos_lua_set(host, "master", master, text, sizeof text));
    printf("status: %d\n", mesos_lua_exit_status(host));
    mesos_lua_destroy(host);
}

int main(int argc, char **argv)
{
    const char *mode = argc >= 4 ? argv[1] : "";
    settings = argv + (argc >= 4 ? 4 : argc);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(mode, "own") == 0)
        run_own(argv[2], argv[3]);
    else if (strcmp(mode, "loop") == 0 || strcmp(mode, "late") == 0)
        run_on_loop(argv[2], argv[3], strcmp(mode, "loop") == 0);
    else if (strcmp(mode, "early") == 0)
        run_early(argv[2], argv[3]);
    else if (strcmp(mode, "twice") == 0)
        run_two(argv[2], argv[3]);
    else if (strcmp(mode, "pair") == 0)
        run_pair(argv[2], argv[3]);
    else if (strcmp(mode, "surround") == 0)
        run_surrounded(argv[2], argv[3]);
    else if (strcmp(mode, "errors") == 0)
        show_errors(argv[2], argv[3]);
    else
        return 2;
    return 0;
}
