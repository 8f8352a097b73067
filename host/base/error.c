// SPDX-License-Identifier: Apache-2.0
//
// Errors as values: see error.h.

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (err == NULL)
        return false;
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool error_context(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return false;
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = strlen(text), room = sizeof text - length - 1;
    snprintf(text + length, room + 1, ": %.*s", room > 2 ? (int)room - 2 : 0, err->text);
    memcpy(err->text, text, sizeof text);
    return false;
}
