// SPDX-License-Identifier: Apache-2.0
//
// The offers that tasks are packed into: what is left of each, in columns, so a search is one pass
// over a few arrays. A row is an offer, a column a resource; columns are made
// when they are first asked for and filled for all rows in one walk over the offers' bytes. All
// amounts are whole thousandths (see offer_fields.h for what counts), of ranges the number of
// values.
//
// No need fits a row whose offer was spent.

#ifndef MESOS_LUA_OFFERS_OFFER_PACKING_H
#define MESOS_LUA_OFFERS_OFFER_PACKING_H

#include "offers/offer_fields.h"
#include "offers/offer_table.h"

enum {
    OFFER_PACKING_ROWS = 1 << 20,  // at most
    OFFER_PACKING_COLUMNS = 64,    // at most
    OFFER_PACKING_CONDITIONS = 64, // that are remembered
    OFFER_PACKING_AMOUNTS = 16,    // of one need
};

#define OFFER_PACKING_NONE UINT32_MAX // no row, no column

struct offer_packing;

struct offer_packing *offer_packing_create(size_t expected); // rows, more or less
void offer_packing_destroy(struct offer_packing *packing);   // NULL is fine

// A new packing of some rows of this one, with what is left of them; `rows` become their rows in
// it.
struct offer_packing *offer_packing_part(struct offer_packing *packing, uint32_t *rows,
                                         size_t count);

// The row of the offer of that id (offer_id), a new one unless there is one; OFFER_PACKING_NONE at
// the cap. The bytes must outlive the packing. When `offer`, which may be NULL, is spent, so is the
// row.
uint32_t offer_packing_add(struct offer_packing *packing, struct slice wire, struct slice id,
                           const struct offer *offer);

size_t offer_packing_rows(const struct offer_packing *packing);
uint32_t offer_packing_find(const struct offer_packing *packing,
                            struct slice id); // its row, or OFFER_PACKING_NONE
struct slice offer_packing_wire(const struct offer_packing *packing, uint32_t row);

void offer_packing_drop(struct offer_packing *packing, uint32_t row); // as if spent

// NULL, or why the offer of that row cannot be used any more: "was declined".
const char *offer_packing_spent(struct offer_packing *packing, uint32_t row);

// The column of a resource, of its revocable or its other pieces; OFFER_PACKING_NONE at the cap.
// New ones and new rows are filled by offer_packing_fill(), ahead of all that follows.
uint32_t offer_packing_column(struct offer_packing *packing, struct slice name, bool revocable);
void offer_packing_fill(struct offer_packing *packing);

bool offer_packing_present(const struct offer_packing *packing,
                           uint32_t column); // true if a row has the resource
double offer_packing_left(const struct offer_packing *packing, uint32_t column,
                          uint32_t row); // below 0: it is spent

// ---- needs ----

struct offer_packing_amount {
    uint32_t column;
    uint32_t
        revocable; // the column of revocable ones that may be used instead, or OFFER_PACKING_NONE
    double thousandths;
};

struct offer_packing_need {
    struct offer_packing_amount amounts[OFFER_PACKING_AMOUNTS];
    size_t count;
    const uint8_t *mask; // 0 for each row that must not be used, or NULL
};

// In a mask of one byte for each row, clear the rows whose offer is not allocated to the role, or
// whose attribute is none of the words.
void offer_packing_mask_role(struct offer_packing *packing, struct slice role, uint8_t *mask);
void offer_packing_mask_attribute(struct offer_packing *packing, struct slice name,
                                  const struct offer_word *words, size_t count, uint8_t *mask);

bool offer_packing_fits(const struct offer_packing *packing, const struct offer_packing_need *need,
                        uint32_t row);

// The first amount of the need that the row does not have, NULL if it has them all.
const struct offer_packing_amount *offer_packing_lacking(const struct offer_packing *packing,
                                                         const struct offer_packing_need *need,
                                                         uint32_t row);
const char *offer_packing_name(const struct offer_packing *packing,
                               uint32_t column); // of the resource

// ---- searching ----

// The score of an offer is how much of it would be left: the mean over the resources of the need of
// (left - needed) / offered. Best is the smallest, worst the largest; among equals the first of
// `rows`.
enum offer_packing_order { OFFER_PACKING_FIRST, OFFER_PACKING_BEST, OFFER_PACKING_WORST };

struct offer_packing_search {
    const struct offer_packing_need *need;
    const uint32_t *rows;
    size_t count;
    bool once;    // stop at the first that is accepted
    size_t next;  // where in `rows` it goes on
    double sign;  // the search is for the least sum times this
    double score; // that of the last one that was accepted
    double found; // that of the last candidate
};

struct offer_packing_search offer_packing_search(const struct offer_packing_need *need,
                                                 enum offer_packing_order order,
                                                 const uint32_t *rows, size_t count);

// The index in `rows` of the best; false if there is none.
bool offer_packing_choose(struct offer_packing *packing, struct offer_packing_search *search,
                          size_t *index);

// The same step by step, for callers with conditions of their own: the index of the next row that
// is better than the last accepted one; false at the end. The packing may change in between.
bool offer_packing_next(struct offer_packing *packing, struct offer_packing_search *search,
                        size_t *index);
void offer_packing_accept(struct offer_packing_search *search);

// ---- taking ----

// Takes the amounts of the need off the row, which it fits, and appends the resources of a task to
// `out`: Resource messages, each as field 1. False at the cap of `out`.
bool offer_packing_take(struct offer_packing *packing, const struct offer_packing_need *need,
                        uint32_t row, struct buffer *out);

#endif
