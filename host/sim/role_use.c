// SPDX-License-Identifier: Apache-2.0
//
// The shares of roles; see the header.

#include "sim/role_use.h"

#include "base/memory.h"

#include <stdlib.h>

#define SHARE_MOST ((double)ROLE_SHARE_ONE * 1e6) // so that sums of squares fit

void role_use_init(struct role_use *use, struct series *series, uint64_t now)
{
    *use = (struct role_use){.series = series, .since = now};
}

void role_use_free(struct role_use *use)
{
    for (size_t i = 0; i < use->count; i++)
        free(use->entries[i].columns);
    free(use->entries);
}

static void add_entry(struct role_use *use, uint64_t now)
{
    if (use->count == use->capacity) {
        use->capacity = use->capacity * 2 + 8;
        use->entries = memory_resize(use->entries, use->capacity * sizeof *use->entries);
    }
    struct role_entry *entry = &use->entries[use->count++];
    *entry = (struct role_entry){.since = now};
    if (use->count > ROLE_SERIES)
        return;
    entry->columns = memory_new(sizeof *entry->columns);
    series_add(use->series, &entry->columns->share, now);
    series_add(use->series, &entry->columns->waiting, now);
}

static struct role_entry *entry_of(struct role_use *use, uint16_t role, uint64_t now)
{
    while (role >= use->count)
        add_entry(use, now);
    return &use->entries[role];
}

// ---- over time ----

static int64_t jain_of(const struct role_use *use)
{
    double shares = (double)use->shares, squares = (double)use->squares;
    return (int64_t)(shares * shares / ((double)use->busy * squares) * (double)ROLE_SHARE_ONE +
                     0.5);
}

// Brings the mean of Jain's index up to now, before a share or the number of roles changes.
static void settle_jain(struct role_use *use, uint64_t now)
{
    uint64_t passed = now - use->since;
    use->since = now;
    if (passed == 0 || use->busy < 2 || use->squares == 0)
        return;
    use->jain += (wide_sum)jain_of(use) * (wide_sum)passed;
    use->jain_time += passed;
}

static void settle_entry(struct role_entry *entry, uint64_t now)
{
    uint64_t passed = now - entry->since;
    entry->since = now;
    entry->sum += (wide_sum)entry->share * (wide_sum)passed;
    if (entry->jobs == 0)
        return;
    entry->busy += passed;
    entry->busy_sum += (wide_sum)entry->share * (wide_sum)passed;
}

void role_use_settle(struct role_use *use, uint64_t now)
{
    settle_jain(use, now);
    for (size_t i = 0; i < use->count; i++)
        settle_entry(&use->entries[i], now);
}

// ---- shares ----

static int64_t share_of(const struct role_use *use, const struct role_entry *entry)
{
    double most = 0;
    // Tasks may have more than the cluster: when most of it was lost a moment ago.
    for (int i = 0; i < SCALARS; i++) {
        double share = (double)entry->used[i] * use->inverse[i];
        most = share > most ? share : most;
    }
    return most < SHARE_MOST ? (int64_t)(most + 0.5) : (int64_t)SHARE_MOST;
}

// The entry is part of the sums, or, with -1, is not any more.
static void sum_up(struct role_use *use, const struct role_entry *entry, int sign)
{
    use->shares += sign * entry->share;
    use->squares += sign * ((wide_sum)entry->share * entry->share);
}

static void set_share(struct role_use *use, struct role_entry *entry, uint64_t now)
{
    int64_t share = share_of(use, entry);
    if (share == entry->share)
        return;
    settle_jain(use, now);
    settle_entry(entry, now);
    if (entry->columns != NULL)
        series_change(&entry->columns->share, now, share - entry->share);
    if (entry->jobs > 0)
        sum_up(use, entry, -1);
    entry->share = share;
    if (entry->jobs > 0)
        sum_up(use, entry, 1);
}

void role_use_set_total(struct role_use *use, const struct series_column total[SCALARS],
                        uint64_t now)
{
    for (int i = 0; i < SCALARS; i++) {
        use->inverse[i] = total[i].value > 0 ? (double)ROLE_SHARE_ONE / (double)total[i].value : 0;
    }
    for (size_t i = 0; i < use->count; i++)
        set_share(use, &use->entries[i], now);
}

void role_use_take(struct role_use *use, uint16_t role, const struct scalars *amounts, int sign,
                   uint64_t now)
{
    struct role_entry *entry = entry_of(use, role, now);
    for (int i = 0; i < SCALARS; i++)
        entry->used[i] += sign * amounts->amount[i];
    set_share(use, entry, now);
}

void role_use_count_jobs(struct role_use *use, uint16_t role, int jobs, int waiting, uint64_t now)
{
    struct role_entry *entry = entry_of(use, role, now);
    bool was_busy = entry->jobs > 0;
    if (entry->columns != NULL)
        series_change(&entry->columns->waiting, now, waiting);
    if (jobs == 0)
        return;
    settle_jain(use, now);
    settle_entry(entry, now);
    entry->jobs = (uint64_t)((int64_t)entry->jobs + jobs);
    if (was_busy == (entry->jobs > 0))
        return;
    use->busy = was_busy ? use->busy - 1 : use->busy + 1;
    sum_up(use, entry, was_busy ? -1 : 1);
}
