// SPDX-License-Identifier: Apache-2.0
//
// Operations on the resources of an agent: it makes and removes the folders of persistent volumes,
// and reports each operation that has an id as finished. A report has a uuid, and is sent again
// until the framework acknowledges it, after 10 s, 20 s and so on up to 10 minutes, also if the
// framework was away meanwhile. The books of resources are the master's.
//
// Volumes lie where a real agent has them below its work folder: here that is
// WORK_DIR/slaves/AGENT_ID, as all agents of a cluster share one.

#ifndef MESOS_LUA_AGENT_AGENT_OPERATIONS_H
#define MESOS_LUA_AGENT_AGENT_OPERATIONS_H

#include "agent/runner.h"
#include "loop/loop.h"

#include "mesos/v1/mesos.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

struct agent_operations;

struct agent_operations_options {
    const char *agent_id;
    const char *work_dir;
    struct runner *runner;
};

// Called from the loop.
typedef void (*agent_operations_update)(void *data, const char *framework_id,
                                        const Mesos__V1__OperationStatus *status);

// The options are copied; the runner must outlive it.
struct agent_operations *agent_operations_create(struct loop *loop,
                                                 const struct agent_operations_options *options,
                                                 agent_operations_update update, void *data);
void agent_operations_destroy(struct agent_operations *operations); // NULL is fine

// Carries out an operation that the master has found valid; its resources are in the format of
// RESERVATION_REFINEMENT. `framework_id` is NULL for one of an operator. It is reported if it has
// an id and is of a framework.
void agent_operations_apply(struct agent_operations *operations, const char *framework_id,
                            const Mesos__V1__Offer__Operation *operation);

// True if that report was waiting for its acknowledgement; it is not sent again.
bool agent_operations_acknowledge(struct agent_operations *operations, const char *framework_id,
                                  const char *operation_id, const ProtobufCBinaryData *uuid);

// Forgets what a framework that was removed has not acknowledged.
void agent_operations_remove_framework(struct agent_operations *operations,
                                       const char *framework_id);

#endif
