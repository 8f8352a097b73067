// SPDX-License-Identifier: Apache-2.0
//
// Resources in JSON; see the header.

#include "operator/resource_json.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;

Resource *resource_json_both_formats(const Resource *resource)
{
    Resource *copy = message_copy(&resource->base), *spare = message_copy(&resource->base);
    if (resource_downgrade(copy)) {
        copy->n_reservations = spare->n_reservations;
        copy->reservations = spare->reservations;
        spare->n_reservations = 0;
        spare->reservations = NULL;
    }
    resource_free(spare);
    return copy;
}

// ---- which of a list ----

struct resource_selection {
    Resource **items;
    size_t count;
};

// Those that are reserved to the role, or with NULL to none.
static struct resource_selection select_role(const struct resources *list, const char *role)
{
    struct resource_selection selection = {.items =
                                               memory_new((list->count + 1) * sizeof(Resource *))};
    for (size_t i = 0; i < list->count; i++) {
        const char *of = resource_reserved_role(list->items[i]);
        if (role == NULL ? of == NULL : of != NULL && strcmp(of, role) == 0)
            selection.items[selection.count++] = list->items[i];
    }
    return selection;
}

// True if an item in front of that one has its role, too.
static bool role_is_known(const struct resources *list, size_t at)
{
    const char *role = resource_reserved_role(list->items[at]);
    for (size_t i = 0; i < at; i++) {
        const char *of = resource_reserved_role(list->items[i]);
        if (of != NULL && strcmp(of, role) == 0)
            return true;
    }
    return false;
}

typedef void (*write_selection)(struct json_writer *writer, const char *key, Resource *const *items,
                                size_t count);

static void write_by_role(struct json_writer *writer, const char *key, const struct resources *list,
                          write_selection write)
{
    json_writer_open(writer, key);
    for (size_t i = 0; i < list->count; i++) {
        const char *role = resource_reserved_role(list->items[i]);
        if (role == NULL || role_is_known(list, i))
            continue;
        struct resource_selection selection = select_role(list, role);
        write(writer, role, selection.items, selection.count);
        free(selection.items);
    }
    json_writer_close(writer);
}

static void write_unreserved(struct json_writer *writer, const char *key,
                             const struct resources *list, write_selection write)
{
    struct resource_selection selection = select_role(list, NULL);
    write(writer, key, selection.items, selection.count);
    free(selection.items);
}

// ---- sums ----

// One resource without whatever makes it a kind of its own: those of a name and type add up.
static void add_plain(struct resources *sum, const Resource *resource)
{
    Resource plain = MESOS__V1__RESOURCE__INIT;
    char *name =
        memory_format("%s%s", resource->name, resource->revocable != NULL ? "_revocable" : "");
    plain.name = name;
    plain.type = resource->type;
    plain.scalar = resource->scalar;
    plain.ranges = resource->ranges;
    plain.set = resource->set;
    resources_add_message(sum, &plain);
    free(name);
}

static char *ranges_text(const Mesos__V1__Value__Ranges *ranges)
{
    struct buffer text;
    buffer_init(&text, JSON_WRITER_LIMIT);
    buffer_append_text(&text, "[");
    for (size_t i = 0; i < ranges->n_range; i++)
        buffer_format(&text, "%s%" PRIu64 "-%" PRIu64, i ? ", " : "", ranges->range[i]->begin,
                      ranges->range[i]->end);
    buffer_append_text(&text, "]");
    char *copy = memory_string(buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static char *set_text(const Mesos__V1__Value__Set *set)
{
    struct buffer text;
    buffer_init(&text, JSON_WRITER_LIMIT);
    buffer_append_text(&text, "{");
    for (size_t i = 0; i < set->n_item; i++)
        buffer_format(&text, "%s%s", i ? ", " : "", set->item[i]);
    buffer_append_text(&text, "}");
    char *copy = memory_string(buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static void write_value(struct json_writer *writer, const Resource *resource)
{
    char *text = resource->ranges ? ranges_text(resource->ranges)
                 : resource->set  ? set_text(resource->set)
                                  : NULL;
    if (resource->scalar != NULL)
        json_writer_double(writer, resource->name, resource->scalar->value);
    else if (text != NULL)
        json_writer_text(writer, resource->name, text);
    free(text);
}

static bool has(const struct resources *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            return true;
    return false;
}

static void write_sum(struct json_writer *writer, const char *key, const struct resources *sum)
{
    static const char *const always[] = {"disk", "mem", "gpus", "cpus"};
    json_writer_open(writer, key);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (!has(sum, always[i]))
            json_writer_double(writer, always[i], 0);
    for (size_t i = 0; i < sum->count; i++)
        write_value(writer, sum->items[i]);
    json_writer_close(writer);
}

void resource_json_message_sums(struct json_writer *writer, const char *key, Resource *const *items,
                                size_t count)
{
    struct resources sum = {0};
    for (size_t i = 0; i < count; i++)
        add_plain(&sum, items[i]);
    write_sum(writer, key, &sum);
    resources_free(&sum);
}

void resource_json_sums(struct json_writer *writer, const char *key,
                        const struct resources *resources)
{
    resource_json_message_sums(writer, key, resources->items, resources->count);
}

void resource_json_unreserved(struct json_writer *writer, const char *key,
                              const struct resources *resources)
{
    write_unreserved(writer, key, resources, resource_json_message_sums);
}

void resource_json_reserved(struct json_writer *writer, const char *key,
                            const struct resources *resources)
{
    write_by_role(writer, key, resources, resource_json_message_sums);
}

// ---- whole resources ----

static void write_full(struct json_writer *writer, const char *key, Resource *const *items,
                       size_t count)
{
    json_writer_list(writer, key);
    for (size_t i = 0; i < count; i++) {
        Resource *both = resource_json_both_formats(items[i]);
        json_writer_message(writer, NULL, &both->base);
        resource_free(both);
    }
    json_writer_end(writer);
}

void resource_json_full(struct json_writer *writer, const char *key,
                        const struct resources *resources)
{
    write_full(writer, key, resources->items, resources->count);
}

void resource_json_unreserved_full(struct json_writer *writer, const char *key,
                                   const struct resources *resources)
{
    write_unreserved(writer, key, resources, write_full);
}

void resource_json_reserved_full(struct json_writer *writer, const char *key,
                                 const struct resources *resources)
{
    write_by_role(writer, key, resources, write_full);
}

// ---- attributes ----

void resource_json_attributes(struct json_writer *writer, const char *key,
                              Mesos__V1__Attribute *const *attributes, size_t count)
{
    json_writer_open(writer, key);
    for (size_t i = 0; i < count; i++) {
        const Mesos__V1__Attribute *attribute = attributes[i];
        char *text = attribute->ranges ? ranges_text(attribute->ranges)
                     : attribute->set  ? set_text(attribute->set)
                     : attribute->text ? memory_string(attribute->text->value)
                                       : NULL;
        if (attribute->scalar != NULL)
            json_writer_double(writer, attribute->name, attribute->scalar->value);
        else
            json_writer_text(writer, attribute->name, text);
        free(text);
    }
    json_writer_close(writer);
}
