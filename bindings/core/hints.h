// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?" for words that people know from the command line, from Mesos 0.x and from
// other libraries, and whose spelling is not similar to the name that is meant here.

#ifndef MESOS_LUA_BINDINGS_CORE_HINTS_H
#define MESOS_LUA_BINDINGS_CORE_HINTS_H

#include "base/suggest.h"

#include <lua.h>

// As suggest(), for misspelt names and words from elsewhere, but not for abbreviations; the
// translation of such a word comes first, if it is among the names.
const char *hints_near(const char *word, suggest_name name, const void *data);

// Gives numbers an __index that explains the missing field `value`, which ids and scalars have in
// other languages. // [-0, +0, e]
void hints_open(lua_State *L);

// As suggest(), the translation first: pushes " (did you mean 'mem'?)", or nothing if there is no
// suggestion, as a text and returns it.
// [-0, +1, m]
const char *hints_push(lua_State *L, const char *word, suggest_name name, const void *data);

#endif
