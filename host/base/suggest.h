// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?": the name that was probably meant by a misspelt word. The caller passes the
// known names (fields, callbacks, options) one by one.

#ifndef MESOS_LUA_BASE_SUGGEST_H
#define MESOS_LUA_BASE_SUGGEST_H

#include <stddef.h>

// Returns the name of that index, or NULL behind the last one.
typedef const char *(*suggest_name)(const void *data, size_t index);

// The name nearest to `word`, upper and lower case being the same, or NULL if none is near: a third
// of the letters may be wrong, missing, too many or swapped with their neighbour.
const char *suggest_near(const char *word, suggest_name name, const void *data);

// The same, or else the shortest name that the word begins, or ends behind a '_', or that begins
// the word: "decline" for "declineOffer", "RUNNING" for "TASK_RUNNING", "memory" for "mem". Three
// letters at least.
const char *suggest(const char *word, suggest_name name, const void *data);

#endif
