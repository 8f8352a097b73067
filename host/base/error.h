// SPDX-License-Identifier: Apache-2.0
//
// What went wrong, in words that a user can act on. A function that can fail returns bool (or NULL)
// and fills the `struct error *` it was given; the text is written where the facts are known,
// callers put their context in front. A function that reports an error does not log it as well.
// Every `err` argument may be NULL.

#ifndef MESOS_LUA_BASE_ERROR_H
#define MESOS_LUA_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE,
    ERROR_INVALID,  // the caller's input: an option, an address, a message
    ERROR_PROTOCOL, // the peer did not keep to the protocol
    ERROR_IO,       // the system or the network failed
    ERROR_LIMIT,    // a cap was reached
    ERROR_REFUSED,  // the peer understood and refused
    ERROR_SCRIPT,   // a Lua error
};

struct error {
    enum error_code code;
    char text[1024];
};

// Fills `err`; returns false always, so that `return error_set(...)` reads well. Text that does not
// fit is cut.
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts context in front of the text that is there: "context: text". Returns false always.
bool error_context(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
