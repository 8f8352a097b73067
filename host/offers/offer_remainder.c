// SPDX-License-Identifier: Apache-2.0
//
// What is left of an offer: see offer_remainder.h.

#include "offers/offer_remainder.h"

#include "base/memory.h"
#include "offers/offer_fields.h"
#include "wire/field_numbers.h"

#include <stdlib.h>
#include <string.h>

struct piece {
    struct offer_resource resource;
    double left;                // thousandths
    struct offer_range *ranges; // what is left of them, ascending; NULL: a scalar
    size_t count;
};

struct offer_remainder {
    struct piece *pieces;
    size_t count;
};

// ---- pieces ----

static void read_ranges(struct piece *piece)
{
    struct wire ranges = wire_open(piece->resource.ranges);
    for (struct offer_range range; offer_fields_next_range(&ranges, &range); piece->count++) {
        piece->ranges = memory_resize(piece->ranges, (piece->count + 1) * sizeof range);
        piece->ranges[piece->count] = range;
    }
    offer_fields_sort_ranges(piece->ranges, piece->count);
}

static void add_piece(struct offer_remainder *remainder, const struct offer_resource *resource)
{
    remainder->pieces =
        memory_resize(remainder->pieces, (remainder->count + 1) * sizeof *remainder->pieces);
    struct piece *piece = &remainder->pieces[remainder->count++];
    *piece = (struct piece){.resource = *resource, .left = offer_fields_amount(resource)};
    if (resource->ranges.data != NULL)
        read_ranges(piece);
}

struct offer_remainder *offer_remainder_create(struct slice offer)
{
    struct offer_remainder *remainder = memory_new(sizeof *remainder);
    struct offer_walk walk = offer_fields_walk(offer);
    for (struct offer_resource resource; offer_fields_next(&walk, &resource);)
        if (!resource.whole)
            add_piece(remainder, &resource);
    return remainder;
}

static void *copy_of(const void *data, size_t size)
{
    return size > 0 ? memcpy(memory_new(size), data, size) : NULL;
}

struct offer_remainder *offer_remainder_copy(const struct offer_remainder *remainder)
{
    if (remainder == NULL)
        return NULL;
    struct offer_remainder *copy = copy_of(remainder, sizeof *remainder);
    copy->pieces = copy_of(remainder->pieces, remainder->count * sizeof *remainder->pieces);
    for (size_t i = 0; i < copy->count; i++) {
        struct piece *piece = &copy->pieces[i];
        piece->ranges = copy_of(piece->ranges, piece->count * sizeof *piece->ranges);
    }
    return copy;
}

void offer_remainder_destroy(struct offer_remainder *remainder)
{
    if (remainder == NULL)
        return;
    for (size_t i = 0; i < remainder->count; i++)
        free(remainder->pieces[i].ranges);
    free(remainder->pieces);
    free(remainder);
}

// ---- taking ----

// The fields of the resource as they came, but for its value.
static bool put_head(const struct piece *piece, struct buffer *out)
{
    struct wire wire = wire_open(piece->resource.wire);
    const uint8_t *from = wire.at;
    bool fine = true;
    for (struct wire_field it; wire_next(&wire, &it); from = wire.at)
        if (it.number != FIELD_RESOURCE_SCALAR && it.number != FIELD_RESOURCE_RANGES)
            fine = fine && buffer_append(out, from, (size_t)(wire.at - from));
    return fine;
}

static bool put_scalar(double thousandths, struct buffer *out)
{
    size_t mark = wire_begin(out, FIELD_RESOURCE_SCALAR);
    return wire_put_double(out, FIELD_VALUE_SCALAR_VALUE, thousandths / 1000) &&
           wire_end(out, mark);
}

static bool put_range(const struct offer_range *range, struct buffer *out)
{
    size_t mark = wire_begin(out, FIELD_VALUE_RANGES_RANGE);
    return wire_put_varint(out, FIELD_VALUE_RANGE_BEGIN, range->first) &&
           wire_put_varint(out, FIELD_VALUE_RANGE_END, range->last) && wire_end(out, mark);
}

// So many values off the front of the first range.
static struct offer_range cut_range(struct piece *piece, uint64_t values)
{
    struct offer_range *first = piece->ranges, cut = *first;
    if (cut.last - cut.first < values) {
        piece->count--;
        memmove(first, first + 1, piece->count * sizeof *first);
        return cut;
    }
    cut.last = cut.first + values - 1;
    first->first = cut.last + 1;
    return cut;
}

static bool put_ranges(struct piece *piece, double thousandths, struct buffer *out)
{
    bool fine = true;
    uint64_t values = (uint64_t)(thousandths / 1000);
    size_t mark = wire_begin(out, FIELD_RESOURCE_RANGES);
    while (values > 0 && piece->count > 0) {
        struct offer_range cut = cut_range(piece, values);
        values -= cut.last - cut.first + 1;
        fine = put_range(&cut, out) && fine;
    }
    return fine && wire_end(out, mark);
}

static bool take(struct piece *piece, double thousandths, struct buffer *out)
{
    size_t mark = wire_begin(out, WIRE_LIST);
    piece->left -= thousandths;
    return put_head(piece, out) &&
           (piece->resource.ranges.data != NULL ? put_ranges(piece, thousandths, out)
                                                : put_scalar(thousandths, out)) &&
           wire_end(out, mark);
}

bool offer_remainder_take(struct offer_remainder *remainder, struct slice name, bool revocable,
                          double thousandths, struct buffer *out)
{
    bool fine = true;
    for (size_t i = 0; i < 2 * remainder->count && thousandths > 0 && fine; i++) {
        struct piece *piece = &remainder->pieces[i % remainder->count];
        const struct offer_resource *it = &piece->resource;
        if (it->reserved != (i < remainder->count) || it->revocable != revocable ||
            piece->left <= 0 || !slice_equal(it->name, name))
            continue;
        double part = piece->left < thousandths ? piece->left : thousandths;
        thousandths -= part;
        fine = take(piece, part, out);
    }
    return fine;
}
