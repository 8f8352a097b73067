// SPDX-License-Identifier: Apache-2.0
//
// The short cuts of an offer: see offer_view.h. All sums are made in one walk over the wire bytes,
// the first time that one of them is read; the first attribute is found once. Quantities are added
// as whole thousandths, as masters and agents do, so 0.1 and 0.2 are 0.3.

#include "bindings/offers/offer_view.h"

#include "bindings/message/message_decode.h"
#include "bindings/message/view.h"
#include "offers/offer_fields.h"
#include "wire/field_numbers.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Field numbers.

// ---- the sums ----

enum { CPUS, MEM, DISK, GPUS, SUMS };
enum { OFFSET_MOST = INT32_MAX }; // no record is nearly as large

struct sums {
    uint32_t packed[SUMS];    // see pack()
    uint32_t attributes : 31; // offset of the first attribute, plus one; 0: not looked for
    bool regular : 1;         // all attributes begin with their only name
    uint32_t ports : 31;      // offset from which on ports are, if the sums are known
    bool known : 1;
};

static inline uint32_t four(const void *text)
{
    uint32_t four;
    memcpy(&four, text, sizeof four);
    return four;
}

// Which of the sums a resource of that name adds to; SUMS for none.
static inline int sum_of(struct slice name)
{
    if (name.length == 3)
        return memcmp(name.data, "mem", 3) == 0 ? MEM : SUMS;
    if (name.length != 4)
        return SUMS;
    uint32_t text = four(name.data);
    return text == four("cpus")   ? CPUS
           : text == four("disk") ? DISK
           : text == four("gpus") ? GPUS
                                  : SUMS;
}

static bool is_ports(const struct offer_resource *resource)
{
    return !resource->revocable && slice_equal(resource->name, slice_text("ports"));
}

static uint32_t offset_in(struct slice offer, const uint8_t *at)
{
    return (uint32_t)(at - offer.data);
}

// A list of offers may have tens of thousands, so a sum has four bytes: whole units, or thousandths
// with the highest bit set. What does not fit is UNPACKED, and summed up each time.
enum { PACKED_MOST = INT32_MAX - 1 };
#define PACKED_THOUSANDTHS (UINT32_C(1) << 31)
#define UNPACKED UINT32_MAX

static uint32_t pack(double thousandths)
{
    if (thousandths >= 0 && thousandths <= PACKED_MOST)
        return (uint32_t)thousandths | PACKED_THOUSANDTHS;
    double units = thousandths / 1000;
    return units >= 0 && units <= PACKED_MOST && units == floor(units) ? (uint32_t)units : UNPACKED;
}

static double unpack(uint32_t packed)
{
    return packed & PACKED_THOUSANDTHS ? (packed & ~PACKED_THOUSANDTHS) / 1000.0 : packed;
}

// Offers of an event lie one behind the other, and most policies look at one after the other: so
// the beginning of the next one, with its ids and resources, comes from memory in the meantime.
static inline void fetch_next(struct slice offer)
{
    enum { LINE = 64, LINES = 5 };
    for (int i = 0; i < LINES; i++)
        __builtin_prefetch(offer.data + offer.length + LINE * i);
}

// Returns the offset from which on ports are.
static uint32_t sum_up(struct slice offer, double thousandths[SUMS])
{
    struct offer_walk walk = offer_fields_walk(offer);
    const uint8_t *at = walk.wire.at, *ports = NULL;
    fetch_next(offer);
    for (struct offer_resource resource; offer_fields_next(&walk, &resource); at = walk.wire.at) {
        int which = resource.revocable ? SUMS : sum_of(resource.name);
        if (which < SUMS)
            thousandths[which] += round(offer_fields_scalar(resource.scalar) * 1000);
        else if (ports == NULL && is_ports(&resource))
            ports = at;
    }
    return offset_in(offer, ports != NULL ? ports : at) & OFFSET_MOST;
}

static void push_sum(lua_State *L, struct slice offer, struct sums *sums, int which)
{
    double thousandths[SUMS] = {0};
    if (sums->known && sums->packed[which] != UNPACKED) {
        lua_pushnumber(L, unpack(sums->packed[which]));
        return;
    }
    sums->ports = sum_up(offer, thousandths) & OFFSET_MOST;
    for (int i = 0; i < SUMS; i++)
        sums->packed[i] = pack(thousandths[i]);
    sums->known = true;
    lua_pushnumber(L, thousandths[which] / 1000);
}

static void get_cpus(lua_State *L, const struct view_member *self, struct slice offer, void *sums)
{
    (void)self;
    push_sum(L, offer, sums, CPUS);
}

static void get_mem(lua_State *L, const struct view_member *self, struct slice offer, void *sums)
{
    (void)self;
    push_sum(L, offer, sums, MEM);
}

static void get_disk(lua_State *L, const struct view_member *self, struct slice offer, void *sums)
{
    (void)self;
    push_sum(L, offer, sums, DISK);
}

static void get_gpus(lua_State *L, const struct view_member *self, struct slice offer, void *sums)
{
    (void)self;
    push_sum(L, offer, sums, GPUS);
}

// ---- the ports ----

// The first `most` of all that count go into `ranges`; returns how many there are.
static size_t read_ports(struct slice offer, const struct sums *sums, struct offer_range *ranges,
                         size_t most)
{
    size_t count = 0;
    struct offer_walk walk = offer_fields_walk(offer);
    if (sums->known)
        walk.wire.at += sums->ports;
    for (struct offer_resource resource; offer_fields_next(&walk, &resource);) {
        if (!is_ports(&resource))
            continue;
        struct wire wire = wire_open(resource.ranges);
        for (struct offer_range range; offer_fields_next_range(&wire, &range); count++)
            if (count < most)
                ranges[count] = range;
    }
    return count;
}

// Joins sorted ranges that overlap or touch; returns how many are left.
static size_t join(struct offer_range *ranges, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct offer_range *last = left ? &ranges[left - 1] : NULL;
        if (last == NULL || (ranges[i].first > last->last && ranges[i].first - last->last > 1))
            ranges[left++] = ranges[i];
        else if (ranges[i].last > last->last)
            last->last = ranges[i].last;
    }
    return left;
}

static void push_ranges(lua_State *L, const struct offer_range *ranges, size_t count)
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

static void get_ports(lua_State *L, const struct view_member *self, struct slice offer, void *sums)
{
    enum { FEW = 16 };
    struct offer_range few[FEW], *ranges = few;
    if (view_cached(L, self))
        return;
    size_t count = read_ports(offer, sums, few, FEW);
    if (count > FEW) {
        ranges = lua_newuserdatauv(L, count * sizeof *ranges, 0);
        read_ports(offer, sums, ranges, count);
    } else {
        lua_pushnil(L);
    }
    offer_fields_sort_ranges(ranges, count);
    push_ranges(L, ranges, join(ranges, count));
    lua_replace(L, -3);
    lua_pop(L, 1);
    view_cache(L, self);
}

// ---- the attributes ----

// True if an attribute that begins with a name of that length is no more than a short text, as
// agents send most of them.
static bool is_plain(struct slice attribute, size_t length, struct slice *text)
{
    enum { HEAD = 2, TYPE_AND_HEADS = 6 };
    const uint8_t *at = attribute.data + HEAD + length;
    size_t left = attribute.length - HEAD - length;
    if (left < TYPE_AND_HEADS || left >= 0x80)
        return false;
    *text = (struct slice){.data = at + TYPE_AND_HEADS, .length = left - TYPE_AND_HEADS};
    return at[0] == (FIELD_ATTRIBUTE_TYPE << 3 | WIRE_VARINT) &&
           at[1] == MESOS__V1__VALUE__TYPE__TEXT &&
           at[2] == (FIELD_ATTRIBUTE_TEXT << 3 | WIRE_BYTES) && at[3] == left - 4 &&
           at[4] == (FIELD_VALUE_TEXT_VALUE << 3 | WIRE_BYTES) && at[5] == left - TYPE_AND_HEADS;
}

// True if it begins with its name, of fewer than 128 bytes, and has no other.
static bool is_regular(struct slice message)
{
    size_t names = 0;
    struct slice text;
    if (message.data[0] == (FIELD_ATTRIBUTE_NAME << 3 | WIRE_BYTES) && message.data[1] < 0x80 &&
        is_plain(message, message.data[1], &text))
        return true;
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);)
        names += it.number == FIELD_ATTRIBUTE_NAME;
    return names == 1 && message.data[0] == (FIELD_ATTRIBUTE_NAME << 3 | WIRE_BYTES) &&
           message.data[1] < 0x80;
}

// Where the first attribute begins, or the end.
static const uint8_t *first_attribute(struct slice offer)
{
    struct wire wire = wire_open(offer);
    const uint8_t *at = wire.at;
    for (struct wire_field it; wire_next(&wire, &it) && it.number != FIELD_OFFER_ATTRIBUTES;)
        at = wire.at;
    return at;
}

static void look_at_attributes(struct slice offer, struct sums *sums)
{
    const uint8_t *first = first_attribute(offer);
    struct wire wire = {.at = first, .end = offer.data + offer.length};
    sums->regular = true;
    for (struct slice attribute;
         sums->regular && wire_seek(&wire, FIELD_OFFER_ATTRIBUTES, &attribute);)
        sums->regular = is_regular(attribute);
    sums->attributes = (offset_in(offer, first) + 1) & OFFSET_MOST;
}

// The part of the offer from its first attribute on.
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
    return slice_equal(wire_find(attribute, FIELD_ATTRIBUTE_NAME), name);
}

// The first attribute of that name; data is NULL if there is none.
static struct slice find_attribute(struct slice offer, struct sums *sums, struct slice name)
{
    struct wire wire = wire_open(attributes_of(offer, sums));
    bool regular = sums->regular;
    for (struct slice attribute; wire_seek(&wire, FIELD_OFFER_ATTRIBUTES, &attribute);) {
        if (is_named(attribute, name, regular))
            return attribute;
    }
    return (struct slice){.data = NULL};
}

static void push_scalar(lua_State *L, struct slice scalar)
{
    lua_pushnumber(L, offer_fields_scalar(scalar));
}

static void push_text(lua_State *L, struct slice text)
{
    struct slice value = {.data = NULL};
    struct wire wire = wire_open(text);
    for (struct wire_field it; wire_next(&wire, &it);)
        if (it.number == FIELD_VALUE_TEXT_VALUE)
            value = it.bytes;
    lua_pushlstring(L, (const char *)value.data, value.length);
}

static void push_range_messages(lua_State *L, struct slice ranges)
{
    message_decode(L, &mesos__v1__value__ranges__descriptor, ranges);
    lua_getfield(L, -1, "range");
    lua_replace(L, -2);
}

static void push_items(lua_State *L, struct slice set)
{
    message_decode(L, &mesos__v1__value__set__descriptor, set);
    lua_getfield(L, -1, "item");
    lua_replace(L, -2);
}

static void (*const pushers[ATTRIBUTE_TYPES])(lua_State *L, struct slice value) = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = push_scalar,
    [MESOS__V1__VALUE__TYPE__RANGES] = push_range_messages,
    [MESOS__V1__VALUE__TYPE__SET] = push_items,
    [MESOS__V1__VALUE__TYPE__TEXT] = push_text,
};

static void push_attribute(lua_State *L, struct slice attribute)
{
    int32_t type;
    struct slice value = offer_fields_attribute_value(attribute, &type);
    if (value.data != NULL)
        pushers[type](L, value);
    else
        lua_pushnil(L);
}

// offer:attribute(name): the value of the first attribute of that name, or nil.
static int l_attribute(lua_State *L)
{
    struct slice offer, name;
    struct sums *sums = view_self(L, &offer);
    name.data = (const uint8_t *)luaL_checklstring(L, 2, &name.length);
    struct slice attribute = find_attribute(offer, sums, name), text;
    if (attribute.data != NULL && sums->regular && is_plain(attribute, name.length, &text))
        lua_pushlstring(L, (const char *)text.data, text.length);
    else if (attribute.data != NULL)
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
    view_define(L, &mesos__v1__offer__descriptor, members, sizeof(struct sums), VIEW_CACHED, true);
}
