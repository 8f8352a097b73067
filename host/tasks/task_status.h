// SPDX-License-Identifier: Apache-2.0
//
// The fields of a TaskStatus that the driver uses, read in one walk over its bytes, which
// wire_accept() has accepted.

#ifndef MESOS_LUA_TASKS_TASK_STATUS_H
#define MESOS_LUA_TASKS_TASK_STATUS_H

#include "base/bytes.h"

struct task_status {
    struct slice task_id, agent_id, executor_id; // the messages, see wire_text(); data NULL: absent
    struct slice uuid;                           // likewise
    int32_t state, reason;                       // if has_state, if has_reason
    double timestamp;                            // 0: absent
    bool has_state, has_reason, has_healthy, healthy;
};

struct task_status task_status_read(struct slice message);

#endif
