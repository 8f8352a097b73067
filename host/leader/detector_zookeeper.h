// SPDX-License-Identifier: Apache-2.0
//
// The detector of "zk://[user:password@]host:port,.../path": the masters have nodes under that
// path, and the one with the lowest number leads. The path is created if it is absent. While
// ZooKeeper cannot be reached the leader stays the same for the length of a session, then there is
// none; a session that is renewed in time, and finds the same leader, is no event.
//
// It gives up only if ZooKeeper denies access.

#ifndef MESOS_LUA_LEADER_DETECTOR_ZOOKEEPER_H
#define MESOS_LUA_LEADER_DETECTOR_ZOOKEEPER_H

#include "leader/detector.h"

struct detector *detector_zookeeper_create(const char *url, const struct detector_options *options,
                                           struct loop *loop, struct error *err);

#endif
