// SPDX-License-Identifier: Apache-2.0
//
// Which Lua code took the time lately: see slice_times.h. Titles are copied, and only those of
// slices that took measurable time, so a short slice pays only for reading the clock.

#include "script/slice_times.h"

#include "loop/loop.h"
#include "script/script_internal.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_MOST = 16, NAMED_MOST = 3 };

struct row {
    const char *kind;
    char name[96];
    uint64_t took;
    unsigned count;
};

static _Thread_local struct {
    struct row rows[ROWS_MOST], others;
    size_t count;
    uint64_t sum, warned;
    bool followed;
    volatile bool wanted;
} table = {.others = {.kind = "others"}};

static bool is_for(const struct row *row, const char *kind, const char *name)
{
    return row->kind == kind && strncmp(row->name, name, sizeof row->name - 1) == 0;
}

static struct row *find(const char *kind, const char *name)
{
    size_t i = 0;
    while (i < table.count && !is_for(&table.rows[i], kind, name))
        i++;
    if (i == ROWS_MOST)
        return &table.others;
    struct row *row = &table.rows[i];
    if (i == table.count) {
        *row = (struct row){.kind = kind};
        snprintf(row->name, sizeof row->name, "%s", name);
        table.count++;
    }
    return row;
}

void slice_times_follow(bool on)
{
    table.followed = on;
    slice_times_clear();
}

void slice_times_tick(void)
{
    table.wanted = table.followed;
}

bool slice_times_wanted(void)
{
    return table.wanted;
}

void slice_times_add(const struct title *title, uint64_t nanoseconds, bool warned)
{
    bool named = title->kind != NULL;
    struct row *row =
        find(named ? title->kind : "other calls", named && title->name ? title->name : "");
    row->took += nanoseconds;
    row->count++;
    table.sum += nanoseconds;
    table.warned += warned ? nanoseconds : 0;
}

void slice_times_clear(void)
{
    table.others = (struct row){.kind = "others"};
    table.count = 0;
    table.sum = table.warned = 0;
    table.wanted = false;
}

uint64_t slice_times_sum(void)
{
    return table.sum;
}

uint64_t slice_times_warned(void)
{
    return table.warned;
}

static struct row *find_longest(void)
{
    struct row *longest = &table.others;
    for (size_t i = 0; i < table.count; i++)
        if (table.rows[i].took > longest->took)
            longest = &table.rows[i];
    return longest;
}

void slice_times_describe(char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < NAMED_MOST && length < size; i++) {
        struct row *row = find_longest();
        if (row->took == 0)
            return;
        int more = snprintf(text + length, size - length, "%s%s%s%s %s%.2f s (%u time%s)",
                            i ? ", " : "", row->kind, *row->name ? " " : "", row->name,
                            i ? "" : "took ", (double)row->took / (double)LOOP_SECOND, row->count,
                            row->count == 1 ? "" : "s");
        length += more > 0 ? (size_t)more : 0;
        row->took = 0;
    }
}
