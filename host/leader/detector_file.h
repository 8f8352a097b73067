// SPDX-License-Identifier: Apache-2.0
//
// The detector of "file:///path": a file that contains an address in any of the other forms. While
// it is missing or has no valid address, the detector logs that and waits. It is read again when
// the master that it named could not be reached.

#ifndef MESOS_LUA_LEADER_DETECTOR_FILE_H
#define MESOS_LUA_LEADER_DETECTOR_FILE_H

#include "leader/detector.h"

struct detector *detector_file_create(const char *url, const struct detector_options *options,
                                      struct loop *loop, struct error *err);

#endif
