// SPDX-License-Identifier: Apache-2.0
//
// The detector of addresses that a user wrote down: one, or several with commas, of which the first
// is tried, then the next, and after the last the first again. User and password of one of them are
// for all.

#ifndef MESOS_LUA_LEADER_DETECTOR_STATIC_H
#define MESOS_LUA_LEADER_DETECTOR_STATIC_H

#include "leader/detector.h"

#define DETECTOR_STATIC_ADDRESSES 64 // in one list

struct detector *detector_static_create(const char *addresses,
                                        const struct detector_options *options, struct loop *loop,
                                        struct error *err);

#endif
