// SPDX-License-Identifier: Apache-2.0
//
// Parses the requests of a client of the control socket from the bytes that it sent: one a line, an
// object in JSON or plain words (control.h). Does no I/O.

#ifndef MESOS_LUA_OPS_CONTROL_LINE_H
#define MESOS_LUA_OPS_CONTROL_LINE_H

#include "base/bytes.h"

#include <jansson.h>
#include <stdbool.h>

struct control_line {
    size_t length;         // bytes of the input, with the end of the line
    const char *command;   // NULL: an empty line, or there is a complaint
    struct slice argument; // "" if there is none; both are valid until control_line_free()
    const char *complaint; // what is wrong with it, or NULL

    json_t *object; // `command` and `argument` point into one of these
    char *text;
};

// Reads the first line of the input. False if no complete one is there; at the end of the input
// (`ended`) the last line may lack its newline.
bool control_line_read(struct slice input, bool ended, struct control_line *line);
void control_line_free(struct control_line *line);

#endif
