// SPDX-License-Identifier: Apache-2.0
//
// A set of role names: see roles.h. Frameworks have a handful of roles, so the search is linear.

#include "mesos/roles.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct roles *roles, const char *name)
{
    size_t i = 0;
    while (i < roles->count && strcmp(roles->names[i], name) != 0)
        i++;
    return i;
}

void roles_add(struct roles *roles, const char *name)
{
    if (index_of(roles, name) < roles->count)
        return;
    roles->names = memory_resize(roles->names, (roles->count + 1) * sizeof *roles->names);
    roles->names[roles->count++] = memory_string(name);
}

void roles_add_slice(struct roles *roles, struct slice name)
{
    char *text = memory_text((const char *)name.data, name.length);
    roles_add(roles, text);
    free(text);
}

void roles_remove(struct roles *roles, const char *name)
{
    size_t i = index_of(roles, name);
    if (i == roles->count)
        return;
    free(roles->names[i]);
    roles->count--;
    memmove(&roles->names[i], &roles->names[i + 1], (roles->count - i) * sizeof *roles->names);
}

void roles_clear(struct roles *roles)
{
    for (size_t i = 0; i < roles->count; i++)
        free(roles->names[i]);
    free(roles->names);
    *roles = (struct roles){.names = NULL};
}
