// SPDX-License-Identifier: Apache-2.0
//
// Why a need is not placed: it is compared with the outstanding offers, and with the last offer
// that each agent made to each role lately. The caller adds what is needed, part by part; each part
// that an offer does not have becomes a *reason*, with a count of the offers and the nearest miss.
//
//     create; then, on offer_explain_packing(), the amounts; role, attributes, where; finish; read
//
// An explanation stays as it is while offers come and go.

#ifndef MESOS_LUA_OFFERS_OFFER_EXPLAIN_H
#define MESOS_LUA_OFFERS_OFFER_EXPLAIN_H

#include "offers/offer_history.h"
#include "offers/offer_packing.h"

enum {
    OFFER_EXPLAIN_REASONS = 64,
    OFFER_EXPLAIN_SEEN = 3,      // values of one attribute that are named
    OFFER_EXPLAIN_LATELY = 900,  // seconds
    OFFER_EXPLAIN_FILTERS = 100, // that are listed
};

#define OFFER_EXPLAIN_NONE SIZE_MAX

struct offer_explain_row {
    struct bytes *block;                // a reference
    struct slice wire, id, agent, role; // the last three are in `wire`
    bool outstanding;
    bool counted; // outstanding, or the last of its agent and role, of lately
    bool lost;    // its agent was lost
    enum offer_end end;
    uint64_t arrival, ended; // ended: 0 if that is not known
    uint64_t filter;         // when the filter on its agent and role expires; 0: there is none
    uint64_t lacks;          // a bit for each reason
    double missing;          // the parts of the need that it lacks, summed up
};

enum offer_reason_kind {
    OFFER_REASON_RESOURCE,
    OFFER_REASON_ROLE,
    OFFER_REASON_ATTRIBUTE,
    OFFER_REASON_WHERE, // the condition of the caller
    OFFER_REASON_LOST,  // the agent was lost
};

struct offer_reason {
    enum offer_reason_kind kind;
    uint64_t bit;
    char *name;           // of the resource or attribute
    char *wanted;         // of a role or attribute: "'a' or 'b'"
    size_t count, lately; // outstanding offers, and others, that lack it
    size_t example;       // the row that lacks least, or OFFER_EXPLAIN_NONE

    // Of a resource, in thousandths: what is needed, what the example has, the most that an offer
    // which lacks it has reserved for another role, or as revocable resources.
    double needed, best, reserved, revocable;
    char *reserved_role; // NULL: nothing is reserved

    // Of a role or attribute: what the offers have instead, and how many have nothing.
    char *seen[OFFER_EXPLAIN_SEEN];
    size_t seen_count, absent;
    bool other_type;     // a number is wanted, and texts are there, or the reverse
    size_t fits;         // of the lost: would have fitted
    uint32_t columns[2]; // of a resource
};

struct offer_explain;

struct offer_explain *offer_explain_create(const struct offer_table *offers,
                                           const struct offer_history *history, uint64_t now);
void offer_explain_destroy(struct offer_explain *explain); // NULL is fine

// All offers, a row each, in the order of offer_explain_row().
struct offer_packing *offer_explain_packing(struct offer_explain *explain);

// ---- what is needed ----

// False if there are more than OFFER_EXPLAIN_REASONS parts.
bool offer_explain_amounts(struct offer_explain *explain, const struct offer_packing_need *need);
bool offer_explain_role(struct offer_explain *explain, struct slice role);
bool offer_explain_attribute(struct offer_explain *explain, struct slice name,
                             const struct offer_word *words, size_t count);

// The rows that fit so far, for a condition of the caller: the next one from `row` on, or
// OFFER_EXPLAIN_NONE; and one that does not meet it.
size_t offer_explain_next_fit(const struct offer_explain *explain, size_t row);
bool offer_explain_refuse(struct offer_explain *explain, size_t row);

void offer_explain_finish(struct offer_explain *explain);

// ---- what was found ----

struct offer_explain_sums {
    size_t offers, fits; // outstanding
    double longest;      // seconds that the oldest of them is held
    struct {
        size_t offers, fits; // that were not used
        size_t declined, rescinded, used, voided, unknown;
    } lately;
    size_t filters, filters_fit; // that hold; on offers that would fit
    double since;                // seconds for which no offer has fitted; 0: one does
    bool known;                  // false: it may be longer, only so far back is known
};

const struct offer_explain_sums *offer_explain_sums(const struct offer_explain *explain);

size_t offer_explain_rows(const struct offer_explain *explain);
const struct offer_explain_row *offer_explain_row(const struct offer_explain *explain, size_t row);
double offer_explain_seconds(const struct offer_explain *explain, uint64_t from, uint64_t to);
uint64_t offer_explain_now(const struct offer_explain *explain);

// The most frequent first.
size_t offer_explain_reasons(const struct offer_explain *explain);
const struct offer_reason *offer_explain_reason(const struct offer_explain *explain, size_t i);

// If none fits, the row that lacks least, or OFFER_EXPLAIN_NONE; of a reason for a resource, how
// many thousandths that row has.
size_t offer_explain_nearest(const struct offer_explain *explain);
double offer_explain_left(const struct offer_explain *explain, const struct offer_reason *reason,
                          size_t row);

// The rows with a filter that holds, those that would fit first, then the longest: their number, up
// to OFFER_EXPLAIN_FILTERS.
size_t offer_explain_filters(const struct offer_explain *explain, const size_t **rows);

#endif
