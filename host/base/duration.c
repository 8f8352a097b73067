// SPDX-License-Identifier: Apache-2.0
//
// Durations: see duration.h.

#include "base/duration.h"

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
