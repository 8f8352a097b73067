// SPDX-License-Identifier: Apache-2.0
//
// The kinds of values that options have: see options_internal.h.

#include "app/options_internal.h"

#include "base/bytes.h"
#include "base/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool options_read_truth(const char *name, const char *text, bool *truth, struct error *err)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    enum { OFF_WORDS = 3, WORDS = 6 };
    size_t word = 0;
    while (word < WORDS && strcasecmp(words[word], text) != 0)
        word++;
    bool number = *text != '\0' && strspn(text, "0123456789") == strlen(text);
    if (word == WORDS && !number)
        return error_set(err, ERROR_INVALID, "%s: a number, true or false expected, got '%s'", name,
                         text);
    *truth = number ? strspn(text, "0") < strlen(text) : word >= OFF_WORDS;
    return true;
}

static bool parse_flag(const struct option_row *row, const char *name, const char *text,
                       void *field, struct error *err)
{
    bool on;
    if (!options_read_truth(name, text, &on, err))
        return false;
    if (on)
        *(int *)field = row->flag_value;
    return true;
}

static bool parse_switch(const struct option_row *row, const char *name, const char *text,
                         void *field, struct error *err)
{
    (void)row;
    bool on;
    if (!options_read_truth(name, text, &on, err))
        return false;
    *(int *)field = on;
    return true;
}

static bool parse_text(const struct option_row *row, const char *name, const char *text,
                       void *field, struct error *err)
{
    if (*text == '\0')
        return error_set(err, ERROR_INVALID, "%s: %s expected, got ''", name, row->value_name);
    *(const char **)field = text;
    return true;
}

static bool parse_texts(const struct option_row *row, const char *name, const char *text,
                        void *field, struct error *err)
{
    struct options_texts *texts = field;
    if (texts->count == OPTIONS_TEXTS_MOST)
        return error_set(err, ERROR_LIMIT, "%s: it may be given %d times", name,
                         OPTIONS_TEXTS_MOST);
    if (!parse_text(row, name, text, &texts->items[texts->count], err))
        return false;
    texts->count++;
    return true;
}

// `unit` is what stands behind the digits.
static bool split_number(const char *text, int64_t *number, const char **unit)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    *unit = end;
    return errno == 0;
}

bool options_wrong_number(const struct option_row *row, const char *name, const char *text,
                          struct error *err)
{
    char more[64] = "";
    if (row->sim_max > 0)
        snprintf(more, sizeof more, " (for sim to %.0f)", row->sim_max);
    return error_set(err, ERROR_INVALID,
                     "%s: a whole number from %.0f to %.0f%s expected, got '%s'", name, row->min,
                     row->max, more, text);
}

static bool parse_number(const struct option_row *row, const char *name, const char *text,
                         void *field, struct error *err)
{
    int64_t number;
    const char *unit;
    double most = row->sim_max > 0 ? row->sim_max : row->max;
    bool valid = split_number(text, &number, &unit) && *unit == '\0';
    if (!valid || (double)number < row->min || (double)number > most)
        return options_wrong_number(row, name, text, err);
    *(int64_t *)field = number;
    return true;
}

static bool parse_seconds(const struct option_row *row, const char *name, const char *text,
                          void *field, struct error *err)
{
    double seconds = 0;
    bool valid = duration_parse(text, &seconds);
    if (!valid || !(seconds >= row->min && seconds <= row->max))
        return error_set(err, ERROR_INVALID,
                         "%s: a number of seconds from %g to %g expected, got '%s'", name, row->min,
                         row->max, text);
    *(double *)field = seconds;
    return true;
}

// The shift that a unit such as "M", "MB" or "MiB" stands for, or -1.
static int unit_shift(const char *unit)
{
    static const char letters[] = "KMGT";
    static const char *const tails[] = {"", "B", "iB"};
    if (*unit == '\0' || strcasecmp(unit, "B") == 0)
        return 0;
    const char *letter = strchr(letters, *unit & ~0x20);
    for (size_t i = 0; letter != NULL && i < sizeof tails / sizeof *tails; i++)
        if (strcasecmp(unit + 1, tails[i]) == 0)
            return 10 * (int)(letter - letters + 1);
    return -1;
}

static bool parse_size(const struct option_row *row, const char *name, const char *text,
                       void *field, struct error *err)
{
    int64_t number;
    const char *unit;
    bool valid = split_number(text, &number, &unit);
    int shift = valid ? unit_shift(unit) : -1;
    valid = shift >= 0 && number <= INT64_MAX >> shift;
    int64_t bytes = valid ? number << shift : 0;
    if (!valid || (double)bytes < row->min || (double)bytes > row->max)
        return error_set(err, ERROR_INVALID,
                         "%s: a number of bytes from %.0f to %.0f, such as %s, expected, got '%s'",
                         name, row->min, row->max,
                         row->min > 65536 ? "8M, 512M or 2G" : "65536, 512K or 64M", text);
    *(int64_t *)field = bytes;
    return true;
}

static bool wrong_choice(const struct option_row *row, const char *name, const char *text,
                         struct error *err)
{
    char list[128] = "";
    size_t used = 0;
    for (size_t i = 0; row->choices[i] != NULL; i++) {
        const char *between = i == 0 ? "" : row->choices[i + 1] == NULL ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", between, row->choices[i]);
    }
    return error_set(err, ERROR_INVALID, "%s: %s expected, got '%s'", name, list, text);
}

static bool parse_choice(const struct option_row *row, const char *name, const char *text,
                         void *field, struct error *err)
{
    int choice = 0;
    while (row->choices[choice] != NULL && strcasecmp(row->choices[choice], text) != 0)
        choice++;
    if (row->choices[choice] == NULL)
        return wrong_choice(row, name, text, err);
    *(int *)field = choice;
    return true;
}

// The host of "ADDR:PORT", without brackets; empty if it is invalid.
static struct slice address_host(const char *text, const char *colon)
{
    struct slice host = {(const uint8_t *)text, (size_t)(colon - text)};
    bool bracketed = host.length > 2 && text[0] == '[' && colon[-1] == ']';
    if (bracketed)
        return (struct slice){host.data + 1, host.length - 2};
    bool plain = memchr(text, ':', host.length) == NULL && strcspn(text, "[]/@") >= host.length;
    return plain ? host : (struct slice){NULL, 0};
}

static bool parse_address(const struct option_row *row, const char *name, const char *text,
                          void *field, struct error *err)
{
    (void)row;
    struct options_address *address = field;
    const char *colon = strrchr(text, ':'), *unit;
    int64_t port = 0;
    struct slice host = colon ? address_host(text, colon) : (struct slice){NULL, 0};
    bool valid = host.length > 0 && host.length < sizeof address->host &&
                 split_number(colon + 1, &port, &unit) && *unit == '\0' && port <= UINT16_MAX;
    if (!valid)
        return error_set(err, ERROR_INVALID,
                         "%s: ADDR:PORT expected, such as 127.0.0.1:5050 or [::1]:5050, got '%s'",
                         name, text);
    memcpy(address->host, host.data, host.length);
    address->host[host.length] = '\0';
    address->port = (uint16_t)port;
    return true;
}

const struct option_kind options_flag = {.is_flag = true, .parse = parse_flag};
const struct option_kind options_switch = {.parse = parse_switch};
const struct option_kind options_text = {.parse = parse_text};
const struct option_kind options_texts = {.parse = parse_texts};
const struct option_kind options_number = {.parse = parse_number};
const struct option_kind options_size = {.parse = parse_size};
const struct option_kind options_seconds = {.parse = parse_seconds};
const struct option_kind options_choice = {.parse = parse_choice};
const struct option_kind options_address = {.parse = parse_address};
