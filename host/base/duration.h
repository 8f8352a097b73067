// SPDX-License-Identifier: Apache-2.0
//
// Durations as users and Mesos write them: "2", "500ms", "2secs", "15mins".

#ifndef MESOS_LUA_BASE_DURATION_H
#define MESOS_LUA_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

// Reads a number with a unit of Mesos (ns, us, ms, secs, mins, hrs, days, weeks), a shorter one (s,
// m, h, d), or none, which is seconds. False if it is anything else.
bool duration_parse(const char *text, double *seconds);

// As Mesos writes them: a whole number of the largest unit that allows one. Not negative; to be
// freed.
char *duration_text(int64_t nanoseconds);

#endif
