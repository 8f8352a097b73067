// SPDX-License-Identifier: Apache-2.0
//
// The names of resources that every agent knows: cpus, mem, disk, gpus and ports.

#ifndef MESOS_LUA_OFFERS_RESOURCE_NAMES_H
#define MESOS_LUA_OFFERS_RESOURCE_NAMES_H

#include "base/error.h"

#include "mesos/v1/mesos.pb-c.h"

bool resource_names_known(const char *name); // one of the five

// The order of names in lists of resources: the five as above, then all others as bytes. As
// strcmp().
int resource_names_order(const char *a, const char *b);

// False if the name is a misspelt one, or one of the five with a value of another type.
bool resource_names_check(const Mesos__V1__Resource *resource, struct error *err);

#endif
