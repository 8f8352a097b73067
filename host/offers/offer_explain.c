// SPDX-License-Identifier: Apache-2.0
//
// The rows of an explanation, and its sums: see offer_explain.h. Each row holds a reference on its
// bytes, as offers may end while the caller's condition is asked.

#include "offers/offer_explain_internal.h"

#include "base/hash_index.h"
#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <math.h>
#include <stdlib.h>

// ---- rows ----

// What is needed to make the rows.
struct rows_maker {
    struct offer_explain *explain;
    const struct offer_table *offers;
    const struct offer_history *history;
    struct hash_index ends, keys; // endings by age, rows by agent and role
};

static struct slice agent_of(struct slice offer)
{
    return wire_text(wire_find(offer, FIELD_OFFER_AGENT_ID));
}

static bool same_source(const struct offer_explain_row *a, const struct offer_explain_row *b)
{
    return slice_equal(a->agent, b->agent) && (a->role.data == NULL) == (b->role.data == NULL) &&
           slice_equal(a->role, b->role);
}

// The row of the same agent and role that is newer; NULL, and the row is that from now on, if there
// is none.
static struct offer_explain_row *newer_row(struct rows_maker *maker, size_t row)
{
    struct offer_explain_row *rows = maker->explain->rows;
    uint32_t hash = (uint32_t)(hash_index_hash(rows[row].agent) ^ hash_index_hash(rows[row].role));
    size_t at = hash;
    for (uint32_t number; hash_index_next(&maker->keys, hash, &at, &number);)
        if (same_source(&rows[number], &rows[row]))
            return &rows[number];
    hash_index_add(&maker->keys, hash, (uint32_t)row);
    return NULL;
}

// A new row, or NULL if the offer has one or there are too many.
static struct offer_explain_row *add_row(struct offer_explain *explain, struct bytes *block,
                                         struct slice wire)
{
    struct slice id = offer_fields_id(wire);
    uint32_t row = offer_packing_add(explain->packing, wire, id, NULL);
    if (row == OFFER_PACKING_NONE || row < explain->row_count)
        return NULL;
    if (explain->row_count == explain->row_capacity) {
        explain->row_capacity = explain->row_capacity ? 2 * explain->row_capacity : 64;
        explain->rows = memory_resize(explain->rows, explain->row_capacity * sizeof *explain->rows);
    }
    struct offer_explain_row *it = &explain->rows[explain->row_count++];
    *it = (struct offer_explain_row){.block = bytes_ref(block),
                                     .wire = wire,
                                     .id = id,
                                     .agent = agent_of(wire),
                                     .role = offer_fields_role(wire)};
    return it;
}

static void add_outstanding(struct rows_maker *maker)
{
    struct offer_explain *explain = maker->explain;
    for (const struct offer *offer = offer_table_first(maker->offers); offer != NULL;
         offer = offer_table_next(offer)) {
        struct offer_explain_row *row =
            add_row(explain, offer_table_block(offer), offer_table_wire(offer));
        if (row == NULL)
            continue;
        row->outstanding = row->counted = true;
        row->arrival = offer_table_arrival(offer);
        newer_row(maker, explain->row_count - 1);
    }
}

static const struct offer_ending *ending_of(const struct rows_maker *maker, struct slice id)
{
    uint64_t hash = hash_index_hash(id);
    size_t at = (uint32_t)hash;
    for (uint32_t age; hash_index_next(&maker->ends, (uint32_t)hash, &at, &age);) {
        const struct offer_ending *ending = offer_history_ending(maker->history, age);
        if (ending->hash == hash)
            return ending;
    }
    return NULL;
}

static void read_ending(const struct rows_maker *maker, const struct offer_event *event,
                        struct offer_explain_row *row)
{
    const struct offer_history *history = maker->history;
    const struct offer_ending *ending = ending_of(maker, row->id);
    row->arrival = event->arrival;
    row->lost = offer_history_is_lost(history, row->agent, event->order);
    if (ending == NULL || ending->order < event->order) {
        row->end = event->is_void ? OFFER_END_VOID : OFFER_END_UNKNOWN;
        row->ended = event->voided_at;
        return;
    }
    row->end = ending->end;
    row->ended = ending->at;
    uint64_t until = ending->at + (uint64_t)(ending->filter * (double)maker->explain->second);
    if (until > maker->explain->now && !row->lost &&
        offer_history_filter_holds(history, row->role, ending->order))
        row->filter = until;
}

static bool is_recent(const struct offer_explain *explain, const struct offer_explain_row *row)
{
    uint64_t last = row->ended > 0 ? row->ended : row->arrival;
    return row->filter > 0 ||
           explain->now - last < (uint64_t)OFFER_EXPLAIN_LATELY * explain->second;
}

// An earlier offer of the same agent and role is not counted; its filter holds all the same.
static void add_past(struct rows_maker *maker, const struct offer_event *event, struct slice wire)
{
    struct offer_explain *explain = maker->explain;
    struct offer_explain_row *row = add_row(explain, event->block, wire);
    if (row == NULL)
        return;
    read_ending(maker, event, row);
    struct offer_explain_row *newer = newer_row(maker, explain->row_count - 1);
    row->counted = newer == NULL && is_recent(explain, row);
    if (newer != NULL && !newer->outstanding && row->filter > newer->filter) {
        newer->filter = row->filter;
        newer->counted = true; // also if it is none of lately: the filter holds
    }
}

static void add_history(struct rows_maker *maker)
{
    const struct offer_history *history = maker->history;
    for (size_t age = 0; age < offer_history_ends(history); age++)
        hash_index_add(&maker->ends, (uint32_t)offer_history_ending(history, age)->hash,
                       (uint32_t)age);
    for (size_t age = 0; age < offer_history_count(history); age++) {
        const struct offer_event *event = offer_history_event(history, age);
        struct slice list = event->list, wire;
        while (wire_next_bytes(&list, FIELD_SCHEDULER_EVENT_OFFERS_OFFERS, &wire))
            add_past(maker, event, wire);
    }
}

struct offer_explain *offer_explain_create(const struct offer_table *offers,
                                           const struct offer_history *history, uint64_t now)
{
    struct offer_explain *explain = memory_new(sizeof *explain);
    explain->now = now;
    explain->second = offer_history_second(history);
    explain->began = offer_history_began(history);
    explain->nearest = OFFER_EXPLAIN_NONE;
    explain->packing = offer_packing_create(offer_table_count(offers));
    struct rows_maker maker = {.explain = explain, .offers = offers, .history = history};
    add_outstanding(&maker);
    add_history(&maker);
    hash_index_clear(&maker.ends);
    hash_index_clear(&maker.keys);
    return explain;
}

void offer_explain_destroy(struct offer_explain *explain)
{
    if (explain == NULL)
        return;
    offer_packing_destroy(explain->packing);
    for (size_t i = 0; i < explain->row_count; i++)
        bytes_unref(explain->rows[i].block);
    offer_reasons_free(explain);
    free(explain->rows);
    free(explain);
}

struct offer_packing *offer_explain_packing(struct offer_explain *explain)
{
    return explain->packing;
}

size_t offer_explain_next_fit(const struct offer_explain *explain, size_t row)
{
    while (row < explain->row_count && explain->rows[row].lacks != 0)
        row++;
    return row < explain->row_count ? row : OFFER_EXPLAIN_NONE;
}

// ---- sums ----

double offer_explain_seconds(const struct offer_explain *explain, uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) / (double)explain->second : 0;
}

static void sum_past(struct offer_explain_sums *sums, const struct offer_explain_row *row)
{
    size_t *const ends[] = {
        [OFFER_END_UNKNOWN] = &sums->lately.unknown,
        [OFFER_END_DECLINED] = &sums->lately.declined,
        [OFFER_END_ACCEPTED] = &sums->lately.used,
        [OFFER_END_RESCINDED] = &sums->lately.rescinded,
        [OFFER_END_VOID] = &sums->lately.voided,
    };
    sums->lately.offers++;
    sums->lately.fits += row->lacks == 0 && row->end != OFFER_END_ACCEPTED;
    ++*ends[row->end];
}

// What is left of an offer that was used is not known.
static bool fits_behind_filter(const struct offer_explain_row *row)
{
    return row->lacks == 0 && row->end != OFFER_END_ACCEPTED;
}

static void sum_row(struct offer_explain *explain, const struct offer_explain_row *row)
{
    struct offer_explain_sums *sums = &explain->sums;
    if (row->outstanding) {
        double held = offer_explain_seconds(explain, row->arrival, explain->now);
        sums->offers++;
        sums->fits += row->lacks == 0;
        sums->longest = fmax(sums->longest, held);
    } else {
        sum_past(sums, row);
    }
    sums->filters += row->filter > 0;
    sums->filters_fit += row->filter > 0 && fits_behind_filter(row);
}

// When the last offer that fitted ended, or 0.
static uint64_t last_fit(const struct offer_explain *explain)
{
    uint64_t last = 0;
    for (size_t i = 0; i < explain->row_count; i++) {
        const struct offer_explain_row *row = &explain->rows[i];
        uint64_t end = row->ended > 0 ? row->ended : row->arrival;
        if (row->lacks == 0 && end > last && !row->outstanding)
            last = end;
    }
    return last;
}

static void sum_since(struct offer_explain *explain, uint64_t last)
{
    explain->sums.known = last > 0 && last >= explain->began;
    if (explain->sums.fits == 0)
        explain->sums.since = offer_explain_seconds(
            explain, explain->sums.known ? last : explain->began, explain->now);
}

static size_t find_nearest(const struct offer_explain *explain)
{
    size_t nearest = OFFER_EXPLAIN_NONE;
    for (size_t i = 0; i < explain->row_count; i++) {
        const struct offer_explain_row *row = &explain->rows[i];
        if (!row->counted || row->lost || row->lacks == 0 || row->end == OFFER_END_ACCEPTED)
            continue;
        if (nearest == OFFER_EXPLAIN_NONE || row->missing < explain->rows[nearest].missing)
            nearest = i;
    }
    return nearest;
}

// ---- filters ----

static bool goes_before(const struct offer_explain_row *a, const struct offer_explain_row *b)
{
    if (fits_behind_filter(a) != fits_behind_filter(b))
        return fits_behind_filter(a);
    return a->filter > b->filter;
}

// Sorts it into the list, off whose end the last one falls.
static void list_filter(struct offer_explain *explain, size_t row)
{
    size_t place = explain->filter_count;
    for (;
         place > 0 && goes_before(&explain->rows[row], &explain->rows[explain->filters[place - 1]]);
         place--)
        if (place < OFFER_EXPLAIN_FILTERS)
            explain->filters[place] = explain->filters[place - 1];
    if (place < OFFER_EXPLAIN_FILTERS)
        explain->filters[place] = row;
    if (explain->filter_count < OFFER_EXPLAIN_FILTERS)
        explain->filter_count++;
}

void offer_explain_finish(struct offer_explain *explain)
{
    uint64_t last = last_fit(explain);
    offer_reasons_lost(explain);
    for (size_t i = 0; i < explain->row_count; i++) {
        if (!explain->rows[i].counted)
            continue;
        sum_row(explain, &explain->rows[i]);
        if (explain->rows[i].filter > 0)
            list_filter(explain, i);
    }
    sum_since(explain, last);
    explain->nearest = explain->sums.fits == 0 ? find_nearest(explain) : OFFER_EXPLAIN_NONE;
    offer_reasons_finish(explain);
}

// ---- reading ----

const struct offer_explain_sums *offer_explain_sums(const struct offer_explain *explain)
{
    return &explain->sums;
}

size_t offer_explain_rows(const struct offer_explain *explain)
{
    return explain->row_count;
}

const struct offer_explain_row *offer_explain_row(const struct offer_explain *explain, size_t row)
{
    return &explain->rows[row];
}

uint64_t offer_explain_now(const struct offer_explain *explain)
{
    return explain->now;
}

size_t offer_explain_reasons(const struct offer_explain *explain)
{
    return explain->reason_count;
}

const struct offer_reason *offer_explain_reason(const struct offer_explain *explain, size_t i)
{
    return &explain->reasons[i];
}

size_t offer_explain_nearest(const struct offer_explain *explain)
{
    return explain->nearest;
}

size_t offer_explain_filters(const struct offer_explain *explain, const size_t **rows)
{
    *rows = explain->filters;
    return explain->filter_count;
}
