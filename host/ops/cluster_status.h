// SPDX-License-Identifier: Apache-2.0
//
// What `ctl status` prints of a cluster that runs alone (mesos-lua local).

#ifndef MESOS_LUA_OPS_CLUSTER_STATUS_H
#define MESOS_LUA_OPS_CLUSTER_STATUS_H

#include "base/buffer.h"
#include "cluster/cluster.h"

#include <jansson.h>

// The state of the cluster, its address, and when the process was started, since the Unix epoch: a
// new object.
json_t *cluster_status_json(const struct cluster *cluster, double started);

// Appends where it listens, its agents, and each framework with its tasks, for people.
void cluster_status(const struct cluster *cluster, struct buffer *out);

#endif
