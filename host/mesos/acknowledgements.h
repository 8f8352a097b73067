// SPDX-License-Identifier: Apache-2.0
//
// Status updates: how a received one is acknowledged, and those that the driver makes itself for
// launches that never left this process. Acknowledgements are built from the received bytes only,
// so that they name nothing that the master has not named.

#ifndef MESOS_LUA_MESOS_ACKNOWLEDGEMENTS_H
#define MESOS_LUA_MESOS_ACKNOWLEDGEMENTS_H

#include "base/buffer.h"
#include "tasks/status.h"

#include "mesos/v1/mesos.pb-c.h"

// Replaces `out` by the Call.Acknowledge for a TaskStatus, or the Call.AcknowledgeOperationStatus
// for an OperationStatus. False if it needs none: no uuid, or no agent to send it to.
bool acknowledgements_acknowledge(const struct status *status, struct buffer *out);
bool acknowledgements_acknowledge_operation(struct slice status, struct buffer *out);

// Statuses of operations that were delivered to somebody who acknowledges for himself. A master may
// die of an acknowledgement that names another agent than the operation's, so it is built from the
// status that came with the same uuid, whatever is handed back. The most recent ones are kept; one
// that is forgotten comes again.
struct acknowledgements_kept {
    struct update_kept *first;
    size_t count;
};

void acknowledgements_keep(struct acknowledgements_kept *kept, struct slice status);
// The status with the uuid of this one, or NULL; a reference that the caller gives back.
struct bytes *acknowledgements_take(struct acknowledgements_kept *kept, struct slice status);
void acknowledgements_forget(struct acknowledgements_kept *kept);

// An Event of type UPDATE, made here: a task of a launch that could not be sent, and why. No uuid.
struct bytes *acknowledgements_disconnected(struct slice task_id, const char *why,
                                            bool partition_aware, double timestamp);

#endif
