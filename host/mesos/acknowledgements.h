// SPDX-License-Identifier: Apache-2.0
//
// Status updates: how a received one is acknowledged, and those that the driver makes itself for
// launches that never left this process. Acknowledgements are built from the received bytes only,
// so they name nothing that the master has not named.

#ifndef MESOS_LUA_MESOS_ACKNOWLEDGEMENTS_H
#define MESOS_LUA_MESOS_ACKNOWLEDGEMENTS_H

#include "base/buffer.h"
#include "tasks/task_status.h"

#include "mesos/v1/mesos.pb-c.h"

// Replaces `out` by the Call.Acknowledge for a TaskStatus, or the Call.AcknowledgeOperationStatus
// for an OperationStatus. False if it needs none: no uuid, or no agent to send it to.
bool acknowledgements_build(const struct task_status *status, struct buffer *out);
bool acknowledgements_build_operation(struct slice status, struct buffer *out);

// Statuses of operations that were delivered and wait for an explicit acknowledgement. A master may
// crash on an acknowledgement that names another agent than the operation's, so it is built from
// the received status with the same uuid, and not from the one that the caller hands back. The most
// recent ones are kept; one that was dropped is sent again by the master.
struct acknowledgements_kept {
    struct update_kept *first;
    size_t count;
};

void acknowledgements_keep(struct acknowledgements_kept *kept, struct slice status);
// The status with the uuid of this one, or NULL; a reference, which the caller releases.
struct bytes *acknowledgements_take(struct acknowledgements_kept *kept, struct slice status);
void acknowledgements_forget(struct acknowledgements_kept *kept);

// An Event of type UPDATE, without uuid, for a task whose launch could not be sent: TASK_DROPPED,
// or TASK_LOST if the framework is not partition-aware.
struct bytes *acknowledgements_disconnected(struct slice task_id, const char *why,
                                            bool partition_aware, double timestamp);

#endif
