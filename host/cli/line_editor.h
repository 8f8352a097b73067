// SPDX-License-Identifier: Apache-2.0
//
// Line editing on a terminal, with history, by libedit. The library is loaded on first use, as
// frameworks never need it.

#ifndef MESOS_LUA_CLI_LINE_EDITOR_H
#define MESOS_LUA_CLI_LINE_EDITOR_H

#include <stdbool.h>

// False if there is no libedit, or it lacks a function.
bool line_editor_open(unsigned history_most);

// The tabulator asks for the words that could stand in the place of the one that ends at the
// cursor: a list that ends with NULL, which is freed with its texts, or NULL. `word` is that
// without what separates words.
void line_editor_complete(char **(*words)(void *data, const char *word), void *data);

// The next line, to be freed, or NULL at the end. It is added to the history.
char *line_editor_read(const char *prompt);

void line_editor_read_history(const char *path);  // a missing file is fine
void line_editor_write_history(const char *path); // failures are ignored

#endif
