// SPDX-License-Identifier: Apache-2.0
//
// The nearest name: see suggest.h. The distance counts insertions, deletions, replacements and
// swaps of neighbours, row by row over three rows; longer words than WORD_LIMIT are not compared.

#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_LIMIT 63

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// `row`, `last` and `before` are the rows of this letter of `a` and of the two in front of it.
static void fill_row(const char *a, size_t i, const char *b, size_t length, unsigned *row,
                     const unsigned *last, const unsigned *before)
{
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= length; j++) {
        unsigned changed = last[j - 1] + !same(a[i - 1], b[j - 1]);
        row[j] = least(changed, least(last[j], row[j - 1]) + 1);
        if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
            row[j] = least(row[j], before[j - 2] + 1);
    }
}

static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][WORD_LIMIT + 1] = {0};
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++)
        fill_row(a, i, b, b_length, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
    return rows[a_length % 3][b_length];
}

const char *suggest_near(const char *word, suggest_name name, const void *data)
{
    size_t length = strlen(word);
    if (length == 0 || length > WORD_LIMIT)
        return NULL;
    const char *nearest = NULL, *candidate;
    unsigned best = length < 3 ? 2 : (unsigned)(length / 3) + 1;
    for (size_t i = 0; (candidate = name(data, i)) != NULL; i++) {
        size_t other = strlen(candidate);
        unsigned found = other > WORD_LIMIT ? best : distance(word, length, candidate, other);
        if (found < best && found < other) {
            best = found;
            nearest = candidate;
        }
    }
    return nearest;
}

static bool is_part(const char *word, size_t length, const char *name)
{
    enum { LEAST = 3 };
    size_t other = strlen(name);
    size_t shorter = length < other ? length : other;
    if (shorter < LEAST)
        return false;
    if (strncasecmp(word, name, shorter) == 0)
        return true;
    return other > length && name[other - length - 1] == '_' &&
           strcasecmp(name + other - length, word) == 0;
}

static const char *find_part(const char *word, suggest_name name, const void *data)
{
    const char *shortest = NULL, *candidate;
    size_t length = strlen(word);
    for (size_t i = 0; (candidate = name(data, i)) != NULL; i++)
        if (is_part(word, length, candidate) &&
            (shortest == NULL || strlen(candidate) < strlen(shortest)))
            shortest = candidate;
    return shortest;
}

const char *suggest(const char *word, suggest_name name, const void *data)
{
    const char *nearest = suggest_near(word, name, data);
    return nearest ? nearest : find_part(word, name, data);
}
