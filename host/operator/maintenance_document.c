// SPDX-License-Identifier: Apache-2.0
//
// Writing, reading and carrying out: see the header.

#include "operator/maintenance_document.h"

#include "base/memory.h"
#include "master/maintenance.h"
#include "master/master_records.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- writing ----

static json_t *write_machine(const struct machine_id *id)
{
    return json_pack("{s:s*, s:s*}", "hostname", id->hostname, "ip", id->ip);
}

static json_t *write_time(int64_t nanoseconds)
{
    return json_pack("{s:I}", "nanoseconds", (json_int_t)nanoseconds);
}

static json_t *write_window(const struct maintenance_window *window)
{
    const struct unavailability *plan = &window->unavailability;
    json_t *machines = json_array();
    for (size_t i = 0; i < window->count; i++)
        json_array_append_new(machines, write_machine(&window->machines[i]));
    return json_pack("{s:o, s:{s:o*, s:o}}", "machine_ids", machines, "unavailability", "duration",
                     plan->has_duration ? write_time(plan->duration) : NULL, "start",
                     write_time(plan->start));
}

// An empty list is absent.
static void set_list(json_t *object, const char *name, json_t *list)
{
    if (json_array_size(list) > 0)
        json_object_set(object, name, list);
    json_decref(list);
}

static char *finish(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text ? text : memory_string("{}");
}

char *maintenance_document_schedule(const struct master *master)
{
    const struct maintenance_schedule *schedule = &master->maintenance.schedule;
    json_t *object = json_object(), *windows = json_array();
    for (size_t i = 0; i < schedule->count; i++)
        json_array_append_new(windows, write_window(&schedule->windows[i]));
    set_list(object, "windows", windows);
    return finish(object);
}

static void add_answers(json_t *list, const struct node *node)
{
    static const char *const names[] = {
        [INVERSE_ACCEPTED] = "ACCEPT", [INVERSE_DECLINED] = "DECLINE"};
    const struct evacuation *evacuation;
    TAILQ_FOREACH(evacuation, &node->evacuations, of_node)
    {
        if (evacuation->answer != INVERSE_UNANSWERED)
            json_array_append_new(
                list, json_pack("{s:{s:s}, s:s, s:o}", "framework_id", "value",
                                evacuation->framework_id, "status", names[evacuation->answer],
                                "timestamp", write_time((int64_t)(evacuation->answered * 1e9))));
    }
}

static json_t *write_draining(const struct machine *machine)
{
    json_t *object = json_pack("{s:o}", "id", write_machine(&machine->id)), *list = json_array();
    const struct node *node;
    TAILQ_FOREACH(node, &machine->nodes, on_machine)
    add_answers(list, node);
    set_list(object, "statuses", list);
    return object;
}

char *maintenance_document_status(const struct master *master)
{
    json_t *object = json_object(), *down = json_array(), *draining = json_array();
    const struct machine *machine;
    TAILQ_FOREACH(machine, &master->maintenance.machines, link)
    {
        if (machine->mode == MACHINE_DOWN)
            json_array_append_new(down, write_machine(&machine->id));
        else if (machine->mode == MACHINE_DRAINING)
            json_array_append_new(draining, write_draining(machine));
    }
    set_list(object, "down_machines", down);
    set_list(object, "draining_machines", draining);
    return finish(object);
}

// ---- reading ----

static bool unexpected(json_t *value, const char *field, struct error *err)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
        [JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",  [JSON_NULL] = "null"};
    return error_set(err, ERROR_INVALID, "Not expecting a JSON %s for field '%s'",
                     kinds[json_typeof(value)], field);
}

static bool missing(const char *where, const char *field, struct error *err)
{
    return error_set(err, ERROR_INVALID, "Missing required fields: %s%s", where, field);
}

// The member of that name; NULL if there is none. A null is like none.
static json_t *member(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

static bool read_text(json_t *object, const char *name, char **text, struct error *err)
{
    json_t *value = member(object, name);
    if (value != NULL && !json_is_string(value))
        return unexpected(value, name, err);
    *text = memory_string(json_string_value(value));
    return true;
}

static bool read_nanoseconds(json_t *object, const char *where, int64_t *number, struct error *err)
{
    json_t *value = member(object, "nanoseconds");
    if (value == NULL)
        return missing(where, ".nanoseconds", err);
    if (!json_is_number(value))
        return unexpected(value, "nanoseconds", err);
    double real = json_number_value(value);
    if (json_is_real(value) && !(fabs(real) < 9.2e18))
        return error_set(err, ERROR_INVALID, "Value out of range");
    *number = json_is_real(value) ? (int64_t)real : json_integer_value(value);
    return true;
}

static bool read_plan(json_t *object, const char *where, struct unavailability *plan,
                      struct error *err)
{
    json_t *start = member(object, "start"), *duration = member(object, "duration");
    char *inside = memory_format("%s.start", where);
    bool good = true;
    if (start == NULL)
        good = missing(inside, "", err);
    else if (!json_is_object(start))
        good = unexpected(start, "start", err);
    else if (duration != NULL && !json_is_object(duration))
        good = unexpected(duration, "duration", err);
    good = good && read_nanoseconds(start, inside, &plan->start, err);
    free(inside);
    plan->has_duration = duration != NULL;
    if (!good || duration == NULL)
        return good;
    inside = memory_format("%s.duration", where);
    good = read_nanoseconds(duration, inside, &plan->duration, err);
    free(inside);
    return good;
}

// The ids belong to the caller, also on failure.
static bool read_machines(json_t *list, const char *field, struct machine_id **ids, size_t *count,
                          struct error *err)
{
    size_t index;
    json_t *item;
    *ids = memory_new((json_array_size(list) + 1) * sizeof **ids);
    json_array_foreach(list, index, item)
    {
        struct machine_id *id = &(*ids)[*count];
        if (!json_is_object(item))
            return field ? unexpected(item, field, err)
                         : error_set(err, ERROR_INVALID, "Expecting a JSON object");
        ++*count;
        if (!read_text(item, "hostname", &id->hostname, err) ||
            !read_text(item, "ip", &id->ip, err))
            return false;
    }
    return true;
}

static bool read_window(json_t *object, size_t index, struct maintenance_window *window,
                        struct error *err)
{
    json_t *machines = member(object, "machine_ids"), *plan = member(object, "unavailability");
    if (machines != NULL && !json_is_array(machines))
        return unexpected(machines, "machine_ids", err);
    if (!read_machines(machines, "machine_ids", &window->machines, &window->count, err))
        return false;
    char *where = memory_format("windows[%zu].unavailability", index);
    bool good = plan == NULL           ? missing(where, "", err)
                : json_is_object(plan) ? read_plan(plan, where, &window->unavailability, err)
                                       : unexpected(plan, "unavailability", err);
    free(where);
    return good;
}

static bool read_schedule(json_t *object, struct maintenance_schedule *schedule, struct error *err)
{
    json_t *windows = member(object, "windows"), *item;
    size_t index;
    if (windows != NULL && !json_is_array(windows))
        return unexpected(windows, "windows", err);
    schedule->windows = memory_new((json_array_size(windows) + 1) * sizeof *schedule->windows);
    json_array_foreach(windows, index, item)
    {
        if (!json_is_object(item))
            return unexpected(item, "windows", err);
        if (!read_window(item, index, &schedule->windows[schedule->count++], err))
            return false;
    }
    return true;
}

static json_t *parse(struct slice body, json_type type, struct error *err)
{
    json_error_t fault;
    json_t *root = json_loadb((const char *)body.data, body.length, JSON_DECODE_ANY, &fault);
    if (root == NULL) {
        size_t from = fault.position > 0 && (size_t)fault.position <= body.length
                          ? (size_t)fault.position - 1
                          : body.length;
        size_t length = body.length - from < 40 ? body.length - from : 40;
        error_set(err, ERROR_INVALID, "syntax error at line %d near: %.*s",
                  fault.line > 0 ? fault.line : 1, (int)length,
                  body.length > 0 ? (const char *)body.data + from : "");
    } else if (json_typeof(root) != type) {
        error_set(err, ERROR_INVALID, "Unexpected JSON type parsed");
        json_decref(root);
        root = NULL;
    }
    return root;
}

// ---- carrying out ----

bool maintenance_document_update(struct master *master, struct slice body, struct error *err)
{
    struct maintenance_schedule schedule = {NULL, 0};
    json_t *root = parse(body, JSON_OBJECT, err);
    if (root == NULL)
        return false;
    bool good = read_schedule(root, &schedule, err) && maintenance_update(master, &schedule, err);
    maintenance_schedule_free(&schedule);
    json_decref(root);
    return good;
}

static bool change(struct master *master, struct slice body,
                   bool (*carry_out)(struct master *master, const struct machine_id *ids,
                                     size_t count, struct error *err),
                   struct error *err)
{
    struct machine_id *ids = NULL;
    size_t count = 0;
    json_t *root = parse(body, JSON_ARRAY, err);
    if (root == NULL)
        return false;
    bool good = read_machines(root, NULL, &ids, &count, err) && carry_out(master, ids, count, err);
    maintenance_ids_free(ids, count);
    json_decref(root);
    return good;
}

bool maintenance_document_down(struct master *master, struct slice body, struct error *err)
{
    return change(master, body, maintenance_down, err);
}

bool maintenance_document_up(struct master *master, struct slice body, struct error *err)
{
    return change(master, body, maintenance_up, err);
}
