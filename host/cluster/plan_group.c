// SPDX-License-Identifier: Apache-2.0
//
// A group of agents in a description: see plan_group.h.

#include "cluster/plan_group.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Attribute Attribute;

// ---- attributes ----

static bool read_item(const struct plan_field *field, void *to, struct error *err)
{
    Mesos__V1__Value__Set *set = to;
    const char *text;
    if (!plan_field_text(field, &text, err))
        return false;
    set->item = memory_resize(set->item, (set->n_item + 1) * sizeof *set->item);
    set->item[set->n_item++] = memory_string(text);
    return true;
}

static bool read_range(const struct plan_field *field, void *to, struct error *err)
{
    Mesos__V1__Value__Ranges *ranges = to;
    uint64_t ends[2] = {0, 0};
    if (json_array_size(field->json) != 2)
        return plan_field_fault(field, err, "a range is { first, last }");
    for (size_t i = 0; i < 2; i++) {
        const struct plan_field end = {
            .outer = field, .index = i, .json = json_array_get(field->json, i)};
        if (!plan_field_whole(&end, 0, INT64_MAX, &ends[i], err))
            return false;
    }
    if (ends[0] > ends[1])
        return plan_field_fault(field, err, "it ends before it begins");
    Mesos__V1__Value__Range *range = memory_new(sizeof *range);
    mesos__v1__value__range__init(range);
    range->begin = ends[0];
    range->end = ends[1];
    ranges->range = memory_resize(ranges->range, (ranges->n_range + 1) * sizeof *ranges->range);
    ranges->range[ranges->n_range++] = range;
    return true;
}

// A list of texts is a set, any other list is one of ranges.
static bool read_list(const struct plan_field *field, Attribute *attribute, struct error *err)
{
    if (json_is_string(json_array_get(field->json, 0))) {
        attribute->type = MESOS__V1__VALUE__TYPE__SET;
        attribute->set = memory_new(sizeof *attribute->set);
        mesos__v1__value__set__init(attribute->set);
        return plan_field_items(field, read_item, attribute->set, err);
    }
    attribute->type = MESOS__V1__VALUE__TYPE__RANGES;
    attribute->ranges = memory_new(sizeof *attribute->ranges);
    mesos__v1__value__ranges__init(attribute->ranges);
    return plan_field_items(field, read_range, attribute->ranges, err);
}

static bool read_scalar(const struct plan_field *field, Attribute *attribute, struct error *err)
{
    attribute->type = MESOS__V1__VALUE__TYPE__SCALAR;
    attribute->scalar = memory_new(sizeof *attribute->scalar);
    mesos__v1__value__scalar__init(attribute->scalar);
    return plan_field_number(field, 0, &attribute->scalar->value, err);
}

static bool read_text(const struct plan_field *field, Attribute *attribute, struct error *err)
{
    const char *text = "";
    bool good = plan_field_text(field, &text, err);
    attribute->type = MESOS__V1__VALUE__TYPE__TEXT;
    attribute->text = memory_new(sizeof *attribute->text);
    mesos__v1__value__text__init(attribute->text);
    attribute->text->value = memory_string(text);
    return good;
}

static bool read_attribute(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_group *group = to;
    if (*field->key == '\0')
        return plan_field_fault(field, err, "an attribute needs a name");
    Attribute *attribute = agent_description_add(&group->description, field->key);
    if (json_is_array(field->json))
        return read_list(field, attribute, err);
    return json_is_number(field->json) ? read_scalar(field, attribute, err)
                                       : read_text(field, attribute, err);
}

static bool read_attributes(const struct plan_field *field, void *to, struct error *err)
{
    return plan_field_each(field, read_attribute, to, err);
}

// ---- the fault domain ----

static bool read_region(const struct plan_field *field, void *to, struct error *err)
{
    struct plan_domain *domain = to;
    const char *text;
    if (!plan_field_text(field, &text, err))
        return false;
    domain->region = memory_string(text);
    return true;
}

static bool read_zone(const struct plan_field *field, void *to, struct error *err)
{
    struct plan_domain *domain = to;
    const char *text;
    if (!plan_field_text(field, &text, err))
        return false;
    domain->zone = memory_string(text);
    return true;
}

bool plan_group_domain(const struct plan_field *field, struct plan_domain *domain,
                       struct error *err)
{
    static const struct plan_key keys[] = {
        {"region", read_region, NULL}, {"zone", read_zone, NULL}, {NULL, NULL, NULL}};
    *domain = (struct plan_domain){NULL, NULL};
    if (plan_field_object(field, keys, domain, err) && domain->region != NULL &&
        domain->zone != NULL)
        return true;
    if (domain->region == NULL || domain->zone == NULL)
        plan_field_fault(field, err, "a domain has a region and a zone");
    free(domain->region);
    free(domain->zone);
    *domain = (struct plan_domain){NULL, NULL};
    return false;
}

static bool read_domain(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_group *group = to;
    struct plan_domain domain;
    if (!plan_group_domain(field, &domain, err))
        return false;
    group->description.region = domain.region;
    group->description.zone = domain.zone;
    return true;
}

// ---- host names ----

// Where the number stands in a pattern: "%d", or "%03d" for three digits.
struct place {
    size_t start, length;
    int digits;
};

static bool find_place(const char *pattern, struct place *place)
{
    const char *percent = strchr(pattern, '%');
    *place = (struct place){.start = percent ? (size_t)(percent - pattern) : strlen(pattern)};
    if (percent == NULL)
        return true;
    const char *at = percent + 1;
    if (*at == '0' && isdigit((unsigned char)at[1])) {
        place->digits = at[1] - '0';
        at += 2;
    }
    place->length = (size_t)(at - percent) + 1;
    return *at == 'd' && strchr(at, '%') == NULL;
}

char *cluster_plan_hostname(const struct cluster_plan_group *group, unsigned number)
{
    const char *pattern = group->description.hostname;
    struct place place;
    if (pattern == NULL || !find_place(pattern, &place) || place.length == 0)
        return memory_string(pattern);
    return memory_format("%.*s%0*u%s", (int)place.start, pattern, place.digits, number,
                         pattern + place.start + place.length);
}

static bool read_hostname(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_group *group = to;
    const char *text;
    struct place place;
    if (!plan_field_text(field, &text, err))
        return false;
    if (!find_place(text, &place))
        return plan_field_fault(field, err,
                                "'%.100s': %%d or, for three digits, %%03d is the number of the "
                                "agent; there is no other %%",
                                text);
    group->description.hostname = memory_string(text);
    return true;
}

// ---- the group ----

static bool read_count(const struct plan_field *field, void *to, struct error *err)
{
    struct cluster_plan_group *group = to;
    uint64_t count;
    if (!plan_field_whole(field, 1, group->most, &count, err))
        return false;
    group->count = (unsigned)count;
    return true;
}

static bool read_resources(const struct plan_field *field, void *to, struct error *err)
{
    return plan_resources_read(field, to, err);
}

bool plan_group_read(const struct plan_field *field, struct cluster_plan_group *group,
                     unsigned most, struct error *err)
{
    static const struct plan_key keys[] = {
        {"count", read_count, NULL},           {"resources", read_resources, NULL},
        {"attributes", read_attributes, NULL}, {"hostname", read_hostname, NULL},
        {"domain", read_domain, NULL},         {NULL, NULL, NULL},
    };
    group->count = 1;
    group->most = most;
    return plan_field_object(field, keys, group, err);
}
