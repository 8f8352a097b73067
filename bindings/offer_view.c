// SPDX-License-Identifier: Apache-2.0
//
// The short cuts of an offer: see offer_view.h. All sums are made in one walk over the wire bytes,
// the first time that one of them is read; the first attribute is found once. Quantities are added
// as whole thousandths, as masters and agents do, so that 0.1 and 0.2 are 0.3.

#include "bindings/offer_view.h"

#include "bindings/message.h"
#include "bindings/view.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/wire.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Field numbers.
enum { OFFER_RESOURCES = 5, OFFER_ATTRIBUTES = 7, OFFER_ALLOCATION = 10, ALLOCATION_ROLE = 1 };
enum {
    RESOURCE_NAME = 1,
    RESOURCE_SCALAR = 3,
    RESOURCE_RANGES = 4,
    RESOURCE_ROLE = 6,
    RESOURCE_REVOCABLE = 9,
    RESOURCE_RESERVATIONS = 13,
    RESERVATION_ROLE = 3,
};
enum { RANGES_RANGE = 1, RANGE_BEGIN = 1, RANGE_END = 2, SCALAR_VALUE = 1, TEXT_VALUE = 1 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_TYPE = 2,
    ATTRIBUTE_SCALAR = 3,
    ATTRIBUTE_RANGES = 4,
    ATTRIBUTE_TEXT = 5,
    ATTRIBUTE_SET = 6,
};

// ---- which resources count ----

struct resource {
    struct slice name, scalar, ranges;
    struct slice reserved; // to this role; data is NULL if unreserved
    bool revocable;
};

// The role that the offer is allocated to; data is NULL if it names none.
static struct slice allocation_role(struct slice offer)
{
    struct slice info = wire_find(offer, OFFER_ALLOCATION);
    if (info.data == NULL)
        return info;
    struct slice role = wire_find(info, ALLOCATION_ROLE);
    return role.data != NULL ? role : slice_text("");
}

// `role` is the older form of a reservation, "*" being none; of `reservations` the last, which is
// the most refined, is the one that holds.
static inline void read_resource_field(struct resource *resource, const struct wire_field *it)
{
    switch (it->number) {
    case RESOURCE_NAME:
        resource->name = it->bytes;
        break;
    case RESOURCE_SCALAR:
        resource->scalar = it->bytes;
        break;
    case RESOURCE_RANGES:
        resource->ranges = it->bytes;
        break;
    case RESOURCE_ROLE:
        if (it->bytes.length != 1 || *it->bytes.data != '*')
            resource->reserved = it->bytes;
        break;
    case RESOURCE_REVOCABLE:
        resource->revocable = true;
        break;
    case RESOURCE_RESERVATIONS:
        resource->reserved = wire_find(it->bytes, RESERVATION_ROLE);
        if (resource->reserved.data == NULL)
            resource->reserved = slice_text("");
    }
}

static inline void read_resource(struct slice message, struct resource *resource)
{
    *resource = (struct resource){.revocable = false};
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);)
        read_resource_field(resource, &it);
}

static bool counts(const struct resource *resource, struct slice offer)
{
    if (resource->revocable)
        return false;
    if (resource->reserved.data == NULL)
        return true;
    struct slice role = allocation_role(offer);
    return role.data == NULL || slice_equal(resource->reserved, role);
}

// ---- the sums ----

enum { CPUS, MEM, DISK, GPUS, SUMS };

struct sums {
    bool known;
    uint32_t attributes;      // offset of the first attribute, plus one; 0: not looked for
    bool regular;             // all attributes begin with their only name
    double thousandths[SUMS]; // whole numbers
};

static const char sum_names[SUMS][5] = {"cpus", "mem", "disk", "gpus"};

static double scalar_value(struct slice scalar)
{
    double value = 0;
    if (scalar.length == 1 + sizeof value && scalar.data[0] == (SCALAR_VALUE << 3 | WIRE_FIXED64)) {
        uint64_t bits;
        memcpy(&bits, scalar.data + 1, sizeof bits);
        bits = le64toh(bits);
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    struct wire wire = wire_open(scalar);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number == SCALAR_VALUE && it.type == WIRE_FIXED64)
            memcpy(&value, &it.value, sizeof value);
    }
    return value;
}

// Which of the sums a resource of that name adds to; SUMS for none.
static int sum_of(struct slice name)
{
    if (name.length != 3 && name.length != 4)
        return SUMS;
    int i = 0;
    while (i < SUMS &&
           (memcmp(name.data, sum_names[i], name.length) != 0 || sum_names[i][name.length] != 0))
        i++;
    return i;
}

static void sum_up(struct sums *sums, struct slice offer)
{
    struct wire wire = wire_open(offer);
    for (struct slice message; wire_seek(&wire, OFFER_RESOURCES, &message);) {
        struct resource resource;
        read_resource(message, &resource);
        int which = sum_of(resource.name);
        if (which < SUMS && counts(&resource, offer))
            sums->thousandths[which] += round(scalar_value(resource.scalar) * 1000);
    }
    sums->known = true;
}

static void push_sum(lua_State *L, struct slice offer, struct sums *sums, int which)
{
    if (!sums->known)
        sum_up(sums, offer);
    lua_pushnumber(L, sums->thousandths[which] / 1000);
}

static void get_cpus(lua_State *L, struct slice offer, void *sums)
{
    push_sum(L, offer, sums, CPUS);
}

static void get_mem(lua_State *L, struct slice offer, void *sums)
{
    push_sum(L, offer, sums, MEM);
}

static void get_disk(lua_State *L, struct slice offer, void *sums)
{
    push_sum(L, offer, sums, DISK);
}

static void get_gpus(lua_State *L, struct slice offer, void *sums)
{
    push_sum(L, offer, sums, GPUS);
}

// ---- the ports ----

struct range {
    uint64_t first, last;
};

// False if it has no begin or no end, or they are the wrong way round.
static bool read_range(struct slice message, struct range *range)
{
    uint64_t values[RANGE_END + 1] = {0};
    unsigned found = 0;
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number > RANGE_END || it.type != WIRE_VARINT)
            continue;
        values[it.number] = it.value;
        found |= it.number;
    }
    *range = (struct range){.first = values[RANGE_BEGIN], .last = values[RANGE_END]};
    return found == (RANGE_BEGIN | RANGE_END) && range->first <= range->last;
}

// The first `most` go into `ranges`; returns how many there are.
static size_t read_ranges(struct slice message, struct range *ranges, size_t most)
{
    size_t count = 0;
    struct wire wire = wire_open(message);
    for (struct slice bytes; wire_seek(&wire, RANGES_RANGE, &bytes);) {
        struct range range;
        if (!read_range(bytes, &range))
            continue;
        if (count < most)
            ranges[count] = range;
        count++;
    }
    return count;
}

// The same for all ports of an offer that count.
static size_t read_ports(struct slice offer, struct range *ranges, size_t most)
{
    size_t count = 0;
    struct wire wire = wire_open(offer);
    for (struct slice message; wire_seek(&wire, OFFER_RESOURCES, &message);) {
        struct resource resource;
        read_resource(message, &resource);
        if (slice_equal(resource.name, slice_text("ports")) && counts(&resource, offer))
            count += count < most ? read_ranges(resource.ranges, ranges + count, most - count)
                                  : read_ranges(resource.ranges, NULL, 0);
    }
    return count;
}

static bool are_sorted(const struct range *ranges, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (ranges[i].first < ranges[i - 1].first)
            return false;
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    uint64_t left = ((const struct range *)a)->first, right = ((const struct range *)b)->first;
    return left < right ? -1 : left > right;
}

// Joins sorted ranges that overlap or touch; returns how many are left.
static size_t join(struct range *ranges, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct range *last = kept ? &ranges[kept - 1] : NULL;
        if (last == NULL || (ranges[i].first > last->last && ranges[i].first - last->last > 1))
            ranges[kept++] = ranges[i];
        else if (ranges[i].last > last->last)
            last->last = ranges[i].last;
    }
    return kept;
}

static void push_ranges(lua_State *L, const struct range *ranges, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, (lua_Integer)ranges[i].first);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, (lua_Integer)ranges[i].last);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void get_ports(lua_State *L, struct slice offer, void *sums)
{
    static const char key;
    enum { FEW = 16 };
    struct range few[FEW], *ranges = few;
    (void)sums;
    if (view_kept(L, &key))
        return;
    size_t count = read_ports(offer, few, FEW);
    if (count > FEW) {
        ranges = lua_newuserdatauv(L, count * sizeof *ranges, 0);
        read_ports(offer, ranges, count);
    } else {
        lua_pushnil(L);
    }
    if (!are_sorted(ranges, count))
        qsort(ranges, count, sizeof *ranges, compare_ranges);
    push_ranges(L, ranges, join(ranges, count));
    lua_replace(L, -3);
    lua_pop(L, 1);
    view_keep(L, &key);
}

// ---- the attributes ----

// The values of an attribute by the type that they have.
enum { TYPES = MESOS__V1__VALUE__TYPE__TEXT + 1 };

static const uint32_t value_numbers[TYPES] = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = ATTRIBUTE_SCALAR,
    [MESOS__V1__VALUE__TYPE__RANGES] = ATTRIBUTE_RANGES,
    [MESOS__V1__VALUE__TYPE__SET] = ATTRIBUTE_SET,
    [MESOS__V1__VALUE__TYPE__TEXT] = ATTRIBUTE_TEXT,
};

// Does it begin with its name, of fewer than 128 bytes, and is that its only one?
static bool is_regular(struct slice message)
{
    size_t names = 0;
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);)
        names += it.number == ATTRIBUTE_NAME;
    return names == 1 && message.data[0] == (ATTRIBUTE_NAME << 3 | WIRE_BYTES) &&
           message.data[1] < 0x80;
}

static void look_at_attributes(struct slice offer, struct sums *sums)
{
    struct wire wire = wire_open(offer);
    const uint8_t *at = wire.at, *first = NULL;
    sums->regular = true;
    for (struct wire_field it; wire_next(&wire, &it); at = wire.at) {
        if (it.number != OFFER_ATTRIBUTES)
            continue;
        sums->regular = sums->regular && is_regular(it.bytes);
        first = first != NULL ? first : at;
    }
    sums->attributes = (uint32_t)((first != NULL ? first : at) - offer.data) + 1;
}

// The rest of the offer from its first attribute on.
static struct slice attributes_of(struct slice offer, struct sums *sums)
{
    if (sums->attributes == 0)
        look_at_attributes(offer, sums);
    size_t offset = sums->attributes - 1;
    return (struct slice){.data = offer.data + offset, .length = offer.length - offset};
}

static inline bool is_named(struct slice attribute, struct slice name, bool regular)
{
    if (regular)
        return attribute.data[1] == name.length &&
               (name.length == 0 || (attribute.data[2] == name.data[0] &&
                                     memcmp(attribute.data + 2, name.data, name.length) == 0));
    return slice_equal(wire_find(attribute, ATTRIBUTE_NAME), name);
}

// The first attribute of that name; data is NULL if there is none.
static struct slice find_attribute(struct slice offer, struct sums *sums, struct slice name)
{
    struct wire wire = wire_open(attributes_of(offer, sums));
    bool regular = sums->regular;
    for (struct slice attribute; wire_seek(&wire, OFFER_ATTRIBUTES, &attribute);) {
        if (is_named(attribute, name, regular))
            return attribute;
    }
    return (struct slice){.data = NULL};
}

static void push_scalar(lua_State *L, struct slice scalar)
{
    lua_pushnumber(L, scalar_value(scalar));
}

static void push_text(lua_State *L, struct slice text)
{
    struct slice value = {.data = NULL};
    struct wire wire = wire_open(text);
    for (struct wire_field it; wire_next(&wire, &it);)
        if (it.number == TEXT_VALUE)
            value = it.bytes;
    lua_pushlstring(L, (const char *)value.data, value.length);
}

static void push_range_messages(lua_State *L, struct slice ranges)
{
    message_push(L, &mesos__v1__value__ranges__descriptor, ranges);
    lua_getfield(L, -1, "range");
    lua_replace(L, -2);
}

static void push_items(lua_State *L, struct slice set)
{
    message_push(L, &mesos__v1__value__set__descriptor, set);
    lua_getfield(L, -1, "item");
    lua_replace(L, -2);
}

static void (*const pushers[TYPES])(lua_State *L, struct slice value) = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = push_scalar,
    [MESOS__V1__VALUE__TYPE__RANGES] = push_range_messages,
    [MESOS__V1__VALUE__TYPE__SET] = push_items,
    [MESOS__V1__VALUE__TYPE__TEXT] = push_text,
};

static void push_attribute(lua_State *L, struct slice attribute)
{
    int32_t type = -1;
    struct slice value = {.data = NULL};
    if (wire_find_enum(attribute, ATTRIBUTE_TYPE, &type) && type >= 0 && type < TYPES)
        value = wire_find(attribute, value_numbers[type]);
    if (value.data != NULL)
        pushers[type](L, value);
    else
        lua_pushnil(L);
}

// offer:attribute(name): the value of the first attribute of that name, or nil.
static int l_attribute(lua_State *L)
{
    struct slice offer, name;
    struct sums *sums = view_extra(L, 1, &mesos__v1__offer__descriptor, &offer);
    name.data = (const uint8_t *)luaL_checklstring(L, 2, &name.length);
    struct slice attribute = find_attribute(offer, sums, name);
    if (attribute.data != NULL)
        push_attribute(L, attribute);
    else
        lua_pushnil(L);
    return 1;
}

void offer_view_open(lua_State *L)
{
    static const struct view_member members[] = {
        {.name = "cpus", .getter = get_cpus},
        {.name = "mem", .getter = get_mem},
        {.name = "disk", .getter = get_disk},
        {.name = "gpus", .getter = get_gpus},
        {.name = "ports", .getter = get_ports},
        {.name = "attribute", .method = l_attribute},
        {.name = NULL},
    };
    view_define(L, &mesos__v1__offer__descriptor, members, sizeof(struct sums));
}
