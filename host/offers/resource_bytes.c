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

void resource_bytes_put(struct buffer *out, const Resource *resource)
{
    if (!resource_is_simple(resource)) {
        size_t length = mesos__v1__resource__get_packed_size(resource);
        mesos__v1__resource__pack(resource, buffer_reserve(out, length));
        out->length += length;
        return;
    }
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
