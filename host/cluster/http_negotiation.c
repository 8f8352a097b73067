// SPDX-License-Identifier: Apache-2.0
//
// Accept headers; see the header.

#include "cluster/http_negotiation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t span_trimmed(const char **text, size_t length)
{
    while (length > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        length--;
    }
    while (length > 0 && ((*text)[length - 1] == ' ' || (*text)[length - 1] == '\t'))
        length--;
    return length;
}

// True if a range such as "application/*;q=0.5" covers the type; q=0 excludes it.
static bool range_covers(const char *range, size_t length, const char *type)
{
    size_t name = strcspn(range, ";,");
    if (name > length)
        name = length;
    for (const char *at = range + name; at < range + length; at++) {
        if (strncasecmp(at, "q=", 2) != 0)
            continue;
        if (strtod(at + 2, NULL) <= 0)
            return false;
    }
    name = span_trimmed(&range, name);
    return (name == strlen(type) && strncasecmp(range, type, name) == 0) ||
           (name == 3 && strncmp(range, "*/*", 3) == 0) ||
           (name == 13 && strncasecmp(range, "application/*", 13) == 0);
}

bool http_negotiation_accepts(const struct http_exchange *exchange, const char *type)
{
    const char *accept = http_exchange_header(exchange, MHD_HTTP_HEADER_ACCEPT);
    if (accept == NULL)
        return true;
    while (*accept) {
        size_t length = strcspn(accept, ",");
        if (range_covers(accept, length, type))
            return true;
        accept += length + (accept[length] == ',');
    }
    return false;
}

bool http_negotiation_is_json(const struct http_exchange *exchange)
{
    const char *type = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    return type != NULL && strcmp(type, HTTP_JSON) == 0;
}
