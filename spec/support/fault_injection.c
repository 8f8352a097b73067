// SPDX-License-Identifier: Apache-2.0
//
// What comes between the host and Lua: see fault_injection.h. A program takes its hardship from the
// environment, in MESOS_LUA_HARDSHIP; specs and fuzz targets set it themselves.

#include "fault_injection.h"

#include "script/script.h"

#include <lauxlib.h>
#include <lua.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AHEAD = 40,          // calls and instructions, within which an error comes
    PLENTY = 512 * 1024, // bytes, from which on collections become rarer
};

static struct {
    struct hardship set;
    struct hardship_report report;
    uint64_t random;
    uint64_t due;    // attempts to refuse from now on
    uint64_t ahead;  // calls and instructions until the error; 0: none is on its way
    uint64_t waited; // requests since a collection
    bool again;      // Lua asks once more, after a collection
    bool unfinished; // a state is being made
} now;

static lua_Alloc allocator;

lua_State *__real_lua_newstate(lua_Alloc function, void *data);
lua_State *__wrap_lua_newstate(lua_Alloc function, void *data);
void __real_lua_setallocf(lua_State *L, lua_Alloc function, void *data);
void __wrap_lua_setallocf(lua_State *L, lua_Alloc function, void *data);
int __real_lua_pcallk(lua_State *L, int arguments, int results, int handler, lua_KContext context,
                      lua_KFunction k);
int __wrap_lua_pcallk(lua_State *L, int arguments, int results, int handler, lua_KContext context,
                      lua_KFunction k);
int __real_lua_resume(lua_State *L, lua_State *from, int arguments, int *results);
int __wrap_lua_resume(lua_State *L, lua_State *from, int arguments, int *results);

void hardship_set(const struct hardship *hardship)
{
    size_t bytes = now.report.bytes;
    memset(&now, 0, sizeof now);
    if (hardship != NULL)
        now.set = *hardship;
    now.random = now.set.seed * 2 + 1;
    now.report.bytes = bytes;
}

struct hardship_report hardship_report(void)
{
    return now.report;
}

// ---- the allocator ----

// A collection takes as long as there is much to look at.
static uint64_t interval(void)
{
    uint64_t much = 1 + now.report.bytes / PLENTY;
    return now.set.collect * much * much;
}

// `object`: the request is for a new object of Lua's. Those Lua repeats after a collection; of
// others some are made by luaL_Buffer, which gives up at once.
static bool refuses(bool object)
{
    now.report.requests++;
    if (now.set.refuse != 0 && now.report.requests == now.set.refuse)
        now.due = 2 + now.set.burst;
    if (now.due > 0) {
        now.due--;
        now.report.refused++;
        return true;
    }
    if (now.again)
        return now.again = false;
    now.again = now.set.collect != 0 && ++now.waited >= interval() && object && !now.unfinished;
    if (now.again)
        now.waited = 0;
    return now.again;
}

static void *allocate(void *data, void *block, size_t old, size_t size)
{
    size_t had = block ? old : 0;
    if (size > had && refuses(block == NULL && old != 0))
        return NULL;
    void *result = allocator(data, block, old, size);
    if (result != NULL || size == 0)
        now.report.bytes += size - had;
    else
        now.again = true;
    return result;
}

// All states have the same allocator, except while one is being made.
lua_State *__wrap_lua_newstate(lua_Alloc function, void *data)
{
    lua_Alloc before = allocator;
    allocator = function;
    now.unfinished = true;
    lua_State *L = __real_lua_newstate(allocate, data);
    now.unfinished = false;
    if (L == NULL && before != NULL)
        allocator = before;
    return L;
}

void __wrap_lua_setallocf(lua_State *L, lua_Alloc function, void *data)
{
    allocator = function;
    __real_lua_setallocf(L, allocate, data);
}

// ---- errors ----

static uint64_t draw(uint64_t below)
{
    now.random ^= now.random << 13;
    now.random ^= now.random >> 7;
    now.random ^= now.random << 17;
    return (now.random >> 11) % below;
}

static int l_hostile(lua_State *L)
{
    return luaL_error(L, "an error that cannot be printed");
}

static void push_hostile(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcfunction(L, l_hostile);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, -2);
}

static void push_text(lua_State *L)
{
    lua_pushliteral(L, "an injected error");
}

static void push_table(lua_State *L)
{
    lua_newtable(L);
}

static void push_code(lua_State *L)
{
    lua_pushinteger(L, 42);
}

static void push_false(lua_State *L)
{
    lua_pushboolean(L, 0);
}

static void push_thread(lua_State *L)
{
    lua_pushthread(L);
}

static void run_out_of_memory(lua_State *L)
{
    now.due = 2;
    lua_newuserdatauv(L, 1024, 0);
}

static void (*const kinds[])(lua_State *L) = {push_text,  push_text,   push_hostile,
                                              push_table, lua_pushnil, push_code,
                                              push_false, push_thread, run_out_of_memory};

static void on_event(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (now.ahead == 0)
        lua_sethook(L, NULL, 0, 0);
    if (now.ahead == 0 || --now.ahead > 0)
        return;
    lua_sethook(L, NULL, 0, 0);
    now.report.raised++;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    kinds[draw(sizeof kinds / sizeof *kinds)](L);
    lua_error(L);
}

// ---- the door ----

static bool is_ours(lua_State *L)
{
    return lua_getallocf(L, NULL) == allocate;
}

// With finalizers, which a coroutine that has failed is no place for.
static void collect(lua_State *L)
{
    if (now.set.doors)
        lua_gc(script_state(script_of(L)), LUA_GCCOLLECT);
}

static void before(lua_State *L)
{
    collect(L);
    if (now.set.errors > 0 && (double)draw(1000000) < now.set.errors * 1e6 &&
        lua_gethook(L) == NULL) {
        now.ahead = 1 + draw(1 + draw(AHEAD));
        lua_sethook(L, on_event, LUA_MASKCALL | LUA_MASKCOUNT, 1);
    }
}

static void behind(lua_State *L)
{
    if (lua_gethook(L) == on_event)
        lua_sethook(L, NULL, 0, 0);
    now.ahead = 0;
    collect(L);
}

// With a continuation the call may end without coming back here.
int __wrap_lua_pcallk(lua_State *L, int arguments, int results, int handler, lua_KContext context,
                      lua_KFunction k)
{
    bool exposed = k == NULL && is_ours(L);
    if (exposed)
        before(L);
    int status = __real_lua_pcallk(L, arguments, results, handler, context, k);
    if (exposed)
        behind(L);
    return status;
}

int __wrap_lua_resume(lua_State *L, lua_State *from, int arguments, int *results)
{
    bool exposed = is_ours(L);
    if (exposed)
        before(L);
    int status = __real_lua_resume(L, from, arguments, results);
    if (exposed)
        behind(L);
    return status;
}

// ---- from the environment ----

static bool set_word(struct hardship *hardship, const char *name, double value)
{
    if (strcmp(name, "collect") == 0)
        hardship->collect = (uint64_t)value;
    else if (strcmp(name, "doors") == 0)
        hardship->doors = value != 0;
    else if (strcmp(name, "refuse") == 0)
        hardship->refuse = (uint64_t)value;
    else if (strcmp(name, "burst") == 0)
        hardship->burst = (uint64_t)value;
    else if (strcmp(name, "errors") == 0)
        hardship->errors = value;
    else if (strcmp(name, "seed") == 0)
        hardship->seed = (uint64_t)value;
    else if (strcmp(name, "tell") == 0)
        hardship->tell = value != 0;
    else
        return false;
    return true;
}

bool hardship_read(const char *text, struct hardship *hardship)
{
    char name[16];
    double value;
    int length;
    *hardship = (struct hardship){.collect = 0};
    while (*text != '\0') {
        if (sscanf(text, "%15[a-z]=%lf%n", name, &value, &length) != 2 || !(value >= 0) ||
            !set_word(hardship, name, value))
            return false;
        text += length;
        text += *text == ',';
    }
    return true;
}

#ifdef HARDSHIP_OF_A_PROGRAM

// Processes that the program forks end otherwise.
__attribute__((destructor)) static void tell(void)
{
    if (now.set.tell)
        fprintf(stderr, "hardship: %llu requests, %llu refused, %llu errors, %zu bytes left\n",
                (unsigned long long)now.report.requests, (unsigned long long)now.report.refused,
                (unsigned long long)now.report.raised, now.report.bytes);
}

__attribute__((constructor)) static void begin(void)
{
    struct hardship hardship;
    const char *text = getenv("MESOS_LUA_HARDSHIP");
    if (text == NULL)
        return;
    if (!hardship_read(text, &hardship)) {
        fprintf(stderr, "MESOS_LUA_HARDSHIP: '%s' is no hardship\n", text);
        _exit(2);
    }
    hardship_set(&hardship);
}

#endif
