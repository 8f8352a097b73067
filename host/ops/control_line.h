// SPDX-License-Identifier: Apache-2.0
//
// The requests of a client of the control socket, taken from the bytes that it sent: one a line, an
// object in JSON or plain words (control.h). Knows no socket, so that it can be given any bytes.

#ifndef MESOS_LUA_OPS_CONTROL_LINE_H
#define MESOS_LUA_OPS_CONTROL_LINE_H

#include "base/bytes.h"

#include <jansson.h>
#include <stdbool.h>

struct control_line {
    size_t taken;          // bytes of the input that it takes, with its end
    const char *command;   // NULL: an empty line, or there is a complaint
    struct slice argument; // "" if there is none; both are valid until control_line_free()
    const char *complaint; // what is wrong with it, or NULL

    json_t *object; // what the two point into
    char *text;
};

// Reads the first line of the input. False if no whole one is there; the last one, when no more
// comes (`ended`), may lack its newline.
bool control_line_read(struct slice input, bool ended, struct control_line *line);
void control_line_free(struct control_line *line);

#endif
