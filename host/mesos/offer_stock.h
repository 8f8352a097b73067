// SPDX-License-Identifier: Apache-2.0
//
// The offers that tasks are packed into: what is left of each, in columns, so that looking for a
// place is one pass over a few arrays. A row is an offer, a column a resource; columns are made
// when they are first asked for and filled for all rows in one walk over the offers' bytes. All
// amounts are whole thousandths (see offer_content.h for what counts), of ranges the number of
// values.
//
// A row whose offer was spent fits nothing any more.

#ifndef MESOS_LUA_MESOS_OFFER_STOCK_H
#define MESOS_LUA_MESOS_OFFER_STOCK_H

#include "mesos/offer_content.h"
#include "mesos/offers.h"

enum {
    STOCK_ROWS = 1 << 20,  // at most
    STOCK_COLUMNS = 64,    // at most
    STOCK_CONDITIONS = 64, // that are remembered
    STOCK_AMOUNTS = 16,    // of one need
};

#define STOCK_NONE UINT32_MAX // no row, no column

struct stock;

struct stock *stock_create(size_t expected); // rows, more or less
void stock_destroy(struct stock *stock);     // NULL is fine

// Another stock, of some rows of this one with what is left of them; `rows` become those in it.
struct stock *stock_part(struct stock *stock, uint32_t *rows, size_t count);

// The row of the offer of that id (offer_id), a new one unless there is one; STOCK_NONE at the cap.
// The bytes must outlive the stock. `offer` is whose end is watched, or NULL.
uint32_t stock_add(struct stock *stock, struct slice wire, struct slice id,
                   const struct offer *offer);

size_t stock_rows(const struct stock *stock);
uint32_t stock_find(const struct stock *stock, struct slice id); // its row, or STOCK_NONE
struct slice stock_wire(const struct stock *stock, uint32_t row);

void stock_drop(struct stock *stock, uint32_t row); // it fits nothing from now on

// NULL, or why the offer of that row is of no use any more: "was declined".
const char *stock_spent(struct stock *stock, uint32_t row);

// The column of a resource, of its revocable or its other pieces; STOCK_NONE at the cap. New ones
// and new rows are filled by stock_fill(), ahead of all that follows.
uint32_t stock_column(struct stock *stock, struct slice name, bool revocable);
void stock_fill(struct stock *stock);

bool stock_present(const struct stock *stock, uint32_t column); // has any row the resource?
double stock_left(const struct stock *stock, uint32_t column, uint32_t row); // below 0: it is spent

// ---- needs ----

struct stock_amount {
    uint32_t column;
    uint32_t revocable; // the column of revocable ones that would do as well, or STOCK_NONE
    double thousandths;
};

struct stock_need {
    struct stock_amount amounts[STOCK_AMOUNTS];
    size_t count;
    const uint8_t *mask; // 0 for each row that will not do, or NULL
};

// Clears what the offers do not have that are not allocated to the role, or whose attribute has
// none of the words, in a mask of one byte for each row.
void stock_mask_role(struct stock *stock, struct slice role, uint8_t *mask);
void stock_mask_attribute(struct stock *stock, struct slice name, const struct offer_word *words,
                          size_t count, uint8_t *mask);

bool stock_fits(const struct stock *stock, const struct stock_need *need, uint32_t row);

// The first amount of the need that a row has not, NULL if it has them all.
const struct stock_amount *stock_lacking(const struct stock *stock, const struct stock_need *need,
                                         uint32_t row);
const char *stock_name(const struct stock *stock, uint32_t column); // of the resource

// ---- looking for a place ----

// How full an offer would be decides: for each resource of the need the share of the offer that
// would be left, (left - needed) / offered, and of these the mean. Best is the smallest, worst the
// largest; among equals the first of `rows`.
enum stock_order { STOCK_FIRST, STOCK_BEST, STOCK_WORST };

struct stock_search {
    const struct stock_need *need;
    const uint32_t *rows;
    size_t count;
    bool once;    // the first that is accepted will do
    size_t next;  // where in `rows` it goes on
    double sign;  // the least sum times this is looked for
    double score; // that of the last one that was accepted
    double found; // that of the last candidate
};

struct stock_search stock_search(const struct stock_need *need, enum stock_order order,
                                 const uint32_t *rows, size_t count);

// The place in `rows` that is best; false if there is none.
bool stock_choose(struct stock *stock, struct stock_search *search, size_t *place);

// The same step by step, for whoever has a say in it: the next place that is better than what was
// accepted before; false at the end. The stock may be changed in between.
bool stock_next(struct stock *stock, struct stock_search *search, size_t *place);
void stock_accept(struct stock_search *search);

// ---- taking ----

// Takes the amounts of the need off the row, which it fits, and appends the resources of a task to
// `out`: Resource messages, each as field 1. False at the cap of `out`.
bool stock_take(struct stock *stock, const struct stock_need *need, uint32_t row,
                struct buffer *out);

#endif
