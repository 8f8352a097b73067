// SPDX-License-Identifier: Apache-2.0
//
// The names that every agent knows: see resource_names.h.

#include "offers/resource_names.h"

#include "base/suggest.h"

#include <string.h>
#include <strings.h>

static const struct known_name {
    const char *name;
    Mesos__V1__Value__Type type;
    const char *form; // what its value is
} known_names[] = {
    {"cpus", MESOS__V1__VALUE__TYPE__SCALAR, "a number, such as cpus:4"},
    {"mem", MESOS__V1__VALUE__TYPE__SCALAR, "a number of megabytes, such as mem:1024"},
    {"disk", MESOS__V1__VALUE__TYPE__SCALAR, "a number of megabytes, such as disk:1024"},
    {"gpus", MESOS__V1__VALUE__TYPE__SCALAR, "a number, such as gpus:1"},
    {"ports", MESOS__V1__VALUE__TYPE__RANGES, "a list of ranges, such as ports:[31000-31009]"},
};

enum { KNOWN_NAMES = sizeof known_names / sizeof *known_names };

static const char *known_name(const void *data, size_t index)
{
    (void)data;
    return index < KNOWN_NAMES ? known_names[index].name : NULL;
}

bool resource_names_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_NAMES; i++)
        if (strcmp(known_names[i].name, name) == 0)
            return true;
    return false;
}

static size_t rank(const char *name)
{
    size_t i = 0;
    while (i < KNOWN_NAMES && strcmp(known_names[i].name, name) != 0)
        i++;
    return i;
}

int resource_names_order(const char *a, const char *b)
{
    size_t first = rank(a), second = rank(b);
    return first != second ? (first < second ? -1 : 1) : strcmp(a, b);
}

// A name that is further off than one letter may well be meant: "cpuset".
static const char *find_meant(const char *name)
{
    static const struct {
        const char *name, *meant;
    } rows[] = {{"cores", "cpus"}, {"memory", "mem"}, {"ram", "mem"}};
    if (resource_names_known(name))
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(rows[i].name, name) == 0)
            return rows[i].meant;
    const char *near = suggest_near(name, known_name, NULL);
    size_t length = strlen(name), other = near ? strlen(near) : 0;
    return near != NULL && length + 1 >= other && length <= other + 1 ? near : NULL;
}

bool resource_names_check(const Mesos__V1__Resource *resource, struct error *err)
{
    const char *meant = find_meant(resource->name);
    if (meant != NULL)
        return error_set(err, ERROR_INVALID, "unknown resource '%.200s' (did you mean '%s'?)",
                         resource->name, meant);
    for (size_t i = 0; i < KNOWN_NAMES; i++)
        if (strcmp(known_names[i].name, resource->name) == 0 &&
            known_names[i].type != resource->type)
            return error_set(err, ERROR_INVALID, "'%s' is %s", known_names[i].name,
                             known_names[i].form);
    return true;
}
