// SPDX-License-Identifier: Apache-2.0
//
// The parts of a need, and what is said of the offers that lack them: see offer_explain.h.

#include "offers/offer_explain_internal.h"

#include "base/memory.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 256, WORDS_NAMED = 3 };

// ---- new reasons ----

static struct offer_reason *add(struct offer_explain *explain, enum offer_reason_kind kind,
                                struct slice name)
{
    if (explain->reason_count == OFFER_EXPLAIN_REASONS)
        return NULL;
    struct offer_reason *reason = &explain->reasons[explain->reason_count];
    *reason = (struct offer_reason){
        .kind = kind,
        .bit = UINT64_C(1) << explain->reason_count++,
        .name = memory_text((const char *)name.data, name.length),
        .example = OFFER_EXPLAIN_NONE,
    };
    return reason;
}

static void lack(struct offer_explain_row *row, const struct offer_reason *reason, double part)
{
    row->lacks |= reason->bit;
    row->missing += part;
}

double offer_explain_left(const struct offer_explain *explain, const struct offer_reason *reason,
                          size_t row)
{
    double left = offer_packing_left(explain->packing, reason->columns[0], (uint32_t)row);
    if (reason->columns[1] == OFFER_PACKING_NONE)
        return left;
    double other = offer_packing_left(explain->packing, reason->columns[1], (uint32_t)row);
    return other > left ? other : left;
}

static bool add_amount(struct offer_explain *explain, const struct offer_packing_amount *amount)
{
    const char *name = offer_packing_name(explain->packing, amount->column);
    struct offer_reason *reason = add(explain, OFFER_REASON_RESOURCE, slice_text(name));
    if (reason == NULL)
        return false;
    reason->needed = amount->thousandths;
    reason->columns[0] = amount->column;
    reason->columns[1] = amount->revocable;
    for (size_t i = 0; i < explain->row_count; i++) {
        double left = offer_explain_left(explain, reason, i);
        if (left < reason->needed)
            lack(&explain->rows[i], reason, (reason->needed - left) / reason->needed);
    }
    return true;
}

bool offer_explain_amounts(struct offer_explain *explain, const struct offer_packing_need *need)
{
    bool fine = true;
    for (size_t i = 0; i < need->count; i++)
        fine = add_amount(explain, &need->amounts[i]) && fine;
    return fine;
}

static uint8_t *new_mask(const struct offer_explain *explain)
{
    uint8_t *mask = memory_resize(NULL, explain->row_count + 1);
    memset(mask, 1, explain->row_count + 1);
    return mask;
}

static void lack_masked(struct offer_explain *explain, const struct offer_reason *reason,
                        uint8_t *mask)
{
    for (size_t i = 0; i < explain->row_count; i++)
        if (!mask[i])
            lack(&explain->rows[i], reason, 1);
    free(mask);
}

static char *quoted(struct slice text)
{
    return memory_format("'%.*s'", (int)(text.length < TEXT_MOST ? text.length : TEXT_MOST),
                         (const char *)text.data);
}

bool offer_explain_role(struct offer_explain *explain, struct slice role)
{
    struct offer_reason *reason = add(explain, OFFER_REASON_ROLE, slice_text("role"));
    if (reason == NULL)
        return false;
    uint8_t *mask = new_mask(explain);
    reason->wanted = quoted(role);
    offer_packing_mask_role(explain->packing, role, mask);
    lack_masked(explain, reason, mask);
    return true;
}

static void write_word(struct buffer *text, const struct offer_word *word)
{
    if (word->text.data != NULL)
        buffer_format(text, "'%.*s'",
                      (int)(word->text.length < TEXT_MOST ? word->text.length : TEXT_MOST),
                      (const char *)word->text.data);
    else
        buffer_format(text, "%.14g", word->number);
}

// "'a', 'b' or 3"
static char *name_words(const struct offer_word *words, size_t count)
{
    struct buffer text;
    buffer_init(&text, (WORDS_NAMED + 1) * (TEXT_MOST + 8));
    for (size_t i = 0; i < count && i < WORDS_NAMED; i++) {
        buffer_append_text(&text, i == 0 ? "" : i + 1 == count ? " or " : ", ");
        write_word(&text, &words[i]);
    }
    if (count > WORDS_NAMED)
        buffer_append_text(&text, " or another");
    char *copy = memory_string(buffer_string(&text));
    buffer_free(&text);
    return copy;
}

// True if the offers have the attribute as a text where all words are numbers, or the reverse.
static bool is_other_type(const struct offer_explain *explain, struct slice name,
                          const struct offer_word *words, size_t count)
{
    bool text = words[0].text.data != NULL;
    for (size_t i = 1; i < count; i++)
        if ((words[i].text.data != NULL) != text)
            return false;
    for (size_t i = 0; i < explain->row_count; i++) {
        int32_t type;
        if (explain->rows[i].counted &&
            offer_fields_attribute_type(explain->rows[i].wire, name, &type))
            return (type == MESOS__V1__VALUE__TYPE__TEXT || type == MESOS__V1__VALUE__TYPE__SET) !=
                   text;
    }
    return false;
}

bool offer_explain_attribute(struct offer_explain *explain, struct slice name,
                             const struct offer_word *words, size_t count)
{
    struct offer_reason *reason = add(explain, OFFER_REASON_ATTRIBUTE, name);
    if (reason == NULL)
        return false;
    uint8_t *mask = new_mask(explain);
    reason->wanted = name_words(words, count);
    reason->other_type = is_other_type(explain, name, words, count);
    offer_packing_mask_attribute(explain->packing, name, words, count, mask);
    lack_masked(explain, reason, mask);
    return true;
}

static struct offer_reason *find_or_add(struct offer_explain *explain, enum offer_reason_kind kind,
                                        const char *name)
{
    for (size_t i = 0; i < explain->reason_count; i++)
        if (explain->reasons[i].kind == kind)
            return &explain->reasons[i];
    return add(explain, kind, slice_text(name));
}

bool offer_explain_refuse(struct offer_explain *explain, size_t row)
{
    struct offer_reason *reason = find_or_add(explain, OFFER_REASON_WHERE, "where");
    if (reason != NULL)
        lack(&explain->rows[row], reason, 1);
    return reason != NULL;
}

bool offer_reasons_lost(struct offer_explain *explain)
{
    struct offer_reason *reason = NULL;
    for (size_t i = 0; i < explain->row_count; i++) {
        struct offer_explain_row *row = &explain->rows[i];
        if (!row->lost)
            continue;
        reason = find_or_add(explain, OFFER_REASON_LOST, "agent lost");
        if (reason == NULL)
            return false;
        reason->fits += row->counted && row->lacks == 0;
        row->lacks |= reason->bit;
    }
    return true;
}

// ---- what the offers have instead ----

static void see(struct offer_reason *reason, char *text)
{
    for (size_t i = 0; i < reason->seen_count; i++) {
        if (strcmp(reason->seen[i], text) == 0) {
            free(text);
            return;
        }
    }
    if (reason->seen_count < OFFER_EXPLAIN_SEEN)
        reason->seen[reason->seen_count++] = text;
    else
        free(text);
}

static void see_role(struct offer_reason *reason, const struct offer_explain_row *row)
{
    struct slice role = row->role;
    if (role.data == NULL)
        reason->absent++;
    else
        see(reason, memory_text((const char *)role.data, role.length));
}

static void see_attribute(struct offer_reason *reason, const struct offer_explain_row *row)
{
    struct buffer text;
    buffer_init(&text, TEXT_MOST);
    if (offer_fields_attribute_text(row->wire, slice_text(reason->name), &text))
        see(reason, memory_string(buffer_string(&text)));
    else
        reason->absent++;
    buffer_free(&text);
}

// What the offer has of it that does not count.
static void see_other_pieces(struct offer_reason *reason, const struct offer_explain_row *row)
{
    struct slice role = {.data = NULL}, name = slice_text(reason->name);
    double reserved = offer_fields_elsewhere(row->wire, name, &role), revocable = 0;
    if (reserved > reason->reserved) {
        free(reason->reserved_role);
        reason->reserved_role = memory_text((const char *)role.data, role.length);
        reason->reserved = reserved;
    }
    struct offer_walk walk = offer_fields_walk(row->wire);
    for (struct offer_resource resource; offer_fields_next(&walk, &resource);)
        if (resource.revocable && slice_equal(resource.name, name))
            revocable += offer_fields_amount(&resource);
    if (reason->columns[1] == OFFER_PACKING_NONE && revocable > reason->revocable)
        reason->revocable = revocable;
}

// ---- counts ----

// True if the row lacks less of it than the example; an outstanding offer goes before others.
static bool is_nearer(const struct offer_explain *explain, const struct offer_reason *reason,
                      size_t row)
{
    if (reason->example == OFFER_EXPLAIN_NONE)
        return true;
    const struct offer_explain_row *old = &explain->rows[reason->example],
                                   *it = &explain->rows[row];
    if (it->outstanding != old->outstanding)
        return it->outstanding;
    if (reason->kind == OFFER_REASON_RESOURCE)
        return offer_explain_left(explain, reason, row) >
               offer_explain_left(explain, reason, reason->example);
    return it->missing < old->missing;
}

static void count_row(struct offer_explain *explain, struct offer_reason *reason, size_t row)
{
    const struct offer_explain_row *it = &explain->rows[row];
    if (!it->counted || !(it->lacks & reason->bit) ||
        (it->lost && reason->kind != OFFER_REASON_LOST))
        return;
    if (it->outstanding)
        reason->count++;
    else
        reason->lately++;
    if (reason->kind == OFFER_REASON_RESOURCE)
        see_other_pieces(reason, it);
    else if (reason->kind == OFFER_REASON_ROLE)
        see_role(reason, it);
    else if (reason->kind == OFFER_REASON_ATTRIBUTE)
        see_attribute(reason, it);
    if (is_nearer(explain, reason, row))
        reason->example = row;
}

static void free_reason(struct offer_reason *reason)
{
    free(reason->name);
    free(reason->wanted);
    free(reason->reserved_role);
    for (size_t i = 0; i < reason->seen_count; i++)
        free(reason->seen[i]);
}

void offer_reasons_free(struct offer_explain *explain)
{
    for (size_t i = 0; i < explain->reason_count; i++)
        free_reason(&explain->reasons[i]);
    explain->reason_count = 0;
}

// The most frequent first; equals in the order of the need.
static int compare(const void *left, const void *right)
{
    const struct offer_reason *a = left, *b = right;
    size_t all = a->count + a->lately, others = b->count + b->lately;
    if (all != others)
        return all > others ? -1 : 1;
    return a->bit < b->bit ? -1 : a->bit > b->bit;
}

void offer_reasons_finish(struct offer_explain *explain)
{
    size_t kept = 0;
    for (size_t i = 0; i < explain->reason_count; i++) {
        struct offer_reason *reason = &explain->reasons[i];
        for (size_t row = 0; row < explain->row_count; row++)
            count_row(explain, reason, row);
        if (reason->example == OFFER_EXPLAIN_NONE) {
            free_reason(reason);
            continue;
        }
        if (reason->kind == OFFER_REASON_RESOURCE)
            reason->best = offer_explain_left(explain, reason, reason->example);
        explain->reasons[kept++] = *reason;
    }
    explain->reason_count = kept;
    qsort(explain->reasons, kept, sizeof *explain->reasons, compare);
}
