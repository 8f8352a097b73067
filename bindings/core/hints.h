// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?" for words of the field: those that people bring along from the command line,
// from Mesos 0.x and from other libraries, and that no likeness of letters leads home.

#ifndef MESOS_LUA_BINDINGS_CORE_HINTS_H
#define MESOS_LUA_BINDINGS_CORE_HINTS_H

#include "base/suggest.h"

#include <lua.h>

// As suggest(), for names that are misspelt or brought along from elsewhere, but not cut short;
// what is meant by such a word comes first, if it is among the names.
const char *hints_near(const char *word, suggest_name name, const void *data);

// Gives numbers an answer to the question for their field `value`, which ids and
// scalars have elsewhere. // [-0, +0, e]
void hints_open(lua_State *L);

// As suggest(), with the same first: pushes " (did you mean 'mem'?)", or nothing if there is no
// suggestion, as a text and returns it.
// [-0, +1, m]
const char *hints_push(lua_State *L, const char *word, suggest_name name, const void *data);

#endif
