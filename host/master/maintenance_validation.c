// SPDX-License-Identifier: Apache-2.0
//
// The checks of schedules and machines: see the header.

#include "master/maintenance_validation.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>

// ---- machines ----

static void write_string(struct buffer *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buffer_format(out, "%s\"%s\":\"", out->length > 1 ? "," : "", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_format(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            buffer_format(out, "\\u%04x", (unsigned char)*text);
        else
            buffer_append(out, text, 1);
    }
    buffer_append(out, "\"", 1);
}

char *maintenance_validation_text(const struct machine_id *id)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX / 2);
    buffer_append(&out, "{", 1);
    write_string(&out, "hostname", id->hostname);
    write_string(&out, "ip", id->ip);
    buffer_append(&out, "}", 1);
    char *text = memory_string(buffer_string(&out));
    buffer_free(&out);
    return text;
}

char *maintenance_validation_key(const struct machine_id *id)
{
    char *key = maintenance_validation_text(id);
    for (char *at = key; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    return key;
}

static bool about_machine(const struct machine_id *id, const char *what, struct error *err)
{
    char *text = maintenance_validation_text(id);
    error_set(err, ERROR_INVALID, "Machine '%s' %s", text, what);
    free(text);
    return false;
}

static bool is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

static bool check_machine(const struct machine_id *id, struct error *err)
{
    struct in_addr address;
    if (is_empty(id->hostname) && is_empty(id->ip))
        return error_set(err, ERROR_INVALID, "Both 'hostname' and 'ip' for a machine are empty");
    if (!is_empty(id->ip) && inet_pton(AF_INET, id->ip, &address) != 1)
        return error_set(err, ERROR_INVALID, "Failed to parse IPv4: %.100s", id->ip);
    return true;
}

// ---- lists that are long: a machine is looked up in a table of those before it ----

struct seen {
    struct string_map table;
    struct seen_machine {
        struct string_map_entry entry;
        char *key;
    } * machines;
    size_t count;
};

// False if it was there before.
static bool note(struct seen *seen, const struct machine_id *id)
{
    struct seen_machine *machine = &seen->machines[seen->count];
    machine->key = maintenance_validation_key(id);
    if (string_map_find(&seen->table, machine->key) != NULL) {
        free(machine->key);
        return false;
    }
    string_map_put(&seen->table, &machine->entry, machine->key, machine);
    seen->count++;
    return true;
}

static void open_seen(struct seen *seen, size_t most)
{
    *seen = (struct seen){.machines = memory_new((most + 1) * sizeof *seen->machines)};
}

static bool has(const struct seen *seen, const struct machine_id *id)
{
    char *key = maintenance_validation_key(id);
    bool found = string_map_find(&seen->table, key) != NULL;
    free(key);
    return found;
}

static void close_seen(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        free(seen->machines[i].key);
    free(seen->machines);
    string_map_free(&seen->table);
}

static bool check_ids(struct seen *seen, const struct machine_id *ids, size_t count,
                      struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_machine(&ids[i], err))
            return false;
        if (!note(seen, &ids[i]))
            return about_machine(&ids[i], "appears more than once in the schedule", err);
    }
    return true;
}

bool maintenance_validation_machines(const struct machine_id *ids, size_t count, struct error *err)
{
    struct seen seen;
    if (count == 0)
        return error_set(err, ERROR_INVALID, "List of machines is empty");
    open_seen(&seen, count);
    bool good = check_ids(&seen, ids, count, err);
    close_seen(&seen);
    return good;
}

// ---- schedules ----

static bool check_window(struct seen *seen, const struct maintenance_window *window,
                         struct error *err)
{
    if (window->count == 0)
        return error_set(err, ERROR_INVALID, "List of machines in the maintenance window is empty");
    if (window->unavailability.has_duration && window->unavailability.duration < 0)
        return error_set(err, ERROR_INVALID, "Unavailability 'duration' is negative");
    return check_ids(seen, window->machines, window->count, err);
}

static bool keeps_down(const struct seen *seen, const struct maintenance *maintenance,
                       struct error *err)
{
    const struct machine *machine;
    TAILQ_FOREACH(machine, &maintenance->machines, link)
    {
        if (machine->mode == MACHINE_DOWN && !has(seen, &machine->id))
            return about_machine(&machine->id,
                                 "is deactivated and cannot be removed from the schedule", err);
    }
    return true;
}

bool maintenance_validation_schedule(const struct maintenance *maintenance,
                                     const struct maintenance_schedule *schedule, struct error *err)
{
    struct seen seen;
    size_t machines = 0;
    for (size_t i = 0; i < schedule->count; i++)
        machines += schedule->windows[i].count;
    if (machines > MAINTENANCE_MACHINES)
        return error_set(err, ERROR_LIMIT,
                         "The local cluster takes schedules of up to %d machines, this one has %zu",
                         MAINTENANCE_MACHINES, machines);
    open_seen(&seen, machines);
    bool good = true;
    for (size_t i = 0; i < schedule->count && good; i++)
        good = check_window(&seen, &schedule->windows[i], err);
    good = good && keeps_down(&seen, maintenance, err);
    close_seen(&seen);
    return good;
}
