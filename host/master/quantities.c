// SPDX-License-Identifier: Apache-2.0
//
// Amounts of scalar resources; see the header.

#include "master/quantities.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "offers/thousandths.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 16)

// ---- names ----

void quantities_names_init(struct quantity_names *names)
{
    static const char *const known[QUANTITIES_KNOWN] = {"cpus", "disk", "gpus", "mem"};
    *names = (struct quantity_names){.count = 0};
    for (size_t i = 0; i < QUANTITIES_KNOWN; i++)
        quantities_add_name(names, known[i]);
}

void quantities_names_cut(struct quantity_names *names, size_t count)
{
    while (names->count > count)
        free(names->names[--names->count]);
}

void quantities_names_free(struct quantity_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    names->count = 0;
}

// Names are short, and mostly the first letter tells: a call would take longer.
static inline bool is_name(const char *a, const char *b)
{
    while (*a == *b && *a != '\0') {
        a++;
        b++;
    }
    return *a == *b;
}

int quantities_number(const struct quantity_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_name(names->names[i], name))
            return (int)i;
    return -1;
}

int quantities_add_name(struct quantity_names *names, const char *name)
{
    int number = quantities_number(names, name);
    if (number >= 0 || names->count == QUANTITIES_NAMES)
        return number;
    names->names[names->count] = memory_string(name);
    return (int)names->count++;
}

bool quantities_add_names(struct quantity_names *names, const struct resources *list,
                          struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type == MESOS__V1__VALUE__TYPE__SCALAR &&
            quantities_add_name(names, list->items[i]->name) < 0)
            return error_set(err, ERROR_LIMIT,
                             "'%.100s' is one name too many: agents have up to %d different "
                             "scalar resources, with cpus, disk, gpus and mem",
                             list->items[i]->name, QUANTITIES_NAMES);
    return true;
}

// ---- amounts ----

int64_t quantities_thousandths(double value)
{
    return thousandths_of(value);
}

bool quantities_counts(const Mesos__V1__Resource *resource, enum quantities_kind kind)
{
    if (resource->type != MESOS__V1__VALUE__TYPE__SCALAR || resource->scalar == NULL)
        return false;
    bool reserved = resource->n_reservations > 0;
    return kind == QUANTITIES_ALL ||
           (resource->revocable == NULL && reserved == (kind == QUANTITIES_RESERVED));
}

struct quantities quantities_of(const struct quantity_names *names, const struct resources *list,
                                enum quantities_kind kind)
{
    struct quantities sum = {{0}};
    for (size_t i = 0; i < list->count; i++) {
        if (!quantities_counts(list->items[i], kind))
            continue;
        int number = quantities_number(names, list->items[i]->name);
        if (number >= 0)
            quantities_add_amount(&sum.amount[number],
                                  quantities_thousandths(list->items[i]->scalar->value));
    }
    return sum;
}

static void saturate(struct quantities *to, const struct quantities *more)
{
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        quantities_add_amount(&to->amount[i], more->amount[i]);
}

// Loops without branches are done several amounts at a time.
void quantities_add(struct quantities *to, const struct quantities *more)
{
    struct quantities sum;
    uint64_t overflow = 0; // its sign
    for (size_t i = 0; i < QUANTITIES_NAMES; i++) {
        uint64_t own = (uint64_t)to->amount[i], others = (uint64_t)more->amount[i];
        sum.amount[i] = (int64_t)(own + others);
        overflow |= (own ^ (own + others)) & (others ^ (own + others));
    }
    if (overflow >> 63 == 0)
        *to = sum;
    else
        saturate(to, more);
}

void quantities_subtract(struct quantities *from, const struct quantities *less)
{
    struct quantities rest;
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        rest.amount[i] = from->amount[i] - less->amount[i];
    *from = rest;
}

struct quantities quantities_rest(const struct quantities *whole, const struct quantities *part)
{
    struct quantities rest;
    for (size_t i = 0; i < QUANTITIES_NAMES; i++) {
        int64_t left = whole->amount[i] - part->amount[i];
        rest.amount[i] = left > 0 ? left : 0;
    }
    return rest;
}

bool quantities_empty(const struct quantities *quantities)
{
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        if (quantities->amount[i] > 0)
            return false;
    return true;
}

bool quantities_contain(const struct quantities *whole, const struct quantities *part)
{
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        if (part->amount[i] > whole->amount[i])
            return false;
    return true;
}

// ---- text ----

// The number of the first name behind `last` in the alphabet, NULL for the first of all; or -1.
static int next_name(const struct quantity_names *names, const char *last)
{
    int next = -1;
    for (size_t i = 0; i < names->count; i++)
        if ((last == NULL || strcmp(names->names[i], last) > 0) &&
            (next < 0 || strcmp(names->names[i], names->names[next]) < 0))
            next = (int)i;
    return next;
}

char *quantities_text(const struct quantity_names *names, const struct quantities *quantities)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (int i = next_name(names, NULL); i >= 0; i = next_name(names, names->names[i]))
        if (quantities->amount[i] > 0)
            buffer_format(&out, "%s%s:%.15g", out.length > 0 ? "; " : "", names->names[i],
                          (double)quantities->amount[i] / 1000);
    char *text = memory_string(out.length > 0 ? buffer_string(&out) : "{}");
    buffer_free(&out);
    return text;
}
