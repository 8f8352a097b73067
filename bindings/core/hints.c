// SPDX-License-Identifier: Apache-2.0
//
// The table of words: see hints.h. It has only the words that suggest() does not find.

#include "bindings/core/hints.h"

#include <lauxlib.h>

#include <string.h>
#include <strings.h>

static const struct {
    const char *word, *meant;
} rows[] = {
    // fields
    {"ram", "mem"},
    {"cores", "cpus"},
    {"slave", "agent_id"},
    {"slave_id", "agent_id"},
    {"slaveId", "agent_id"},
    {"node", "hostname"},
    {"cmd", "command"},
    {"cmd", "value"},
    {"shell", "command"},
    {"status", "state"},
    {"id", "task_id"},
    {"env", "environment"},
    {"image", "container"},
    {"timeout", "failover_timeout"},
    {"failover", "failover_timeout"},
    {"seconds", "refuse_seconds"},
    {"frameworkName", "name"},
    {"role", "roles"},

    // callbacks
    {"agentLost", "slaveLost"},
    {"subscribed", "registered"},
    {"reconnected", "reregistered"},
    {"offersReceived", "resourceOffers"},
    {"taskStatusUpdate", "statusUpdate"},

    // operations
    {"teardown", "stop"},
    {"close", "stop"},

    // the module
    {"setTimeout", "after"},
    {"timer", "after"},
    {"setInterval", "every"},
    {"wait", "sleep"},
    {"delay", "sleep"},
    {"thread", "spawn"},
    {"async", "spawn"},
    {"execute", "exec"},
    {"popen", "exec"},
    {"run", "SchedulerDriver"},
    {"fetch", "http"},
    {"request", "http"},
    {"time", "now"},
    {"print", "log"},
    {"warn", "log"},
    {"info", "log"},
    {"store", "state"},
};

// The name as it is spelt there, or NULL.
static const char *find(const char *wanted, suggest_name name, const void *data)
{
    const char *candidate;
    for (size_t i = 0; (candidate = name(data, i)) != NULL; i++)
        if (strcmp(candidate, wanted) == 0)
            return candidate;
    return NULL;
}

static const char *translate(const char *word, suggest_name name, const void *data)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found =
            strcasecmp(rows[i].word, word) == 0 ? find(rows[i].meant, name, data) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const char *nearest(const char *word, suggest_name name, const void *data)
{
    const char *meant = translate(word, name, data);
    return meant ? meant : suggest(word, name, data);
}

const char *hints_near(const char *word, suggest_name name, const void *data)
{
    const char *meant = translate(word, name, data);
    return meant ? meant : suggest_near(word, name, data);
}

const char *hints_push(lua_State *L, const char *word, suggest_name name, const void *data)
{
    const char *meant = nearest(word, name, data);
    if (meant == NULL)
        return lua_pushliteral(L, "");
    return lua_pushfstring(L, " (did you mean '%s'?)", meant);
}

// ---- .value ----

// Always raises, as Lua does for a number.
static int l_no_field(lua_State *L)
{
    const char *name = luaL_tolstring(L, 2, NULL);
    if (strcmp(name, "value") == 0)
        return luaL_error(L,
                          "a number has no field 'value': ids, scalars and texts are plain values "
                          "here, so leave .value out");
    return luaL_error(L, "attempt to index a number value (for its field '%s')", name);
}

void hints_open(lua_State *L)
{
    lua_pushinteger(L, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_no_field);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
