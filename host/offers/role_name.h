// SPDX-License-Identifier: Apache-2.0
//
// What a role may be called, as every Mesos master checks it: paths such as "eng/dev" of components
// without blanks, or "*".

#ifndef MESOS_LUA_OFFERS_ROLE_NAME_H
#define MESOS_LUA_OFFERS_ROLE_NAME_H

#include "base/error.h"

// False and what is wrong, in Mesos's words, such as "Role '/a' cannot start with a slash".
bool role_name_check(const char *role, struct error *err);

// Whether `role` lies strictly below `outer`: "eng/dev" below "eng".
bool role_name_below(const char *role, const char *outer);

#endif
