// SPDX-License-Identifier: Apache-2.0
//
// Symbolic links to sandboxes, for people and tools. Tasks run without them, too.

#ifndef MESOS_LUA_AGENT_RUNNER_ALIASES_H
#define MESOS_LUA_AGENT_RUNNER_ALIASES_H

#include "agent/runner.h"

// The list ends with an empty one, or is NULL.
struct runner_alias *runner_aliases_copy(const struct runner_alias *aliases);
void runner_aliases_free(struct runner_alias *aliases);

// Makes the links and the folders that they are in. One that is there is replaced in one step;
// `name`, which no other link has, is for that moment.
void runner_aliases_make(const struct runner_alias *aliases, const char *name);

#endif
