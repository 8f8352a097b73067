// SPDX-License-Identifier: Apache-2.0
//
// Reading a TaskStatus: see task_status.h.

#include "tasks/task_status.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <string.h>

// A switch, since this is done for each field of each update.
static inline void read_field(struct task_status *status, const struct wire_field *it)
{
    switch (it->number) {
    case FIELD_TASK_STATUS_TASK_ID:
        status->task_id = it->bytes;
        break;
    case FIELD_TASK_STATUS_STATE:
        status->has_state = true;
        status->state = (int32_t)(uint32_t)it->value;
        break;
    case FIELD_TASK_STATUS_AGENT_ID:
        status->agent_id = it->bytes;
        break;
    case FIELD_TASK_STATUS_TIMESTAMP:
        memcpy(&status->timestamp, &it->value, sizeof status->timestamp);
        break;
    case FIELD_TASK_STATUS_EXECUTOR_ID:
        status->executor_id = it->bytes;
        break;
    case FIELD_TASK_STATUS_HEALTHY:
        status->has_healthy = true;
        status->healthy = it->value != 0;
        break;
    case FIELD_TASK_STATUS_REASON:
        status->has_reason = true;
        status->reason = (int32_t)(uint32_t)it->value;
        break;
    case FIELD_TASK_STATUS_UUID:
        status->uuid = it->bytes;
        break;
    }
}

struct task_status task_status_read(struct slice message)
{
    struct task_status status = {.has_state = false};
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);)
        read_field(&status, &it);
    return status;
}
