// SPDX-License-Identifier: Apache-2.0
//
// The status of a cluster as text: see cluster_status.h. It is made from the JSON that the master
// also serves over HTTP.

#include "ops/cluster_status.h"

#include "bindings/message/inspect.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN = 22, OFFERS_SHOWN = 10 };

static void put_title(struct buffer *out, const char *title)
{
    buffer_format(out, "%-*s", COLUMN, title);
}

static void put_line(struct buffer *out, const char *title, const char *text)
{
    put_title(out, title);
    inspect_text(out, text, strlen(text));
    buffer_append_text(out, "\n");
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void put_task(struct buffer *out, const json_t *task)
{
    put_title(out, "  task");
    inspect_text(out, text_of(task, "id"), strlen(text_of(task, "id")));
    buffer_format(out, " %s %s\n", text_of(task, "state"), text_of(task, "resources"));
}

static void put_offer(struct buffer *out, const json_t *offer)
{
    put_title(out, "  offer");
    buffer_format(out, "%s %s, for %.0f s\n", text_of(offer, "agent_id"),
                  text_of(offer, "resources"),
                  json_number_value(json_object_get(offer, "held_seconds")));
}

// What the framework holds, the oldest first, or why it holds nothing.
static void put_offers(struct buffer *out, const json_t *framework)
{
    const json_t *offers = json_object_get(framework, "offers");
    size_t count = json_array_size(offers);
    for (size_t i = 0; i < count && i < OFFERS_SHOWN; i++)
        put_offer(out, json_array_get(offers, i));
    if (count > OFFERS_SHOWN) {
        put_title(out, "");
        buffer_format(out, "and %zu more offers\n", count - OFFERS_SHOWN);
    }
    if (*text_of(framework, "no_offers_because") != 0)
        put_line(out, "  no offers", text_of(framework, "no_offers_because"));
}

static void put_framework(struct buffer *out, const json_t *framework)
{
    size_t i;
    json_t *task;
    const char *name = text_of(framework, "name");
    put_title(out, "framework");
    inspect_text(out, name, strlen(name));
    buffer_format(out, " (%s), %s\n", text_of(framework, "id"),
                  json_is_true(json_object_get(framework, "connected")) ? "connected"
                                                                        : "disconnected");
    put_offers(out, framework);
    json_array_foreach(json_object_get(framework, "tasks"), i, task) put_task(out, task);
}

json_t *cluster_status_json(const struct cluster *cluster, double started)
{
    char *text = cluster_state(cluster);
    json_t *state = json_loads(text, 0, NULL);
    free(text);
    json_object_set_new(state, "listening_on", json_string(cluster_address(cluster)));
    json_object_set_new(state, "process_start_time_seconds", json_real(started));
    return state;
}

void cluster_status(const struct cluster *cluster, struct buffer *out)
{
    size_t i;
    json_t *framework;
    char *text = cluster_state(cluster);
    json_t *state = json_loads(text, 0, NULL);
    put_line(out, "mesos-lua", MESOS_LUA_VERSION);
    put_title(out, "process");
    buffer_format(out, "%d\n", (int)getpid());
    put_line(out, "listening on", cluster_address(cluster));
    put_title(out, "agents");
    buffer_format(out, "%s\n", cluster_text(cluster));
    put_line(out, "sandboxes", cluster_work_dir(cluster));
    json_array_foreach(json_object_get(state, "frameworks"), i, framework)
        put_framework(out, framework);
    json_decref(state);
    free(text);
}
