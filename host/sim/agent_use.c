// SPDX-License-Identifier: Apache-2.0
//
// The use of agents; see the header.

#include "sim/agent_use.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void agent_use_init(struct agent_use *use, struct series *series, uint64_t now)
{
    *use = (struct agent_use){.series = series, .per_row = 1};
    for (int i = 0; i < SCALARS; i++) {
        series_add(series, &use->total[i], now);
        series_add(series, &use->used[i], now);
    }
    for (int i = 0; i < FRAGMENTED; i++) {
        series_add(series, &use->stuck[i], now);
        series_add(series, &use->loose[i], now);
    }
    series_add(series, &use->count, now);
}

static void free_row(struct heat_row *row)
{
    free(row->first);
    free(row->last);
    free(row);
}

void agent_use_free(struct agent_use *use)
{
    for (unsigned i = 0; i < use->row_count; i++)
        free_row(use->rows[i]);
    for (int i = 0; i < FRAGMENTED; i++)
        free(use->free[i]);
    free(use->entries);
}

// ---- rows ----

static void merge_rows(struct agent_use *use, struct heat_row *to, struct heat_row *from,
                       uint64_t now)
{
    series_merge(use->series, &to->used, &from->used, now);
    series_merge(use->series, &to->total, &from->total, now);
    to->agents += from->agents;
    if (from->last != NULL) { // NULL: its agents went before the books were opened
        free(to->last);
        to->last = from->last;
        from->last = NULL;
    }
    free_row(from);
}

static void halve_rows(struct agent_use *use, uint64_t now)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < use->row_count; i += 2) {
        use->rows[kept] = use->rows[i];
        if (i + 1 < use->row_count)
            merge_rows(use, use->rows[kept], use->rows[i + 1], now);
        kept++;
    }
    use->row_count = kept;
    use->per_row *= 2;
}

static void add_row(struct agent_use *use, const char *label, uint64_t now)
{
    struct heat_row *row = memory_new(sizeof *row);
    row->first = memory_string(label);
    series_add(use->series, &row->used, now);
    series_add(use->series, &row->total, now);
    use->rows[use->row_count++] = row;
}

static struct heat_row *row_of(const struct agent_use *use, unsigned number)
{
    return use->rows[(number - 1) / use->per_row];
}

// Numbers come in order, so that there is no gap; an agent that came before the books has none.
static void give_row(struct agent_use *use, unsigned number, const char *label, uint64_t now)
{
    while ((number - 1) / use->per_row >= AGENT_USE_ROWS)
        halve_rows(use, now);
    while ((number - 1) / use->per_row >= use->row_count)
        add_row(use, label, now);
    struct heat_row *row = row_of(use, number);
    free(row->last);
    row->last = memory_string(label);
    row->agents++;
}

// ---- agents ----

static void grow(struct agent_use *use, unsigned number)
{
    if (number >= use->capacity) {
        unsigned old = use->capacity;
        use->capacity = number * 2 + 64;
        use->entries = memory_resize(use->entries, use->capacity * sizeof *use->entries);
        memset(use->entries + old, 0, (use->capacity - old) * sizeof *use->entries);
        for (int i = 0; i < FRAGMENTED; i++) {
            use->free[i] = memory_resize(use->free[i], use->capacity * sizeof(int64_t));
            memset(use->free[i] + old, 0, (use->capacity - old) * sizeof(int64_t));
        }
    }
    if (number > use->most)
        use->most = number;
}

// Its resources come to the cluster, or leave it with -1.
static void count_in(struct agent_use *use, unsigned number, int sign, uint64_t now)
{
    const struct agent_entry *entry = &use->entries[number];
    for (int i = 0; i < SCALARS; i++)
        series_change(&use->total[i], now, sign * entry->total.amount[i]);
    for (int i = 0; i < FRAGMENTED; i++)
        use->free[i][number] = sign < 0 ? 0 : entry->total.amount[i] - entry->used.amount[i];
    series_change(&row_of(use, number)->total, now, sign * entry->total.amount[SCALAR_CPUS]);
    series_change(&use->count, now, sign);
    use->moved = true;
}

void agent_use_add(struct agent_use *use, unsigned number, const char *label,
                   const struct scalars *total, uint64_t now)
{
    grow(use, number);
    struct agent_entry *entry = &use->entries[number];
    if (entry->here)
        return;
    if (!entry->seen) {
        give_row(use, number, label, now);
        use->came++;
    }
    entry->seen = true;
    entry->total = *total;
    entry->here = true;
    count_in(use, number, 1, now);
}

void agent_use_remove(struct agent_use *use, unsigned number, uint64_t now)
{
    if (number > use->most || !use->entries[number].here)
        return;
    use->entries[number].here = false;
    use->lost++;
    count_in(use, number, -1, now);
}

void agent_use_take(struct agent_use *use, unsigned number, const struct scalars *amounts, int sign,
                    uint64_t now)
{
    struct agent_entry *entry = &use->entries[number];
    for (int i = 0; i < SCALARS; i++) {
        if (amounts->amount[i] == 0)
            continue;
        series_change(&use->used[i], now, sign * amounts->amount[i]);
        entry->used.amount[i] += sign * amounts->amount[i];
        if (i < FRAGMENTED && entry->here)
            use->free[i][number] -= sign * amounts->amount[i];
    }
    series_change(&row_of(use, number)->used, now, sign * amounts->amount[SCALAR_CPUS]);
    use->moved = true;
}

// ---- fragmentation ----

static void count_need(struct need_counts *needs, int64_t need)
{
    unsigned bucket = quantiles_bucket((uint64_t)need);
    if (needs->counts[bucket]++ == 0 || need < needs->least[bucket])
        needs->least[bucket] = need;
    needs->count++;
}

void agent_use_note_need(struct agent_use *use, const int64_t need[SCALARS])
{
    for (int i = 0; i < FRAGMENTED; i++)
        count_need(&use->needs[i], need[i]);
    use->moved = true;
}

// The lower one of two; of none it is nothing.
static int64_t median_of(const struct need_counts *needs)
{
    if (needs->count == 0)
        return 0;
    uint64_t place = (needs->count - 1) / 2, before = 0;
    unsigned bucket = 0;
    while ((before += needs->counts[bucket]) <= place)
        bucket++;
    return needs->least[bucket];
}

// Runs over all agents, so it is kept plain.
static void look(struct agent_use *use)
{
    int64_t cpus = median_of(&use->needs[SCALAR_CPUS]), mem = median_of(&use->needs[SCALAR_MEM]);
    const int64_t *free_cpus = use->free[SCALAR_CPUS], *free_mem = use->free[SCALAR_MEM];
    int64_t stuck_cpus = 0, stuck_mem = 0, loose_cpus = 0, loose_mem = 0;
    for (unsigned i = 1; i <= use->most; i++) {
        int64_t stuck = free_cpus[i] < cpus || free_mem[i] < mem ? -1 : 0; // a mask
        loose_cpus += free_cpus[i];
        loose_mem += free_mem[i];
        stuck_cpus += free_cpus[i] & stuck;
        stuck_mem += free_mem[i] & stuck;
    }
    use->stuck_now[SCALAR_CPUS] = stuck_cpus;
    use->stuck_now[SCALAR_MEM] = stuck_mem;
    use->loose_now[SCALAR_CPUS] = loose_cpus;
    use->loose_now[SCALAR_MEM] = loose_mem;
}

void agent_use_sample(struct agent_use *use, uint64_t length)
{
    if (use->moved)
        look(use);
    use->moved = false;
    for (int i = 0; i < FRAGMENTED; i++) {
        series_count(&use->stuck[i], (wide_sum)use->stuck_now[i] * (wide_sum)length);
        series_count(&use->loose[i], (wide_sum)use->loose_now[i] * (wide_sum)length);
    }
}
