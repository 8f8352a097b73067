// SPDX-License-Identifier: Apache-2.0
//
// Editing of lines on a terminal, with history, by libedit. The library is loaded when somebody
// types, since frameworks never do.

#ifndef MESOS_LUA_CLI_LINE_EDITOR_H
#define MESOS_LUA_CLI_LINE_EDITOR_H

#include <stdbool.h>

// False if there is no libedit, or none that fits.
bool line_editor_open(unsigned history_most);

// The next line, to be freed, or NULL at the end. What was typed is remembered.
char *line_editor_read(const char *prompt);

void line_editor_read_history(const char *path);  // a file that is missing is fine
void line_editor_write_history(const char *path); // a file that cannot be written is given up

#endif
