// SPDX-License-Identifier: Apache-2.0
//
// Packing tasks into offers: see offer_packing.h. A column has what is left of each row and one
// over what was offered, so a share is a multiplication; a spent row has less than nothing
// left, which no need fits. Conditions on attributes and roles are remembered as a byte for each
// row, and when there are too many, forgotten all together.

#include "offers/offer_packing.h"

#include "base/hash_index.h"
#include "base/memory.h"
#include "offers/offer_remainder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct packing_row {
    struct slice wire, id;
    uint32_t hash;
    struct offer *offer;               // a reference, or NULL
    struct offer_remainder *remainder; // once something was taken, else NULL
    const char *spent;                 // why it cannot be used any more, or NULL
};

struct column {
    char *name;
    size_t length;
    bool revocable, present;
    size_t filled;       // rows
    double *left, *unit; // thousandths; 1 / offered thousandths, or 0
};

struct condition {
    char *name; // of the attribute; NULL: the role
    char *text; // NULL: the number
    size_t name_length, text_length;
    double number;
    size_t filled;
    uint8_t *holds; // by row
};

struct offer_packing {
    struct packing_row *rows;
    size_t count, capacity;  // of rows, and of the arrays by row
    struct hash_index index; // rows by id
    struct column columns[OFFER_PACKING_COLUMNS];
    size_t column_count;
    struct condition conditions[OFFER_PACKING_CONDITIONS];
    size_t condition_count;
};

// ---- life ----

static void forget_conditions(struct offer_packing *packing)
{
    for (size_t i = 0; i < packing->condition_count; i++) {
        free(packing->conditions[i].name);
        free(packing->conditions[i].text);
        free(packing->conditions[i].holds);
    }
    packing->condition_count = 0;
}

void offer_packing_destroy(struct offer_packing *packing)
{
    if (packing == NULL)
        return;
    for (size_t i = 0; i < packing->count; i++) {
        offer_table_unref(packing->rows[i].offer);
        offer_remainder_destroy(packing->rows[i].remainder);
    }
    for (size_t i = 0; i < packing->column_count; i++) {
        free(packing->columns[i].name);
        free(packing->columns[i].left);
        free(packing->columns[i].unit);
    }
    forget_conditions(packing);
    free(packing->rows);
    hash_index_clear(&packing->index);
    free(packing);
}

// ---- rows ----

static uint32_t find(const struct offer_packing *packing, uint32_t hash, struct slice id)
{
    size_t at = hash;
    for (uint32_t row; hash_index_next(&packing->index, hash, &at, &row);)
        if (slice_equal(packing->rows[row].id, id))
            return row;
    return OFFER_PACKING_NONE;
}

static void resize(struct offer_packing *packing, size_t capacity)
{
    packing->capacity = capacity;
    packing->rows = memory_resize(packing->rows, capacity * sizeof *packing->rows);
    for (size_t i = 0; i < packing->column_count; i++) {
        struct column *column = &packing->columns[i];
        column->left = memory_resize(column->left, capacity * sizeof *column->left);
        column->unit = memory_resize(column->unit, capacity * sizeof *column->unit);
    }
    for (size_t i = 0; i < packing->condition_count; i++)
        packing->conditions[i].holds = memory_resize(packing->conditions[i].holds, capacity);
}

struct offer_packing *offer_packing_create(size_t expected)
{
    enum { LEAST = 16 };
    struct offer_packing *packing = memory_new(sizeof *packing);
    size_t capacity = LEAST;
    while (capacity < expected && capacity < OFFER_PACKING_ROWS)
        capacity *= 2;
    resize(packing, capacity);
    return packing;
}

uint32_t offer_packing_find(const struct offer_packing *packing, struct slice id)
{
    return find(packing, (uint32_t)hash_index_hash(id), id);
}

// The caller has checked that its id is not there.
static uint32_t append(struct offer_packing *packing, const struct packing_row *row)
{
    if (packing->count == packing->capacity)
        resize(packing, 2 * packing->capacity);
    uint32_t number = (uint32_t)packing->count++;
    packing->rows[number] = *row;
    hash_index_add(&packing->index, row->hash, number);
    return number;
}

uint32_t offer_packing_add(struct offer_packing *packing, struct slice wire, struct slice id,
                           const struct offer *offer)
{
    struct packing_row row = {.wire = wire, .id = id, .hash = (uint32_t)hash_index_hash(id)};
    uint32_t found = find(packing, row.hash, id);
    if (found != OFFER_PACKING_NONE)
        return found;
    if (packing->count == OFFER_PACKING_ROWS)
        return OFFER_PACKING_NONE;
    row.offer = offer ? offer_table_ref(offer) : NULL;
    return append(packing, &row);
}

struct slice offer_packing_wire(const struct offer_packing *packing, uint32_t row)
{
    return packing->rows[row].wire;
}

size_t offer_packing_rows(const struct offer_packing *packing)
{
    return packing->count;
}

static void spend(struct offer_packing *packing, uint32_t row, const char *why)
{
    packing->rows[row].spent = why;
    for (size_t i = 0; i < packing->column_count; i++)
        if (row < packing->columns[i].filled)
            packing->columns[i].left[row] = -1;
}

void offer_packing_drop(struct offer_packing *packing, uint32_t row)
{
    spend(packing, row, "is not outstanding any more");
}

const char *offer_packing_spent(struct offer_packing *packing, uint32_t row)
{
    struct packing_row *it = &packing->rows[row];
    if (it->spent == NULL && it->offer != NULL && it->offer->spent != NULL)
        spend(packing, row, it->offer->spent);
    return it->spent;
}

// ---- columns ----

uint32_t offer_packing_column(struct offer_packing *packing, struct slice name, bool revocable)
{
    for (size_t i = 0; i < packing->column_count; i++) {
        const struct column *it = &packing->columns[i];
        if (it->length == name.length && memcmp(it->name, name.data, name.length) == 0 &&
            it->revocable == revocable)
            return (uint32_t)i;
    }
    if (packing->column_count == OFFER_PACKING_COLUMNS)
        return OFFER_PACKING_NONE;
    packing->columns[packing->column_count] = (struct column){
        .name = memory_text((const char *)name.data, name.length),
        .length = name.length,
        .revocable = revocable,
        .left = memory_resize(NULL, packing->capacity * sizeof(double)),
        .unit = memory_resize(NULL, packing->capacity * sizeof(double)),
    };
    return (uint32_t)packing->column_count++;
}

static void add(struct offer_packing *packing, size_t first, uint32_t row,
                const struct offer_resource *resource)
{
    for (size_t i = first; i < packing->column_count; i++) {
        struct column *column = &packing->columns[i];
        if (column->length != resource->name.length || column->revocable != resource->revocable ||
            memcmp(column->name, resource->name.data, column->length) != 0)
            continue;
        column->present = true;
        column->left[row] += offer_fields_amount(resource);
    }
}

// All columns from `first` on, which are empty there.
static void fill_row(struct offer_packing *packing, size_t first, uint32_t row)
{
    for (size_t i = first; i < packing->column_count; i++)
        packing->columns[i].left[row] = 0;
    struct offer_walk walk = offer_fields_walk(packing->rows[row].wire);
    for (struct offer_resource resource; offer_fields_next(&walk, &resource);)
        if (!resource.whole)
            add(packing, first, row, &resource);
    for (size_t i = first; i < packing->column_count; i++) {
        struct column *column = &packing->columns[i];
        column->unit[row] = column->left[row] > 0 ? 1 / column->left[row] : 0;
        if (packing->rows[row].spent != NULL)
            column->left[row] = -1;
    }
}

// The later a column was made, the fewer rows it has.
void offer_packing_fill(struct offer_packing *packing)
{
    size_t first = packing->column_count;
    size_t row = first > 0 ? packing->columns[first - 1].filled : packing->count;
    for (; row < packing->count; row++) {
        while (first > 0 && packing->columns[first - 1].filled <= row)
            first--;
        fill_row(packing, first, (uint32_t)row);
    }
    for (size_t i = 0; i < packing->column_count; i++)
        packing->columns[i].filled = packing->count;
}

bool offer_packing_present(const struct offer_packing *packing, uint32_t column)
{
    return packing->columns[column].present;
}

double offer_packing_left(const struct offer_packing *packing, uint32_t column, uint32_t row)
{
    return packing->columns[column].left[row];
}

// ---- conditions ----

static bool same_text(const char *text, size_t length, struct slice other)
{
    if (text == NULL || other.data == NULL)
        return text == NULL && other.data == NULL;
    return slice_equal((struct slice){(const uint8_t *)text, length}, other);
}

static bool same_condition(const struct condition *it, struct slice name,
                           const struct offer_word *word)
{
    return same_text(it->name, it->name_length, name) &&
           same_text(it->text, it->text_length, word->text) &&
           (it->text != NULL || it->number == word->number);
}

static char *copy(struct slice text)
{
    return text.data ? memory_text((const char *)text.data, text.length) : NULL;
}

static struct condition *find_condition(struct offer_packing *packing, struct slice name,
                                        const struct offer_word *word)
{
    for (size_t i = 0; i < packing->condition_count; i++)
        if (same_condition(&packing->conditions[i], name, word))
            return &packing->conditions[i];
    if (packing->condition_count == OFFER_PACKING_CONDITIONS)
        forget_conditions(packing);
    struct condition *it = &packing->conditions[packing->condition_count++];
    *it = (struct condition){.name = copy(name),
                             .text = copy(word->text),
                             .name_length = name.length,
                             .text_length = word->text.length,
                             .number = word->number,
                             .holds = memory_resize(NULL, packing->capacity)};
    return it;
}

static bool has_role(struct slice offer, struct slice role)
{
    return slice_equal(offer_fields_role(offer), role);
}

static const uint8_t *condition(struct offer_packing *packing, struct slice name,
                                const struct offer_word *word)
{
    struct condition *it = find_condition(packing, name, word);
    for (; it->filled < packing->count; it->filled++) {
        struct slice offer = packing->rows[it->filled].wire;
        it->holds[it->filled] = name.data != NULL ? offer_fields_has_attribute(offer, name, word)
                                                  : has_role(offer, word->text);
    }
    return it->holds;
}

void offer_packing_mask_role(struct offer_packing *packing, struct slice role, uint8_t *mask)
{
    const struct offer_word word = {.text = role};
    const uint8_t *holds = condition(packing, (struct slice){.data = NULL}, &word);
    for (size_t i = 0; i < packing->count; i++)
        mask[i] &= holds[i];
}

// Bit 1 gathers what holds for any of the words.
void offer_packing_mask_attribute(struct offer_packing *packing, struct slice name,
                                  const struct offer_word *words, size_t count, uint8_t *mask)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *holds = condition(packing, name, &words[i]);
        for (size_t row = 0; row < packing->count; row++)
            mask[row] |= (uint8_t)(holds[row] << 1);
    }
    for (size_t row = 0; row < packing->count; row++)
        mask[row] &= mask[row] >> 1;
}

// ---- parts ----

// Columns are in the same order in both.
static uint32_t copy_row(struct offer_packing *to, const struct offer_packing *from, uint32_t row)
{
    uint32_t last = append(to, &from->rows[row]);
    if (to->rows[last].offer != NULL)
        offer_table_ref(to->rows[last].offer);
    to->rows[last].remainder = offer_remainder_copy(from->rows[row].remainder);
    for (size_t i = 0; i < from->column_count; i++) {
        to->columns[i].left[last] = from->columns[i].left[row];
        to->columns[i].unit[last] = from->columns[i].unit[row];
        to->columns[i].filled = last + 1;
    }
    return last;
}

struct offer_packing *offer_packing_part(struct offer_packing *packing, uint32_t *rows,
                                         size_t count)
{
    struct offer_packing *part = offer_packing_create(count);
    offer_packing_fill(packing);
    for (size_t i = 0; i < packing->column_count; i++) {
        const struct column *it = &packing->columns[i];
        struct slice name = {(const uint8_t *)it->name, it->length};
        part->columns[offer_packing_column(part, name, it->revocable)].present = it->present;
    }
    for (size_t i = 0; i < count; i++) {
        const struct packing_row *row = &packing->rows[rows[i]];
        uint32_t found = find(part, row->hash, row->id);
        rows[i] = found != OFFER_PACKING_NONE ? found : copy_row(part, packing, rows[i]);
    }
    return part;
}

// ---- searching ----

struct term {
    const double *left, *unit;
    const double *revocable, *revocable_unit; // or NULL
    double needed;
};

struct terms {
    struct term terms[OFFER_PACKING_AMOUNTS];
    size_t count;
    const uint8_t *mask;
    bool plain; // no mask, nothing revocable
};

static void read_term(const struct offer_packing *packing,
                      const struct offer_packing_amount *amount, struct term *term)
{
    const struct column *column = &packing->columns[amount->column];
    *term =
        (struct term){.left = column->left, .unit = column->unit, .needed = amount->thousandths};
    if (amount->revocable == OFFER_PACKING_NONE)
        return;
    term->revocable = packing->columns[amount->revocable].left;
    term->revocable_unit = packing->columns[amount->revocable].unit;
}

static void read_terms(const struct offer_packing *packing, const struct offer_packing_need *need,
                       struct terms *terms)
{
    terms->count = need->count;
    terms->mask = need->mask;
    terms->plain = need->mask == NULL;
    for (size_t i = 0; i < need->count; i++) {
        read_term(packing, &need->amounts[i], &terms->terms[i]);
        terms->plain = terms->plain && terms->terms[i].revocable == NULL;
    }
}

// What would be left of one resource, with its unit; below 0 if it does not fit.
static inline double left_after(const struct term *term, uint32_t row, bool plain, double *unit)
{
    if (!plain && term->revocable != NULL && term->revocable[row] >= term->needed) {
        *unit = term->revocable_unit[row];
        return term->revocable[row] - term->needed;
    }
    *unit = term->unit[row];
    return term->left[row] - term->needed;
}

// The sum of the shares; false if the row does not fit.
static inline bool shares(const struct terms *terms, size_t count, uint32_t row, bool plain,
                          double *sum)
{
    *sum = 0;
    if (!plain && terms->mask != NULL && !terms->mask[row])
        return false;
    for (size_t i = 0; i < count; i++) {
        double unit, left = left_after(&terms->terms[i], row, plain, &unit);
        if (left < 0)
            return false;
        *sum += left * unit;
    }
    return true;
}

// From search->next on, the index of the first row whose sum, times the sign, is below the score.
// Inlined with constants for the frequent needs, it is a few instructions for each row.
static inline __attribute__((always_inline)) size_t
scan(const struct terms *terms, size_t count, bool plain, struct offer_packing_search *search)
{
    const uint32_t *rows = search->rows;
    const double sign = search->sign, score = search->score;
    size_t index = search->next;
    for (; index < search->count; index++) {
        double sum;
        if (!shares(terms, count, rows[index], plain, &sum) || sum * sign >= score)
            continue;
        search->found = sum * sign;
        break;
    }
    return index;
}

static size_t scan_any(const struct terms *terms, struct offer_packing_search *search)
{
    if (terms->plain && terms->count == 1)
        return scan(terms, 1, true, search);
    if (terms->plain && terms->count == 2)
        return scan(terms, 2, true, search);
    if (terms->plain && terms->count == 3)
        return scan(terms, 3, true, search);
    return scan(terms, terms->count, false, search);
}

struct offer_packing_search offer_packing_search(const struct offer_packing_need *need,
                                                 enum offer_packing_order order,
                                                 const uint32_t *rows, size_t count)
{
    return (struct offer_packing_search){.need = need,
                                         .rows = rows,
                                         .count = count,
                                         .once = order == OFFER_PACKING_FIRST,
                                         .sign = order == OFFER_PACKING_WORST ? -1 : 1,
                                         .score = INFINITY};
}

// Only candidates are checked for being spent.
static bool next(struct offer_packing *packing, const struct terms *terms,
                 struct offer_packing_search *search, size_t *index)
{
    size_t found;
    do {
        found = scan_any(terms, search);
        search->next = found + 1;
    } while (found < search->count && offer_packing_spent(packing, search->rows[found]) != NULL);
    if (found >= search->count)
        return false;
    *index = found;
    return true;
}

bool offer_packing_next(struct offer_packing *packing, struct offer_packing_search *search,
                        size_t *index)
{
    struct terms terms;
    read_terms(packing, search->need, &terms);
    return next(packing, &terms, search, index);
}

void offer_packing_accept(struct offer_packing_search *search)
{
    search->score = search->found;
    if (search->once)
        search->next = search->count;
}

bool offer_packing_choose(struct offer_packing *packing, struct offer_packing_search *search,
                          size_t *index)
{
    struct terms terms;
    bool any = false;
    read_terms(packing, search->need, &terms);
    while (next(packing, &terms, search, index)) {
        offer_packing_accept(search);
        any = true;
    }
    return any;
}

bool offer_packing_fits(const struct offer_packing *packing, const struct offer_packing_need *need,
                        uint32_t row)
{
    struct terms terms;
    read_terms(packing, need, &terms);
    double sum;
    return shares(&terms, terms.count, row, false, &sum);
}

const struct offer_packing_amount *offer_packing_lacking(const struct offer_packing *packing,
                                                         const struct offer_packing_need *need,
                                                         uint32_t row)
{
    struct terms terms;
    read_terms(packing, need, &terms);
    for (size_t i = 0; i < need->count; i++) {
        double unit;
        if (left_after(&terms.terms[i], row, false, &unit) < 0)
            return &need->amounts[i];
    }
    return NULL;
}

const char *offer_packing_name(const struct offer_packing *packing, uint32_t column)
{
    return packing->columns[column].name;
}

// ---- taking ----

static bool take(struct offer_packing *packing, const struct offer_packing_amount *amount,
                 uint32_t row, struct buffer *out)
{
    struct column *column = &packing->columns[amount->column];
    if (amount->revocable != OFFER_PACKING_NONE &&
        packing->columns[amount->revocable].left[row] >= amount->thousandths)
        column = &packing->columns[amount->revocable];
    struct slice name = {(const uint8_t *)column->name, column->length};
    column->left[row] -= amount->thousandths;
    return offer_remainder_take(packing->rows[row].remainder, name, column->revocable,
                                amount->thousandths, out);
}

bool offer_packing_take(struct offer_packing *packing, const struct offer_packing_need *need,
                        uint32_t row, struct buffer *out)
{
    bool fine = true;
    if (packing->rows[row].remainder == NULL)
        packing->rows[row].remainder = offer_remainder_create(packing->rows[row].wire);
    for (size_t i = 0; i < need->count; i++)
        fine = take(packing, &need->amounts[i], row, out) && fine;
    return fine;
}
