// SPDX-License-Identifier: Apache-2.0
//
// Resources as bytes; see the header. What is read is built up field by field; a field that is not
// one of those that are written here sends the whole to protobuf-c.

#include "offers/resource_bytes.h"

#include "base/memory.h"
#include "offers/resources_internal.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Value__Ranges Ranges;

// ---- writing ----

enum { SHORT_MOST = 100, USUAL_HEADS = 32 }; // bytes of a text; of all heads and values

static void put_ranges(struct buffer *out, const Ranges *ranges)
{
    size_t mark = wire_begin(out, FIELD_RESOURCE_RANGES);
    for (size_t i = 0; i < ranges->n_range; i++) {
        size_t range = wire_begin(out, FIELD_VALUE_RANGES_RANGE);
        wire_put_varint(out, FIELD_VALUE_RANGE_BEGIN, ranges->range[i]->begin);
        wire_put_varint(out, FIELD_VALUE_RANGE_END, ranges->range[i]->end);
        wire_end(out, range);
    }
    wire_end(out, mark);
}

// A field with a text, both with a length of one byte.
static uint8_t *write_text(uint8_t *to, uint32_t number, const char *text, size_t length)
{
    *to++ = (uint8_t)(number << 3 | WIRE_BYTES);
    *to++ = (uint8_t)length;
    memcpy(to, text, length);
    return to + length;
}

static uint8_t *write_scalar(uint8_t *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = htole64(bits);
    *to++ = FIELD_RESOURCE_SCALAR << 3 | WIRE_BYTES;
    *to++ = 1 + sizeof bits;
    *to++ = FIELD_VALUE_SCALAR_VALUE << 3 | WIRE_FIXED64;
    memcpy(to, &bits, sizeof bits);
    return to + sizeof bits;
}

// Most are scalars with a short name. Returns where what was written ends.
static uint8_t *write_usual(uint8_t *to, const Resource *resource, size_t name, size_t role)
{
    to = write_text(to, FIELD_RESOURCE_NAME, resource->name, name);
    *to++ = FIELD_RESOURCE_TYPE << 3 | WIRE_VARINT;
    *to++ = (uint8_t)resource->type;
    to = write_scalar(to, resource->scalar->value);
    if (resource->allocation_info == NULL)
        return to;
    *to++ = FIELD_RESOURCE_ALLOCATION_INFO << 3 | WIRE_BYTES;
    *to++ = (uint8_t)(2 + role);
    return write_text(to, FIELD_RESOURCE_ALLOCATION_INFO_ROLE, resource->allocation_info->role,
                      role);
}

// False if the resource, which is simple, is not a usual one.
static bool put_usual(struct buffer *out, const Resource *resource)
{
    const char *role = resource_allocation_role(resource);
    if (resource->type != MESOS__V1__VALUE__TYPE__SCALAR || resource->scalar == NULL ||
        resource->ranges != NULL || (resource->allocation_info != NULL && role == NULL))
        return false;
    size_t name = strlen(resource->name), role_length = role ? strlen(role) : 0;
    if (name > SHORT_MOST || role_length > SHORT_MOST)
        return false;
    uint8_t *start = buffer_reserve(out, name + role_length + USUAL_HEADS);
    if (start != NULL)
        out->length += (size_t)(write_usual(start, resource, name, role_length) - start);
    return true;
}

static void put_simple(struct buffer *out, const Resource *resource)
{
    wire_put_bytes(out, FIELD_RESOURCE_NAME, slice_text(resource->name));
    wire_put_varint(out, FIELD_RESOURCE_TYPE, (uint64_t)resource->type);
    if (resource->scalar != NULL) {
        size_t mark = wire_begin(out, FIELD_RESOURCE_SCALAR);
        wire_put_double(out, FIELD_VALUE_SCALAR_VALUE, resource->scalar->value);
        wire_end(out, mark);
    }
    if (resource->ranges != NULL)
        put_ranges(out, resource->ranges);
    if (resource->allocation_info != NULL) {
        size_t mark = wire_begin(out, FIELD_RESOURCE_ALLOCATION_INFO);
        if (resource->allocation_info->role != NULL)
            wire_put_bytes(out, FIELD_RESOURCE_ALLOCATION_INFO_ROLE,
                           slice_text(resource->allocation_info->role));
        wire_end(out, mark);
    }
}

void resource_bytes_put(struct buffer *out, const Resource *resource)
{
    if (!resource_is_simple(resource)) {
        size_t length = mesos__v1__resource__get_packed_size(resource);
        mesos__v1__resource__pack(resource, buffer_reserve(out, length));
        out->length += length;
    } else if (!put_usual(out, resource)) {
        put_simple(out, resource);
    }
}

// ---- reading ----

static bool read_scalar(Resource *resource, struct slice bytes)
{
    static const Mesos__V1__Value__Scalar blank = MESOS__V1__VALUE__SCALAR__INIT;
    struct wire wire = wire_open(bytes);
    struct wire_field field;
    if (bytes.length != 9 || resource->scalar != NULL || !wire_next(&wire, &field) ||
        field.number != FIELD_VALUE_SCALAR_VALUE || field.type != WIRE_FIXED64)
        return false;
    resource->scalar = memory_resize(NULL, sizeof blank);
    *resource->scalar = blank;
    memcpy(&resource->scalar->value, &field.value, sizeof field.value);
    return true;
}

static bool read_range(Ranges *ranges, struct slice bytes)
{
    struct wire wire = wire_open(bytes);
    struct wire_field begin, end;
    if (!wire_next(&wire, &begin) || !wire_next(&wire, &end) || wire.at != wire.end ||
        begin.number != FIELD_VALUE_RANGE_BEGIN || end.number != FIELD_VALUE_RANGE_END)
        return false;
    resource_values_add_range(ranges, begin.value, end.value);
    return true;
}

static bool read_ranges(Resource *resource, struct slice bytes)
{
    static const Ranges blank = MESOS__V1__VALUE__RANGES__INIT;
    struct wire wire = wire_open(bytes);
    struct wire_field field;
    if (resource->ranges != NULL)
        return false;
    resource->ranges = memory_resize(NULL, sizeof blank);
    *resource->ranges = blank;
    while (wire_next(&wire, &field))
        if (field.number != FIELD_VALUE_RANGES_RANGE || !read_range(resource->ranges, field.bytes))
            return false;
    return true;
}

static bool read_allocation(Resource *resource, struct slice bytes)
{
    struct wire wire = wire_open(bytes);
    struct wire_field field;
    if (!wire_next(&wire, &field) || wire.at != wire.end ||
        field.number != FIELD_RESOURCE_ALLOCATION_INFO_ROLE)
        return false;
    char *role = memory_text((const char *)field.bytes.data, field.bytes.length);
    resources_allocate(&(struct resources){&resource, 1}, role);
    free(role);
    return true;
}

static bool read_field(Resource *resource, const struct wire_field *field)
{
    switch (field->number) {
    case FIELD_RESOURCE_NAME:
        free(resource->name);
        resource->name = memory_text((const char *)field->bytes.data, field->bytes.length);
        return true;
    case FIELD_RESOURCE_TYPE:
        resource->type = (Mesos__V1__Value__Type)field->value;
        return true;
    case FIELD_RESOURCE_SCALAR:
        return read_scalar(resource, field->bytes);
    case FIELD_RESOURCE_RANGES:
        return read_ranges(resource, field->bytes);
    case FIELD_RESOURCE_ALLOCATION_INFO:
        return read_allocation(resource, field->bytes);
    default:
        return false;
    }
}

Resource *resource_bytes_read(struct slice bytes)
{
    static const Resource blank = MESOS__V1__RESOURCE__INIT;
    struct wire wire = wire_open(bytes);
    struct wire_field field;
    Resource *resource = memory_resize(NULL, sizeof blank);
    *resource = blank;
    while (wire_next(&wire, &field)) {
        if (read_field(resource, &field))
            continue;
        resource_free(resource);
        return mesos__v1__resource__unpack(NULL, bytes.length, bytes.data);
    }
    return resource;
}
