// SPDX-License-Identifier: Apache-2.0
//
// The values of JSON as Mesos writes them. Each function appends to the buffer and returns false at
// its cap.

#ifndef MESOS_LUA_WIRE_JSON_TEXT_H
#define MESOS_LUA_WIRE_JSON_TEXT_H

#include "base/buffer.h"

bool json_text_string(const char *text, struct buffer *out);               // in quotes
bool json_text_bytes(const char *text, size_t length, struct buffer *out); // the same; any bytes
bool json_text_base64(const uint8_t *data, size_t length, struct buffer *out);

// The shortest text that reads back as the same number, with a decimal point or an exponent. JSON
// has no infinity and no NaN: those are null.
bool json_text_double(double value, struct buffer *out);

// An upper bound of the number of values in a text, without parsing it: each is the first of a list
// or object, or follows a comma.
size_t json_text_values(struct slice text);

#endif
