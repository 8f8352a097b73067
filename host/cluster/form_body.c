// SPDX-License-Identifier: Apache-2.0
//
// Forms; see the header.

#include "cluster/form_body.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char digit)
{
    return isdigit((unsigned char)digit)    ? digit - '0'
           : isxdigit((unsigned char)digit) ? tolower((unsigned char)digit) - 'a' + 10
                                            : -1;
}

// Decodes in place. False at a "%" without two digits.
static bool decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        bool escaped = *at == '%';
        int high = escaped ? hex_digit(at[1]) : 0;
        int low = escaped && high >= 0 ? hex_digit(at[2]) : 0;
        if (high < 0 || low < 0)
            return false;
        *to++ = escaped ? (char)(high * 16 + low) : *at == '+' ? ' ' : *at;
        at += escaped ? 2 : 0;
    }
    *to = '\0';
    return true;
}

char *form_body_value(struct buffer *body, const char *name, struct error *err)
{
    char *copy = memory_string(buffer_string(body)), *rest = copy, *found = NULL;
    bool good = true;
    for (char *pair; good && found == NULL && (pair = strsep(&rest, "&;")) != NULL;) {
        char *value = strchr(pair, '=');
        if (value != NULL)
            *value++ = '\0';
        good = decode(pair) && (value == NULL || decode(value));
        if (good && strcmp(pair, name) == 0)
            found = memory_string(value ? value : "");
    }
    free(copy);
    if (!good)
        error_set(err, ERROR_INVALID, "Unable to decode query string: Malformed %% escape");
    return found;
}
