// SPDX-License-Identifier: Apache-2.0
//
// The table of words: see wording.h. Only what suggest() does not find itself.

#include "bindings/wording.h"

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

const char *wording_suggest(const char *word, suggest_name name, const void *data)
{
    const char *meant = translate(word, name, data);
    return meant ? meant : suggest(word, name, data);
}

const char *wording_near(const char *word, suggest_name name, const void *data)
{
    const char *meant = translate(word, name, data);
    return meant ? meant : suggest_near(word, name, data);
}

const char *wording_push(lua_State *L, const char *word, suggest_name name, const void *data)
{
    const char *meant = wording_suggest(word, name, data);
    if (meant == NULL)
        return lua_pushliteral(L, "");
    return lua_pushfstring(L, " (did you mean '%s'?)", meant);
}
