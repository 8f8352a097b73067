// SPDX-License-Identifier: Apache-2.0
//
// Names and advice: see slow_call.h. A function of a library has the name that it has there;
// others, such as methods of files and sockets, that by which they were called.

#include "script/slow_call.h"

#include <lauxlib.h>

#include <stdio.h>
#include <string.h>

#define PROGRAM "mesos.exec runs a program without holding up events"
#define SERVER "mesos.http asks a server without holding up events"
#define PATTERN "the pattern may try too many ways through the text"

static const struct {
    const char *name, *advice;
} rows[] = {
    {"os.execute", PROGRAM},
    {"io.popen", PROGRAM},
    {"io.read", "it waits for input: " PROGRAM},
    {"io.lines", "it waits for input: " PROGRAM},
    {"read", "it waits for input: " PROGRAM},
    {"lines", "it waits for input: " PROGRAM},
    {"close", "closing a pipe waits for the program at its end: " PROGRAM},
    {"connect", SERVER},
    {"receive", SERVER},
    {"send", SERVER},
    {"accept", "waiting for connections holds up events"},
    {"dohandshake", SERVER},
    {"select", "mesos.after and mesos.every come back without holding up events"},
    {"sleep", "mesos.sleep waits without holding up events"},
    {"find", PATTERN},
    {"match", PATTERN},
    {"gsub", PATTERN},
    {"gmatch", PATTERN},
    {"sort",
     "sort fewer values at a time, or in a function given to mesos.spawn that sleeps between"},
};

static const char *advice_on(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].advice;
    return dot ? advice_on(dot + 1) : "";
}

// Looks for the function at the top among those of the table under it. // [-0, +0, -]
static const char *name_in(lua_State *L)
{
    int function = lua_gettop(L), table = function - 1;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (lua_rawequal(L, -1, function) && lua_type(L, -2) == LUA_TSTRING) {
            const char *name = lua_tostring(L, -2);
            lua_pop(L, 2);
            return name;
        }
    }
    return NULL;
}

// The function at the top, if a module has it. // [-0, +0, -]
static void find_in_modules(lua_State *L, char *text, size_t size)
{
    int function = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (lua_pushnil(L); lua_next(L, function + 1) != 0 && *text == 0;
         lua_settop(L, function + 2)) {
        if (!lua_istable(L, -1) || lua_type(L, -2) != LUA_TSTRING)
            continue;
        lua_pushvalue(L, function);
        const char *name = name_in(L), *module = lua_tostring(L, -3);
        if (name != NULL && strcmp(module, "_G") == 0)
            snprintf(text, size, "%s", name);
        else if (name != NULL)
            snprintf(text, size, "%s.%s", module, name);
    }
    lua_settop(L, function);
}

void slow_call_find(lua_State *L, lua_Debug *ar, struct slow_call *call)
{
    int top = lua_gettop(L);
    *call = (struct slow_call){.advice = ""};
    if (!lua_checkstack(L, 10) || !lua_getinfo(L, "Snf", ar))
        return;
    if (*ar->what == 'C') {
        find_in_modules(L, call->function, sizeof call->function);
        if (*call->function == 0 && ar->name != NULL)
            snprintf(call->function, sizeof call->function, "%s", ar->name);
        call->advice = advice_on(call->function);
    }
    lua_settop(L, top);
}
