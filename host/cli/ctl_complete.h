// SPDX-License-Identifier: Apache-2.0
//
// What the tabulator completes in the console: the fields and methods of what is there, in the
// host, and the commands behind a colon.

#ifndef MESOS_LUA_CLI_CTL_COMPLETE_H
#define MESOS_LUA_CLI_CTL_COMPLETE_H

#include "cli/ctl_client.h"

// The words that begin as `word` does, in order: a list that ends with NULL, to be freed with its
// texts, or NULL. `word` is a chain of names such as "driver:of"; of any other there are none,
// since nothing is called to find out.
char **ctl_complete(struct ctl_client *client, const char *word);

#endif
