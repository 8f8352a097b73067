// SPDX-License-Identifier: Apache-2.0
//
// UTF-8: what JSON, protobuf and terminals accept as text.

#ifndef MESOS_LUA_BASE_UTF8_H
#define MESOS_LUA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

// The length of the sequence at `text`, of which `left` bytes (at least 1) are there, or 0 if there
// is none: surrogates, overlong forms and what is above U+10FFFF are none.
size_t utf8_length(const unsigned char *text, size_t left);

// True if all of it is UTF-8.
bool utf8_valid(const char *text, size_t length);

#endif
