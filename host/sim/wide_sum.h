// SPDX-License-Identifier: Apache-2.0
//
// A sum that does not overflow: thousandths of resources times nanoseconds, of a large cluster over
// years, take more than 64 bits.

#ifndef MESOS_LUA_SIM_WIDE_SUM_H
#define MESOS_LUA_SIM_WIDE_SUM_H

__extension__ typedef __int128 wide_sum;

#endif
