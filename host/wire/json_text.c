// SPDX-License-Identifier: Apache-2.0
//
// The values of JSON; see the header.

#include "wire/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static bool append_special(char byte, struct buffer *out)
{
    const char pair[2] = {'\\', byte};
    if (byte == '"' || byte == '\\')
        return buffer_append(out, pair, sizeof pair);
    return buffer_format(out, "\\u%04x", (unsigned char)byte);
}

bool json_text_bytes(const char *text, size_t length, struct buffer *out)
{
    bool good = buffer_append_text(out, "\"");
    for (size_t at = 0, plain; good && at < length; at += plain) {
        for (plain = 0; at + plain < length && is_plain(text[at + plain]);)
            plain++;
        good = buffer_append(out, text + at, plain);
        if (at + plain < length)
            good = good && append_special(text[at + plain++], out);
    }
    return good && buffer_append_text(out, "\"");
}

bool json_text_string(const char *text, struct buffer *out)
{
    return json_text_bytes(text, strlen(text), out);
}

bool json_text_base64(const uint8_t *data, size_t length, struct buffer *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bool good = buffer_append_text(out, "\"");
    for (size_t i = 0; good && i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)data[i] << 16;
        group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        group |= left > 2 ? data[i + 2] : 0;
        const char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                              left > 1 ? digits[group >> 6 & 63] : '=',
                              left > 2 ? digits[group & 63] : '='};
        good = buffer_append(out, text, 4);
    }
    return good && buffer_append_text(out, "\"");
}

// Most numbers are whole and need no search.
static bool is_short(double value)
{
    return fabs(value) < 1e15 && value == trunc(value) && !(value == 0 && signbit(value));
}

bool json_text_double(double value, struct buffer *out)
{
    char text[40];
    if (!isfinite(value))
        return buffer_append_text(out, "null");
    if (is_short(value))
        return buffer_format(out, "%" PRId64 ".0", (int64_t)value);
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return buffer_append_text(out, text) &&
           (strpbrk(text, ".e") != NULL || buffer_append_text(out, ".0"));
}

static bool is_opening(struct slice text, size_t i)
{
    uint8_t next = i + 1 < text.length ? text.data[i + 1] : ']';
    return (text.data[i] == '[' && next != ']') || (text.data[i] == '{' && next != '}');
}

size_t json_text_values(struct slice text)
{
    size_t count = 1;
    bool quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"')
            quoted = !quoted;
        else if (quoted)
            i += byte == '\\';
        else
            count += byte == ',' || is_opening(text, i);
    }
    return count;
}
