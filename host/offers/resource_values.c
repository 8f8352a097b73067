// SPDX-License-Identifier: Apache-2.0
//
// The values of resources: scalars, ranges and sets, each a row of a table with its arithmetic.
// What a normal value is: see resources.h.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "offers/thousandths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Value__Range Range;

// ---- scalars: resource_values_thousandths ----

int64_t resource_values_thousandths(const Resource *resource)
{
    return resource->scalar ? thousandths_of(resource->scalar->value) : 0;
}

// As Mesos makes it of a sum or a difference, to the last bit: 2.118 - 1 is 1.1179999999999999,
// which a policy sees that compares.
static void set_thousandths(Resource *resource, int64_t value)
{
    resource->scalar->value = (double)(value / 1000) + (double)(value % 1000) / 1000;
}

static void scalar_add(Resource *to, const Resource *more)
{
    int64_t own = resource_values_thousandths(to), others = resource_values_thousandths(more);
    set_thousandths(to, own > THOUSANDTHS_MOST - others ? THOUSANDTHS_MOST : own + others);
}

static void scalar_subtract(Resource *from, const Resource *less)
{
    int64_t left = resource_values_thousandths(from) - resource_values_thousandths(less);
    set_thousandths(from, left > 0 ? left : 0);
}

static bool scalar_contains(const Resource *whole, const Resource *part)
{
    return resource_values_thousandths(whole) >= resource_values_thousandths(part);
}

static bool scalar_empty(const Resource *resource)
{
    return resource_values_thousandths(resource) == 0;
}

static double normal_scalar(const Resource *resource)
{
    return (double)resource_values_thousandths(resource) / 1000;
}

static void scalar_normalise(Resource *resource)
{
    resource->scalar->value = normal_scalar(resource);
}

bool resource_values_is_normal(const Resource *resource)
{
    return resource->scalar->value == normal_scalar(resource) && !scalar_empty(resource);
}

static void scalar_write(const Resource *resource, struct buffer *out)
{
    buffer_format(out, "%.15g", resource->scalar ? resource->scalar->value : 0);
}

// ---- ranges: sorted, disjoint, not adjacent ----

static Range *range_new(uint64_t begin, uint64_t end)
{
    Range *range = memory_new(sizeof *range);
    mesos__v1__value__range__init(range);
    range->begin = begin;
    range->end = end;
    return range;
}

void resource_values_add_range(Mesos__V1__Value__Ranges *ranges, uint64_t begin, uint64_t end)
{
    ranges->range = memory_resize(ranges->range, (ranges->n_range + 1) * sizeof(Range *));
    ranges->range[ranges->n_range++] = range_new(begin, end);
}

static int range_compare(const void *a, const void *b)
{
    const Range *left = *(Range *const *)a, *right = *(Range *const *)b;
    return left->begin < right->begin ? -1 : left->begin > right->begin;
}

static void ranges_normalise(Resource *resource)
{
    Mesos__V1__Value__Ranges *ranges = resource->ranges;
    if (ranges->n_range == 0)
        return;
    qsort(ranges->range, ranges->n_range, sizeof(Range *), range_compare);
    size_t last = 0;
    for (size_t i = 1; i < ranges->n_range; i++) {
        Range *previous = ranges->range[last], *range = ranges->range[i];
        if (range->begin > previous->end && range->begin - previous->end > 1) {
            ranges->range[++last] = range;
            continue;
        }
        if (range->end > previous->end)
            previous->end = range->end;
        free(range);
    }
    ranges->n_range = last + 1;
}

static void ranges_add(Resource *to, const Resource *more)
{
    for (size_t i = 0; i < more->ranges->n_range; i++) {
        const Range *range = more->ranges->range[i];
        resource_values_add_range(to->ranges, range->begin, range->end);
    }
    ranges_normalise(to);
}

// Leaves of `range` what lies outside `less`; a hole in its middle adds the right part to `out`.
static bool range_cut(Range *range, const Range *less, Mesos__V1__Value__Ranges *out)
{
    if (less->end < range->begin || less->begin > range->end)
        return true;
    bool left = less->begin > range->begin, right = less->end < range->end;
    if (left && right)
        resource_values_add_range(out, less->end + 1, range->end);
    if (left)
        range->end = less->begin - 1;
    else if (right)
        range->begin = less->end + 1;
    return left || right;
}

static void ranges_subtract(Resource *from, const Resource *less)
{
    Mesos__V1__Value__Ranges *ranges = from->ranges;
    for (size_t i = 0; i < less->ranges->n_range; i++) {
        for (size_t j = 0; j < ranges->n_range; j++) {
            if (range_cut(ranges->range[j], less->ranges->range[i], ranges))
                continue;
            free(ranges->range[j]);
            ranges->range[j--] = ranges->range[--ranges->n_range];
        }
    }
    ranges_normalise(from);
}

static bool ranges_hold(const Mesos__V1__Value__Ranges *ranges, const Range *part)
{
    for (size_t i = 0; i < ranges->n_range; i++)
        if (ranges->range[i]->begin <= part->begin && part->end <= ranges->range[i]->end)
            return true;
    return false;
}

static bool ranges_contain(const Resource *whole, const Resource *part)
{
    for (size_t i = 0; i < part->ranges->n_range; i++)
        if (!ranges_hold(whole->ranges, part->ranges->range[i]))
            return false;
    return true;
}

static bool ranges_empty(const Resource *resource)
{
    return resource->ranges->n_range == 0;
}

static void ranges_write(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, "[");
    for (size_t i = 0; resource->ranges && i < resource->ranges->n_range; i++)
        buffer_format(out, "%s%" PRIu64 "-%" PRIu64, i ? ", " : "",
                      resource->ranges->range[i]->begin, resource->ranges->range[i]->end);
    buffer_append_text(out, "]");
}

// ---- sets ----

static bool set_holds(const Mesos__V1__Value__Set *set, size_t count, const char *item)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(set->item[i], item) == 0)
            return true;
    return false;
}

void resource_values_add_item(Mesos__V1__Value__Set *set, char *item)
{
    set->item = memory_resize(set->item, (set->n_item + 1) * sizeof(char *));
    set->item[set->n_item++] = item;
}

static void set_add(Resource *to, const Resource *more)
{
    for (size_t i = 0; i < more->set->n_item; i++)
        if (!set_holds(to->set, to->set->n_item, more->set->item[i]))
            resource_values_add_item(to->set, memory_string(more->set->item[i]));
}

static void set_subtract(Resource *from, const Resource *less)
{
    size_t kept = 0;
    for (size_t i = 0; i < from->set->n_item; i++) {
        char *item = from->set->item[i];
        if (set_holds(less->set, less->set->n_item, item))
            free(item);
        else
            from->set->item[kept++] = item;
    }
    from->set->n_item = kept;
}

static bool set_contains(const Resource *whole, const Resource *part)
{
    for (size_t i = 0; i < part->set->n_item; i++)
        if (!set_holds(whole->set, whole->set->n_item, part->set->item[i]))
            return false;
    return true;
}

static bool set_empty(const Resource *resource)
{
    return resource->set->n_item == 0;
}

static void set_normalise(Resource *resource)
{
    Mesos__V1__Value__Set *set = resource->set;
    size_t kept = 0;
    for (size_t i = 0; i < set->n_item; i++) {
        if (set_holds(set, kept, set->item[i]))
            free(set->item[i]);
        else
            set->item[kept++] = set->item[i];
    }
    set->n_item = kept;
}

static void set_write(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, "{");
    for (size_t i = 0; resource->set && i < resource->set->n_item; i++)
        buffer_format(out, "%s%s", i ? ", " : "", resource->set->item[i]);
    buffer_append_text(out, "}");
}

// ---- the value types ----

static const struct resource_values value_types[] = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = {scalar_add, scalar_subtract, scalar_contains, scalar_empty,
                                        scalar_normalise, scalar_write},
    [MESOS__V1__VALUE__TYPE__RANGES] = {ranges_add, ranges_subtract, ranges_contain, ranges_empty,
                                        ranges_normalise, ranges_write},
    [MESOS__V1__VALUE__TYPE__SET] = {set_add, set_subtract, set_contains, set_empty, set_normalise,
                                     set_write},
};

const struct resource_values *resource_values_of(const Resource *resource)
{
    return &value_types[resource->type];
}
