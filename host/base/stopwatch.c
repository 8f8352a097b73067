// SPDX-License-Identifier: Apache-2.0
//
// The clock for measurements: see stopwatch.h.

#include "base/stopwatch.h"

#include <time.h>

double stopwatch_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
