// SPDX-License-Identifier: Apache-2.0
//
// Descriptions of agents: see agent_description.h. Which type a value has is decided as a real
// agent does it; what such an agent would end with is an error here, a set for example.

#include "agent/agent_description.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "offers/resources.h"
#include "wire/message_copy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- values ----

// A finite number that is not negative; anything else is a text.
static bool read_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number) && !signbit(*number);
}

// The ranges are read as those of a resource, and taken out of it.
static bool read_ranges(Mesos__V1__Attribute *attribute, const char *text, struct error *err)
{
    struct resources list = {0};
    char *resource = memory_format("ports:%s", text);
    resources_parse(&list, resource, NULL, NULL);
    free(resource);
    if (list.count == 1 && list.items[0]->type == MESOS__V1__VALUE__TYPE__RANGES) {
        attribute->ranges = list.items[0]->ranges;
        list.items[0]->ranges = NULL;
        attribute->type = MESOS__V1__VALUE__TYPE__RANGES;
    }
    resources_free(&list);
    return attribute->ranges != NULL ||
           error_set(err, ERROR_INVALID, "attribute %s: '%s': ranges such as [1-4,7-9] expected",
                     attribute->name, text);
}

static void put_number(Mesos__V1__Attribute *attribute, double number)
{
    attribute->type = MESOS__V1__VALUE__TYPE__SCALAR;
    attribute->scalar = memory_new(sizeof *attribute->scalar);
    mesos__v1__value__scalar__init(attribute->scalar);
    attribute->scalar->value = number;
}

static void put_text(Mesos__V1__Attribute *attribute, const char *text)
{
    attribute->type = MESOS__V1__VALUE__TYPE__TEXT;
    attribute->text = memory_new(sizeof *attribute->text);
    mesos__v1__value__text__init(attribute->text);
    attribute->text->value = memory_string(text);
}

static bool read_value(Mesos__V1__Attribute *attribute, const char *text, struct error *err)
{
    double number;
    if (*text == '[')
        return read_ranges(attribute, text, err);
    if (*text == '{')
        return error_set(err, ERROR_INVALID,
                         "attribute %s: attributes are numbers, ranges or "
                         "texts; Mesos has no sets of them",
                         attribute->name);
    if (read_number(text, &number))
        put_number(attribute, number);
    else
        put_text(attribute, text);
    return true;
}

Mesos__V1__Attribute *agent_description_add(struct agent_description *description, const char *name)
{
    Mesos__V1__Attribute *attribute = memory_new(sizeof *attribute);
    mesos__v1__attribute__init(attribute);
    attribute->name = memory_string(name);
    size_t size = (description->attribute_count + 1) * sizeof *description->attributes;
    description->attributes = memory_resize(description->attributes, size);
    description->attributes[description->attribute_count++] = attribute;
    return attribute;
}

// ---- words ----

static bool read_attribute(struct agent_description *description, const char *word,
                           struct error *err)
{
    const char *sign = strchr(word, '=');
    if (sign == word || sign[1] == '\0')
        return error_set(err, ERROR_INVALID, "'%s': NAME=VALUE expected", word);
    char *name = memory_text(word, (size_t)(sign - word));
    Mesos__V1__Attribute *attribute = agent_description_add(description, name);
    free(name);
    return read_value(attribute, sign + 1, err);
}

static bool read_word(struct agent_description *description, const char *word, struct error *err)
{
    if (strchr(word, '=') != NULL)
        return read_attribute(description, word, err);
    if (description->resources != NULL)
        return error_set(err, ERROR_INVALID,
                         "'%s': the resources are one word without spaces, such as "
                         "cpus:4;mem:1024, and attributes are NAME=VALUE",
                         word);
    description->resources = memory_string(word);
    return true;
}

bool agent_description_parse(struct agent_description *description, const char *text,
                             struct error *err)
{
    char *words = memory_string(text), *rest = words, *word;
    bool good = true;
    *description = (struct agent_description){0};
    while (good && (word = strsep(&rest, " \t\n")) != NULL)
        good = *word == '\0' || read_word(description, word, err);
    free(words);
    if (!good)
        agent_description_free(description);
    return good;
}

void agent_description_copy(struct agent_description *to, const struct agent_description *from)
{
    *to = (struct agent_description){.resources = memory_string(from->resources),
                                     .attribute_count = from->attribute_count,
                                     .hostname = memory_string(from->hostname),
                                     .region = memory_string(from->region),
                                     .zone = memory_string(from->zone)};
    to->attributes = memory_new((from->attribute_count + 1) * sizeof *to->attributes);
    for (size_t i = 0; i < from->attribute_count; i++)
        to->attributes[i] = message_copy(&from->attributes[i]->base);
}

void agent_description_free(struct agent_description *description)
{
    for (size_t i = 0; i < description->attribute_count; i++)
        mesos__v1__attribute__free_unpacked(description->attributes[i], NULL);
    free(description->attributes);
    free(description->resources);
    free(description->hostname);
    free(description->region);
    free(description->zone);
    *description = (struct agent_description){0};
}

// ---- queries ----

const Mesos__V1__Attribute *agent_description_attribute(const struct agent_description *description,
                                                        const char *name)
{
    for (size_t i = 0; i < description->attribute_count; i++)
        if (strcmp(description->attributes[i]->name, name) == 0)
            return description->attributes[i];
    return NULL;
}

static void write_ranges(struct buffer *out, const Mesos__V1__Value__Ranges *ranges)
{
    for (size_t i = 0; i < ranges->n_range; i++)
        buffer_format(out, "%s%llu-%llu", i == 0 ? "[" : ",",
                      (unsigned long long)ranges->range[i]->begin,
                      (unsigned long long)ranges->range[i]->end);
    buffer_append_text(out, "]");
}

static void write_set(struct buffer *out, const Mesos__V1__Value__Set *set)
{
    for (size_t i = 0; i < set->n_item; i++)
        buffer_format(out, "%s%s", i == 0 ? "{" : ",", set->item[i]);
    buffer_append_text(out, "}");
}

char *agent_description_text(const struct agent_description *description)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < description->attribute_count; i++) {
        const Mesos__V1__Attribute *attribute = description->attributes[i];
        buffer_format(&out, " %s=", attribute->name);
        if (attribute->scalar != NULL)
            buffer_format(&out, "%.15g", attribute->scalar->value);
        else if (attribute->ranges != NULL)
            write_ranges(&out, attribute->ranges);
        else if (attribute->set != NULL)
            write_set(&out, attribute->set);
        else
            buffer_append_text(&out, attribute->text->value);
    }
    char *text = memory_format("%.*s", (int)out.length, (const char *)out.data);
    buffer_free(&out);
    return text;
}
