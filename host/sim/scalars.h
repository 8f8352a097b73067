// SPDX-License-Identifier: Apache-2.0
//
// Amounts of the four scalar resources that are measured, in thousandths, as Mesos computes.

#ifndef MESOS_LUA_SIM_SCALARS_H
#define MESOS_LUA_SIM_SCALARS_H

#include "offers/resources.h"

#include <stdint.h>

enum scalar { SCALAR_CPUS, SCALAR_MEM, SCALAR_DISK, SCALAR_GPUS, SCALARS };

struct scalars {
    int64_t amount[SCALARS];
};

extern const char *const scalars_names[SCALARS];

struct scalars scalars_of(const struct resources *list); // what else there is does not count

// Negative and NaN are 0. What is too large is cut, for one agent here as well as there: the sums
// over a million agents fit into 64 bits.
int64_t scalars_thousandths(double value);

#endif
