// SPDX-License-Identifier: Apache-2.0
//
// The running hosts: see hosts.h. A host that runs a cluster alone tells its state as a master
// does.

#include "cli/hosts.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "cli/ctl_client.h"
#include "ops/control_paths.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOSTS_MOST = 1024, LIST_MOST = 600, COLUMNS = 6, CELL_MOST = 256 };

// Calls `each` for the hosts in the order of their processes, with what `status --json` tells, or
// NULL for one that gives no answer. False of `each` ends the walk.
static void walk(bool (*each)(void *data, pid_t pid, json_t *status), void *data)
{
    pid_t pids[HOSTS_MOST];
    size_t count = control_paths_list(pids, HOSTS_MOST);
    bool more = true;
    for (size_t i = 0; i < count && more; i++) {
        char target[16];
        struct ctl_client client;
        snprintf(target, sizeof target, "%d", (int)pids[i]);
        if (!ctl_client_open(&client, target, NULL))
            continue;
        json_t *status = ctl_client_status(&client);
        ctl_client_close(&client);
        more = each(data, pids[i], status);
        json_decref(status);
    }
}

static const char *text_of(json_t *status, const char *key)
{
    const char *text = json_string_value(json_object_get(status, key));
    return text ? text : "";
}

// ---- by name ----

struct host_search {
    const char *name;
    pid_t found;
    int count;
    struct buffer list; // "4711 (a.lua), 4712 (b/a.lua)"
};

static bool has_name(const char *script, const char *name)
{
    const char *slash = strrchr(script, '/'), *file = slash ? slash + 1 : script;
    size_t length = strlen(file), stem = length;
    if (length > 4 && strcmp(file + length - 4, ".lua") == 0)
        stem -= 4;
    return strcmp(script, name) == 0 || strcmp(file, name) == 0 ||
           (strlen(name) == stem && strncmp(file, name, stem) == 0);
}

static bool on_host(void *data, pid_t pid, json_t *status)
{
    struct host_search *search = data;
    const char *script = text_of(status, "script");
    if (!has_name(script, search->name))
        return true;
    buffer_format(&search->list, "%s%d (%s)", search->count ? ", " : "", (int)pid, script);
    search->found = pid;
    search->count++;
    return true;
}

char *hosts_find(const char *name, struct error *err)
{
    struct host_search search = {.name = name};
    buffer_init(&search.list, LIST_MOST);
    walk(on_host, &search);
    if (search.count == 0 && strchr(name, '/') != NULL)
        error_set(err, ERROR_INVALID,
                  "%s: there is no such socket, and no running host has a script of that path",
                  name);
    else if (search.count == 0)
        error_set(
            err, ERROR_INVALID,
            "'%s' is neither a process nor a control socket, and no running host has a script "
            "of that name (mesos-lua ps lists the hosts)",
            name);
    else if (search.count > 1)
        error_set(err, ERROR_INVALID, "more than one host has the script '%s': %s; give a process",
                  name, buffer_string(&search.list));
    buffer_free(&search.list);
    return search.count == 1 ? memory_format("%d", (int)search.found) : NULL;
}

// ---- ps ----

struct host_table {
    struct buffer cells; // each ends with a zero byte
    size_t widths[COLUMNS];
    size_t rows;
};

static void add_cell(struct host_table *table, int column, const char *text)
{
    char cell[CELL_MOST];
    snprintf(cell, sizeof cell, "%s", *text ? text : "-");
    if (strlen(cell) > table->widths[column])
        table->widths[column] = strlen(cell);
    buffer_append(&table->cells, cell, strlen(cell) + 1);
}

// Tasks that have not ended, as far as the framework knows.
static long long count_tasks(json_t *states)
{
    static const char *const living[] = {"TASK_STAGING", "TASK_STARTING", "TASK_RUNNING",
                                         "TASK_KILLING", "TASK_UNREACHABLE"};
    long long count = 0;
    for (size_t i = 0; i < sizeof living / sizeof *living; i++)
        count += json_integer_value(json_object_get(states, living[i]));
    return count;
}

static void write_time(double seconds, char *text, size_t size)
{
    time_t whole = (time_t)seconds;
    struct tm parts;
    *text = '\0';
    if (seconds > 0 && localtime_r(&whole, &parts) != NULL)
        strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts);
}

static void add_framework(struct host_table *table, json_t *status)
{
    char tasks[32], since[64];
    snprintf(tasks, sizeof tasks, "%lld", count_tasks(json_object_get(status, "tasks")));
    write_time(json_number_value(json_object_get(status, "process_start_time_seconds")), since,
               sizeof since);
    add_cell(table, 1, text_of(status, "script"));
    add_cell(table, 2, text_of(status, "framework_name"));
    add_cell(table, 3, text_of(status, "master"));
    add_cell(table, 4, tasks);
    add_cell(table, 5, since);
}

static void add_cluster(struct host_table *table, json_t *state)
{
    char since[64];
    write_time(json_number_value(json_object_get(state, "process_start_time_seconds")), since,
               sizeof since);
    add_cell(table, 1, "(a local cluster)");
    add_cell(table, 2, "");
    add_cell(table, 3, text_of(state, "listening_on"));
    add_cell(table, 4, "");
    add_cell(table, 5, since);
}

static void add_silent(struct host_table *table)
{
    add_cell(table, 1, "(no answer)");
    for (int i = 2; i < COLUMNS; i++)
        add_cell(table, i, "");
}

static bool on_row(void *data, pid_t pid, json_t *status)
{
    struct host_table *table = data;
    char number[16];
    snprintf(number, sizeof number, "%d", (int)pid);
    add_cell(table, 0, number);
    if (status == NULL)
        add_silent(table);
    else if (json_object_get(status, "script") != NULL)
        add_framework(table, status);
    else
        add_cluster(table, status);
    table->rows++;
    return true;
}

static void print_table(const struct host_table *table)
{
    const char *cell = (const char *)table->cells.data;
    for (size_t row = 0; row < table->rows; row++) {
        struct buffer line;
        buffer_init(&line, COLUMNS * CELL_MOST);
        for (int i = 0; i < COLUMNS; i++, cell += strlen(cell) + 1)
            buffer_format(&line, i < COLUMNS - 1 ? "%-*s  " : "%.*s",
                          i < COLUMNS - 1 ? (int)table->widths[i] : CELL_MOST, cell);
        ctl_client_print(stdout, buffer_string(&line));
        putchar('\n');
        buffer_free(&line);
    }
}

int hosts_print(const struct options *options)
{
    static const char *const heads[COLUMNS] = {"PID",    "SCRIPT", "FRAMEWORK",
                                               "MASTER", "TASKS",  "SINCE"};
    struct host_table table = {.rows = 1};
    (void)options;
    buffer_init(&table.cells, (size_t)(HOSTS_MOST + 1) * COLUMNS * CELL_MOST);
    for (int i = 0; i < COLUMNS; i++)
        add_cell(&table, i, heads[i]);
    walk(on_row, &table);
    print_table(&table);
    buffer_free(&table.cells);
    return 0;
}
