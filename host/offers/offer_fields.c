// SPDX-License-Identifier: Apache-2.0
//
// The content of an offer: see offer_fields.h. The bytes were validated when they arrived.

#include "offers/offer_fields.h"
#include "wire/field_numbers.h"

#include "mesos/v1/mesos.pb-c.h"

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AMOUNT_MOST 1e12
#define VALUES_MOST 4294967296.0 // of ranges; a whole number of thousandths of it is exact

// ---- resources ----

struct slice offer_fields_id(struct slice offer)
{
    return wire_text(wire_find(offer, FIELD_OFFER_ID));
}

struct slice offer_fields_role(struct slice offer)
{
    struct slice info = wire_find(offer, FIELD_OFFER_ALLOCATION_INFO);
    if (info.data == NULL)
        return info;
    struct slice role = wire_find(info, FIELD_RESOURCE_ALLOCATION_INFO_ROLE);
    return role.data != NULL ? role : slice_text("");
}

// What one walk over a Resource finds.
struct found {
    struct offer_resource *resource;
    struct slice role;        // the older form of a reservation; data is NULL if there is none
    struct slice reservation; // the role of the other form; likewise
};

static bool is_whole(struct slice disk)
{
    return wire_find(disk, FIELD_RESOURCE_DISK_INFO_PERSISTENCE).data != NULL ||
           wire_find(disk, FIELD_RESOURCE_DISK_INFO_SOURCE).data != NULL;
}

static struct slice reservation_role(struct slice reservation)
{
    struct slice role = wire_find(reservation, FIELD_RESOURCE_RESERVATION_INFO_ROLE);
    return role.data != NULL ? role : slice_text("");
}

// The role "*" is none; of `reservations` the last, which is the most refined, is the one that
// holds.
static inline void note(struct found *found, const struct wire_field *it)
{
    switch (it->number) {
    case FIELD_RESOURCE_NAME:
        found->resource->name = it->bytes;
        break;
    case FIELD_RESOURCE_SCALAR:
        found->resource->scalar = it->bytes;
        break;
    case FIELD_RESOURCE_RANGES:
        found->resource->ranges = it->bytes;
        break;
    case FIELD_RESOURCE_ROLE:
        found->role = it->bytes;
        if (it->bytes.length == 1 && *it->bytes.data == '*')
            found->role.data = NULL;
        break;
    case FIELD_RESOURCE_DISK:
        found->resource->whole = is_whole(it->bytes);
        break;
    case FIELD_RESOURCE_REVOCABLE:
        found->resource->revocable = true;
        break;
    case FIELD_RESOURCE_RESERVATIONS:
        found->reservation = reservation_role(it->bytes);
    }
}

static bool is_ours(struct slice role, struct slice offer)
{
    struct slice ours = offer_fields_role(offer);
    return ours.data == NULL || slice_equal(role, ours);
}

#define TAG(number, type) ((number) << 3 | (type))

// A text, or a message, of fewer than 128 bytes, with that tag. NULL if there is something else.
static inline const uint8_t *read_part(const uint8_t *at, const uint8_t *end, uint8_t tag,
                                       struct slice *part)
{
    if (end - at < 2 || at[0] != tag || at[1] >= 0x80 || at[1] > end - at - 2)
        return NULL;
    *part = (struct slice){.data = at + 2, .length = at[1]};
    return at + 2 + at[1];
}

// True if nothing follows but the role "*" and what it is allocated to, which say nothing.
static inline bool is_free(const uint8_t *at, const uint8_t *end)
{
    struct slice part;
    while (at != NULL && at != end) {
        bool role = *at == TAG(FIELD_RESOURCE_ROLE, WIRE_BYTES);
        uint8_t tag = role ? *at : TAG(FIELD_RESOURCE_ALLOCATION_INFO, WIRE_BYTES);
        at = read_part(at, end, tag, &part);
        if (at != NULL && role && (part.length != 1 || *part.data != '*'))
            return false;
    }
    return at != NULL;
}

// The quick way for most resources: a name, a type and an amount in the order of their numbers, of
// a resource that anyone may use. False: it has to be read field by field.
static inline bool read_plain(struct slice message, struct offer_resource *resource)
{
    const uint8_t *at = message.data, *end = at + message.length;
    struct slice name, amount;
    at = read_part(at, end, TAG(FIELD_RESOURCE_NAME, WIRE_BYTES), &name);
    if (at == NULL || end - at < 4 || at[0] != TAG(FIELD_RESOURCE_TYPE, WIRE_VARINT) ||
        at[1] >= 0x80)
        return false;
    at += 2;
    bool scalar = *at == TAG(FIELD_RESOURCE_SCALAR, WIRE_BYTES);
    at = read_part(at, end, scalar ? *at : TAG(FIELD_RESOURCE_RANGES, WIRE_BYTES), &amount);
    if (at == NULL || !is_free(at, end))
        return false;
    *resource = (struct offer_resource){.wire = message, .name = name};
    *(scalar ? &resource->scalar : &resource->ranges) = amount;
    return true;
}

// Returns the role that it is reserved to; data NULL: none.
static inline struct slice read_resource(struct slice message, struct offer_resource *resource)
{
    struct found found = {.resource = resource};
    struct wire wire = wire_open(message);
    *resource = (struct offer_resource){.wire = message};
    for (struct wire_field it; wire_next(&wire, &it);)
        note(&found, &it);
    struct slice role = found.reservation.data != NULL ? found.reservation : found.role;
    resource->reserved = role.data != NULL;
    return role;
}

bool offer_fields_next(struct offer_walk *walk, struct offer_resource *resource)
{
    for (struct slice message; wire_seek(&walk->wire, FIELD_OFFER_RESOURCES, &message);) {
        if (read_plain(message, resource))
            return true;
        struct slice role = read_resource(message, resource);
        if (role.data == NULL || is_ours(role, walk->offer))
            return true;
    }
    return false;
}

double offer_fields_elsewhere(struct slice offer, struct slice name, struct slice *role)
{
    double sum = 0;
    struct wire wire = wire_open(offer);
    for (struct slice message; wire_seek(&wire, FIELD_OFFER_RESOURCES, &message);) {
        struct offer_resource resource;
        struct slice reserved = read_resource(message, &resource);
        if (reserved.data == NULL || is_ours(reserved, offer) || resource.whole ||
            !slice_equal(resource.name, name))
            continue;
        sum += offer_fields_amount(&resource);
        *role = reserved;
    }
    return sum;
}

struct offer_walk offer_fields_walk(struct slice offer)
{
    return (struct offer_walk){.offer = offer, .wire = wire_open(offer)};
}

// ---- amounts ----

double offer_fields_scalar(struct slice scalar)
{
    double value = 0;
    uint64_t bits;
    if (scalar.length == 9 && scalar.data[0] == (FIELD_VALUE_SCALAR_VALUE << 3 | WIRE_FIXED64)) {
        memcpy(&bits, scalar.data + 1, sizeof bits);
        bits = le64toh(bits);
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    struct wire wire = wire_open(scalar);
    for (struct wire_field it; wire_next(&wire, &it);)
        if (it.number == FIELD_VALUE_SCALAR_VALUE && it.type == WIRE_FIXED64)
            memcpy(&value, &it.value, sizeof value);
    return value;
}

// A field of that tag with a number of up to three bytes, as those of ports are; NULL if there is
// something else.
static inline const uint8_t *read_short(const uint8_t *at, const uint8_t *end, uint8_t tag,
                                        uint64_t *value)
{
    if (at == NULL || end - at < 2 || *at++ != tag)
        return NULL;
    *value = 0;
    for (unsigned shift = 0; shift < 21 && at < end; shift += 7) {
        *value |= (uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80)
            return at;
    }
    return NULL;
}

// Begin and end, and nothing else.
static inline bool read_short_range(struct slice message, struct offer_range *range)
{
    const uint8_t *at = message.data, *end = at + message.length;
    at = read_short(at, end, FIELD_VALUE_RANGE_BEGIN << 3 | WIRE_VARINT, &range->first);
    at = read_short(at, end, FIELD_VALUE_RANGE_END << 3 | WIRE_VARINT, &range->last);
    return at != NULL && at == end && range->first <= range->last;
}

// False if it has no begin or no end, or they are the wrong way round.
static bool read_range(struct slice message, struct offer_range *range)
{
    uint64_t values[FIELD_VALUE_RANGE_END + 1] = {0};
    unsigned found = 0;
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number > FIELD_VALUE_RANGE_END || it.type != WIRE_VARINT)
            continue;
        values[it.number] = it.value;
        found |= it.number;
    }
    *range = (struct offer_range){.first = values[FIELD_VALUE_RANGE_BEGIN],
                                  .last = values[FIELD_VALUE_RANGE_END]};
    return found == (FIELD_VALUE_RANGE_BEGIN | FIELD_VALUE_RANGE_END) &&
           range->first <= range->last;
}

bool offer_fields_next_range(struct wire *ranges, struct offer_range *range)
{
    for (struct slice message; wire_seek(ranges, FIELD_VALUE_RANGES_RANGE, &message);)
        if (read_short_range(message, range) || read_range(message, range))
            return true;
    return false;
}

static int compare_ranges(const void *a, const void *b)
{
    uint64_t left = ((const struct offer_range *)a)->first;
    uint64_t right = ((const struct offer_range *)b)->first;
    return left < right ? -1 : left > right;
}

void offer_fields_sort_ranges(struct offer_range *ranges, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (ranges[i].first < ranges[i - 1].first) {
            qsort(ranges, count, sizeof *ranges, compare_ranges);
            return;
        }
    }
}

static double count_values(struct slice ranges)
{
    double count = 0;
    struct wire wire = wire_open(ranges);
    for (struct offer_range range; offer_fields_next_range(&wire, &range);)
        count += (double)(range.last - range.first) + 1;
    return count < VALUES_MOST ? count : VALUES_MOST;
}

// A master sends no amounts that are none.
static double whole_thousandths(double value)
{
    return value > 0 && value < AMOUNT_MOST ? round(value * 1000) : 0;
}

double offer_fields_amount(const struct offer_resource *resource)
{
    if (resource->ranges.data != NULL)
        return count_values(resource->ranges) * 1000;
    return resource->scalar.data != NULL ? whole_thousandths(offer_fields_scalar(resource->scalar))
                                         : 0;
}

// ---- attributes ----

static bool is_text(struct slice text, const struct offer_word *word)
{
    return word->text.data != NULL &&
           slice_equal(wire_find(text, FIELD_VALUE_TEXT_VALUE), word->text);
}

static bool is_scalar(struct slice scalar, const struct offer_word *word)
{
    return word->text.data == NULL &&
           round(offer_fields_scalar(scalar) * 1000) == round(word->number * 1000);
}

static bool has_value(struct slice ranges, const struct offer_word *word)
{
    if (word->text.data != NULL)
        return false;
    struct wire wire = wire_open(ranges);
    for (struct offer_range range; offer_fields_next_range(&wire, &range);)
        if (word->number >= (double)range.first && word->number <= (double)range.last)
            return true;
    return false;
}

static bool has_item(struct slice set, const struct offer_word *word)
{
    for (struct slice item;
         word->text.data != NULL && wire_next_bytes(&set, FIELD_VALUE_SET_ITEM, &item);)
        if (slice_equal(item, word->text))
            return true;
    return false;
}

static bool (*const equal[ATTRIBUTE_TYPES])(struct slice value, const struct offer_word *word) = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = is_scalar,
    [MESOS__V1__VALUE__TYPE__RANGES] = has_value,
    [MESOS__V1__VALUE__TYPE__SET] = has_item,
    [MESOS__V1__VALUE__TYPE__TEXT] = is_text,
};

struct slice offer_fields_attribute_value(struct slice attribute, int32_t *type)
{
    static const uint32_t numbers[ATTRIBUTE_TYPES] = {
        [MESOS__V1__VALUE__TYPE__SCALAR] = FIELD_ATTRIBUTE_SCALAR,
        [MESOS__V1__VALUE__TYPE__RANGES] = FIELD_ATTRIBUTE_RANGES,
        [MESOS__V1__VALUE__TYPE__SET] = FIELD_ATTRIBUTE_SET,
        [MESOS__V1__VALUE__TYPE__TEXT] = FIELD_ATTRIBUTE_TEXT,
    };
    bool known = wire_find_enum(attribute, FIELD_ATTRIBUTE_TYPE, type) && *type >= 0 &&
                 *type < ATTRIBUTE_TYPES;
    return known ? wire_find(attribute, numbers[*type]) : (struct slice){.data = NULL};
}

// The first attribute of that name, or data NULL.
static struct slice find_attribute(struct slice offer, struct slice name)
{
    struct slice attribute;
    while (wire_next_bytes(&offer, FIELD_OFFER_ATTRIBUTES, &attribute))
        if (slice_equal(wire_find(attribute, FIELD_ATTRIBUTE_NAME), name))
            return attribute;
    return (struct slice){.data = NULL};
}

bool offer_fields_attribute_type(struct slice offer, struct slice name, int32_t *type)
{
    struct slice attribute = find_attribute(offer, name);
    return attribute.data != NULL && offer_fields_attribute_value(attribute, type).data != NULL;
}

bool offer_fields_has_attribute(struct slice offer, struct slice name,
                                const struct offer_word *word)
{
    int32_t type;
    struct slice attribute = find_attribute(offer, name);
    struct slice value = offer_fields_attribute_value(attribute, &type);
    return value.data != NULL && equal[type](value, word);
}

static void write_ranges(struct buffer *text, struct slice ranges)
{
    const char *comma = "";
    struct wire wire = wire_open(ranges);
    for (struct offer_range range; offer_fields_next_range(&wire, &range); comma = ",")
        buffer_format(text, "%s%" PRIu64 "-%" PRIu64, comma, range.first, range.last);
}

static void write_set(struct buffer *text, struct slice set)
{
    const char *comma = "";
    for (struct slice item; wire_next_bytes(&set, FIELD_VALUE_SET_ITEM, &item); comma = ",")
        buffer_format(text, "%s%.*s", comma, SLICE_ARGS(item));
}

bool offer_fields_attribute_text(struct slice offer, struct slice name, struct buffer *text)
{
    int32_t type;
    struct slice value = offer_fields_attribute_value(find_attribute(offer, name), &type);
    if (value.data == NULL)
        return false;
    if (type == MESOS__V1__VALUE__TYPE__SCALAR)
        buffer_format(text, "%.14g", offer_fields_scalar(value));
    else if (type == MESOS__V1__VALUE__TYPE__TEXT)
        buffer_append_slice(text, wire_find(value, FIELD_VALUE_TEXT_VALUE));
    else if (type == MESOS__V1__VALUE__TYPE__SET)
        write_set(text, value);
    else
        write_ranges(text, value);
    return true;
}
