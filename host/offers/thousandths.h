// SPDX-License-Identifier: Apache-2.0
//
// Scalars as Mesos computes with them: in thousandths.

#ifndef MESOS_LUA_OFFERS_THOUSANDTHS_H
#define MESOS_LUA_OFFERS_THOUSANDTHS_H

#include <math.h>
#include <stdint.h>

// Sums stay below what 64 bits hold.
#define THOUSANDTHS_MOST INT64_C(9000000000000000000)

// Rounded half away from zero, as llround() does, which would be a call. What is too large, or no
// number, is the most.
static inline int64_t thousandths_of(double value)
{
    double exact = value * 1000;
    if (!(fabs(exact) < (double)THOUSANDTHS_MOST))
        return value > 0 ? THOUSANDTHS_MOST : -THOUSANDTHS_MOST;
    int64_t whole = (int64_t)exact;
    double rest = exact - (double)whole;
    return whole + (rest >= 0.5) - (rest <= -0.5);
}

#endif
