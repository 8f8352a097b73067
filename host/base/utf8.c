// SPDX-License-Identifier: Apache-2.0
//
// UTF-8, by the table of well-formed sequences of the Unicode Standard; see utf8.h.

#include "base/utf8.h"

static const struct {
    unsigned char low, high, second_low, second_high;
    size_t length;
} rows[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

enum { ROWS = sizeof rows / sizeof *rows };

size_t utf8_length(const unsigned char *text, size_t left)
{
    size_t row = 0;
    while (row < ROWS && (*text < rows[row].low || *text > rows[row].high))
        row++;
    if (row == ROWS || rows[row].length > left)
        return 0;
    size_t length = rows[row].length;
    if (length > 1 && (text[1] < rows[row].second_low || text[1] > rows[row].second_high))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool utf8_valid(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < length) {
        size_t step = utf8_length(bytes + at, length - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
