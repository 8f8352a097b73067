// SPDX-License-Identifier: Apache-2.0
//
// A page of tasks; see the header.

#include "operator/tasks_document.h"

#include "base/memory.h"
#include "master/master_records.h"
#include "operator/task_json.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT 100

struct task_page {
    const struct task_record **items;
    size_t count, capacity;
    const char *framework_id, *task_id; // wanted; NULL: any
};

static void add(struct task_page *list, const struct task_record *record)
{
    if (list->task_id != NULL && strcmp(list->task_id, record->id) != 0)
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 64;
        list->items = memory_resize(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = record;
}

static void add_past(struct task_page *list, const struct framework_past *past)
{
    const struct task_record *record;
    TAILQ_FOREACH(record, &past->unreachable.list, link)
    add(list, record);
    TAILQ_FOREACH(record, &past->completed.list, link)
    add(list, record);
}

static bool wants(const struct task_page *list, const char *framework_id)
{
    return list->framework_id == NULL || strcmp(list->framework_id, framework_id) == 0;
}

static void collect(struct task_page *list, const struct master *master)
{
    const struct master_framework *framework;
    const struct completed *completed;
    const struct master_task *task;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        if (!wants(list, framework->id))
            continue;
        TAILQ_FOREACH(task, &framework->tasks, link)
        add(list, task->record);
        add_past(list, &framework->past);
    }
    TAILQ_FOREACH(completed, &master->completed, link)
    if (wants(list, completed->id))
        add_past(list, &completed->past);
}

// A task without a status counts as older than all, in both orders as in a master.
static int ascending(const void *a, const void *b)
{
    double x = (*(const struct task_record *const *)a)->first;
    double y = (*(const struct task_record *const *)b)->first;
    return (x > y) - (x < y);
}

static int descending(const void *a, const void *b)
{
    double x = (*(const struct task_record *const *)a)->first;
    double y = (*(const struct task_record *const *)b)->first;
    if (x == 0 || y == 0)
        return (y == 0) - (x == 0);
    return (x < y) - (x > y);
}

// Anything but a whole number counts as absent.
static long number(const struct document_query *query, const char *name, long otherwise)
{
    const char *text = query->argument(query->data, name);
    char *end = NULL;
    long value = text != NULL && *text != '\0' ? strtol(text, &end, 10) : 0;
    return end != NULL && *end == '\0' ? value : otherwise;
}

static void write_page(struct json_writer *writer, const struct task_page *list, long offset,
                       long limit)
{
    size_t first = offset < 0 || (size_t)offset > list->count ? list->count : (size_t)offset;
    size_t left = list->count - first;
    size_t count = limit < 0 || (size_t)limit > left ? left : (size_t)limit;
    json_writer_list(writer, "tasks");
    for (size_t i = 0; i < count; i++)
        task_json(writer, NULL, list->items[first + i]);
    json_writer_end(writer);
}

void tasks_document(struct json_writer *writer, const struct master *master,
                    const struct document_query *query)
{
    struct task_page list = {.framework_id = query->argument(query->data, "framework_id"),
                             .task_id = query->argument(query->data, "task_id")};
    const char *order = query->argument(query->data, "order");
    bool oldest_first = order != NULL && strcmp(order, "asc") == 0;
    collect(&list, master);
    if (list.count > 0)
        qsort(list.items, list.count, sizeof *list.items, oldest_first ? ascending : descending);
    json_writer_open(writer, NULL);
    write_page(writer, &list, number(query, "offset", 0), number(query, "limit", LIMIT));
    json_writer_close(writer);
    free(list.items);
}
