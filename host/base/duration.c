// SPDX-License-Identifier: Apache-2.0
//
// Durations: see duration.h.

#include "base/duration.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool duration_parse(const char *text, double *seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {
        {"", 1},       {"s", 1},        {"secs", 1},       {"ms", 0.001}, {"us", 1e-6},
        {"ns", 1e-9},  {"m", 60},       {"h", 3600},       {"d", 86400},  {"mins", 60},
        {"hrs", 3600}, {"days", 86400}, {"weeks", 604800},
    };
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        *seconds = number * units[i].seconds;
        if (strcmp(units[i].name, end) == 0)
            return true;
    }
    return false;
}

char *duration_text(int64_t nanoseconds)
{
    static const struct {
        const char *name;
        int64_t length;
    } units[] = {{"weeks", INT64_C(604800000000000)},
                 {"days", INT64_C(86400000000000)},
                 {"hrs", INT64_C(3600000000000)},
                 {"mins", INT64_C(60000000000)},
                 {"secs", INT64_C(1000000000)},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    size_t unit = 0;
    if (nanoseconds == 0)
        return memory_string("0ns");
    while (nanoseconds % units[unit].length != 0)
        unit++;
    return memory_format("%" PRId64 "%s", nanoseconds / units[unit].length, units[unit].name);
}
