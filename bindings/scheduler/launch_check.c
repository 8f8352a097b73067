// SPDX-License-Identifier: Apache-2.0
//
// What a master refuses of a launch: see launch_check.h. Only what is certainly wrong is reported,
// never a launch that works. It reads the encoded call, which costs a small part of encoding it.

#include "bindings/scheduler/launch_check.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ID_MOST = 255 };

struct inspection {
    lua_State *L;
    const char *called;     // "launchTasks" or "acceptOffers"
    size_t operation, task; // where it is, from 1
    struct slice first;     // id of the first offer, as it is encoded; data NULL: not yet seen
    struct slice agent;     // of that offer; data NULL if that is not known
    bool reported;
};

// ---- telling ----

static void write_path(const struct inspection *inspection, char *path, size_t size)
{
    if (inspection->task == 0)
        *path = 0;
    else if (strcmp(inspection->called, "launchTasks") == 0)
        snprintf(path, size, "tasks[%zu].", inspection->task);
    else
        snprintf(path, size, "operations[%zu].launch.task_infos[%zu].", inspection->operation,
                 inspection->task);
}

static void report(struct inspection *inspection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Once for a call: other mistakes are reported when this one is fixed. // [-0, +0, m]
static void report(struct inspection *inspection, const char *format, ...)
{
    char text[1024], path[80];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_path(inspection, path, sizeof path);
    luaL_where(inspection->L, 1);
    log_warning("%s%s: %s%s", lua_tostring(inspection->L, -1), inspection->called, path, text);
    lua_pop(inspection->L, 1);
    inspection->reported = true;
}

// ---- offers ----

static struct slice agent_of(const struct offer *offer)
{
    struct slice agent = {.data = NULL};
    if (offer == NULL)
        return agent;
    struct wire wire = wire_open(offer_table_wire(offer));
    return wire_seek(&wire, FIELD_OFFER_AGENT_ID, &agent) ? wire_text(agent) : agent;
}

// All must be of the agent of the first one.
static void check_offer(struct inspection *inspection, struct offer_table *offers,
                        struct slice message)
{
    const char *why;
    if (inspection->first.data == NULL) {
        inspection->first = message;
        return;
    }
    struct slice id = wire_text(message), first = wire_text(inspection->first);
    struct slice agent = agent_of(offer_table_find(offers, id, &why));
    if (inspection->agent.data != NULL && agent.data != NULL &&
        !slice_equal(agent, inspection->agent))
        report(inspection,
               "offer %.*s is of agent %.*s, and offer %.*s of agent %.*s: a master refuses them "
               "together, so launch on one agent at a time",
               SLICE_ARGS(first), SLICE_ARGS(inspection->agent), SLICE_ARGS(id), SLICE_ARGS(agent));
}

// ---- tasks ----

static bool is_control(uint8_t c)
{
    return c < ' ' || c == 0x7f;
}

static bool is_bad(uint8_t c)
{
    return is_control(c) || c == '/' || c == '\\';
}

static void check_id(struct inspection *inspection, struct slice id)
{
    size_t i = 0;
    while (i < id.length && !is_bad(id.data[i]))
        i++;
    bool dots =
        id.length > 0 && id.length <= 2 && strncmp("..", (const char *)id.data, id.length) == 0;
    if (id.length == 0)
        report(inspection, "task_id is empty: a master refuses the task");
    else if (id.length > ID_MOST)
        report(inspection, "task_id has %zu characters: a master takes at most %d", id.length,
               ID_MOST);
    else if (dots)
        report(inspection, "task_id is '%.*s', which a master refuses", SLICE_ARGS(id));
    else if (i < id.length && is_control(id.data[i]))
        report(inspection, "task_id has a control character in it, which a master refuses");
    else if (i < id.length)
        report(inspection,
               "task_id '%.*s' has a '%c' in it, which a master refuses: take '.' or '-'",
               SLICE_ARGS(id), id.data[i]);
}

static void check_agent(struct inspection *inspection, struct slice agent)
{
    if (inspection->agent.data != NULL && !slice_equal(agent, inspection->agent))
        report(inspection,
               "agent_id is '%.*s', but the offer is of agent '%.*s': give that of the offer",
               SLICE_ARGS(agent), SLICE_ARGS(inspection->agent));
}

// The only field of a Scalar, as it is encoded here, is eight bytes behind its tag.
static double scalar_value(struct slice scalar)
{
    uint64_t bits = 0;
    double value;
    if (scalar.length == 1 + sizeof bits)
        memcpy(&bits, scalar.data + 1, sizeof bits);
    bits = le64toh(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

// The usual case, without a walk over the fields: a short name, the type SCALAR, a value above 0.
static bool is_fine(struct slice resource)
{
    static const uint8_t scalar[] = {FIELD_RESOURCE_TYPE << 3, 0,
                                     FIELD_RESOURCE_SCALAR << 3 | WIRE_BYTES, 9,
                                     FIELD_VALUE_SCALAR_VALUE << 3 | WIRE_FIXED64};
    size_t at = resource.length > 2 ? 2 + (size_t)resource.data[1] : 0;
    return at >= 2 && at < 0x80 && resource.length >= at + sizeof scalar + 8 &&
           memcmp(resource.data + at, scalar, sizeof scalar) == 0 &&
           scalar_value((struct slice){resource.data + at + sizeof scalar - 1, 9}) > 0;
}

static void check_resource(struct inspection *inspection, struct slice resource)
{
    if (is_fine(resource))
        return;
    struct slice name = {.length = 0};
    struct wire wire = wire_open(resource);
    for (struct wire_field it; wire_next(&wire, &it) && it.number <= FIELD_RESOURCE_SCALAR;) {
        if (it.number == FIELD_RESOURCE_NAME)
            name = it.bytes;
        else if (it.number == FIELD_RESOURCE_SCALAR && !(scalar_value(it.bytes) > 0))
            report(inspection,
                   "resources: '%.*s' is %g, which a master refuses: leave out what the task does "
                   "not need",
                   SLICE_ARGS(name), scalar_value(it.bytes));
    }
}

// Fields were encoded in the order of their numbers.
static void check_task(struct inspection *inspection, struct slice task)
{
    bool resources = false;
    struct wire wire = wire_open(task);
    for (struct wire_field it; wire_next(&wire, &it) && it.number <= FIELD_TASK_INFO_RESOURCES;) {
        if (inspection->reported)
            return;
        if (it.number == FIELD_TASK_INFO_TASK_ID)
            check_id(inspection, wire_text(it.bytes));
        else if (it.number == FIELD_TASK_INFO_AGENT_ID)
            check_agent(inspection, wire_text(it.bytes));
        else if (it.number == FIELD_TASK_INFO_RESOURCES)
            check_resource(inspection, it.bytes);
        resources = resources || it.number == FIELD_TASK_INFO_RESOURCES;
    }
    if (!resources && !inspection->reported)
        report(inspection,
               "resources: there are none, and a master refuses the task: write resources = "
               "mesos.resources { cpus = 0.1, mem = 32 }");
}

static void check_launch(struct inspection *inspection, struct slice launch)
{
    struct wire wire = wire_open(launch);
    struct slice task;
    for (inspection->task = 1;
         !inspection->reported && wire_seek(&wire, FIELD_OFFER_OPERATION_LAUNCH_TASK_INFOS, &task);
         inspection->task++)
        check_task(inspection, task);
}

static void check_operation(struct inspection *inspection, struct slice operation)
{
    struct wire wire = wire_open(operation);
    inspection->operation++;
    for (struct wire_field it; !inspection->reported && wire_next(&wire, &it);)
        if (it.number == FIELD_OFFER_OPERATION_LAUNCH)
            check_launch(inspection, it.bytes);
}

void launch_check(lua_State *L, struct offer_table *offers, const struct offer *first,
                  struct slice accept, const char *operation)
{
    struct inspection inspection = {.L = L, .called = operation, .agent = agent_of(first)};
    struct wire wire = wire_open(accept);
    for (struct wire_field it; !inspection.reported && wire_next(&wire, &it);)
        if (it.number == FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS)
            check_offer(&inspection, offers, it.bytes);
        else if (it.number == FIELD_SCHEDULER_CALL_ACCEPT_OPERATIONS)
            check_operation(&inspection, it.bytes);
}
