// SPDX-License-Identifier: Apache-2.0
//
// A set of role names, in the order in which they came. Owns copies of the names.

#ifndef MESOS_LUA_MESOS_ROLES_H
#define MESOS_LUA_MESOS_ROLES_H

#include "base/bytes.h"

struct roles {
    char **names;
    size_t count;
};

void roles_add(struct roles *roles, const char *name); // does nothing if it is there already
void roles_add_slice(struct roles *roles, struct slice name);
void roles_remove(struct roles *roles, const char *name);
void roles_clear(struct roles *roles); // and returns its memory

#endif
