// SPDX-License-Identifier: Apache-2.0
//
// Reading a TaskStatus: see status.h.

#include "tasks/status.h"

#include "wire/wire.h"

#include <string.h>

enum { TASK_ID = 1, STATE, AGENT_ID = 5, TIMESTAMP, EXECUTOR_ID, HEALTHY, REASON = 10, UUID };

// A switch, since this is done for each field of each update.
static inline void read_field(struct status *status, const struct wire_field *it)
{
    switch (it->number) {
    case TASK_ID:
        status->task_id = it->bytes;
        break;
    case STATE:
        status->has_state = true;
        status->state = (int32_t)(uint32_t)it->value;
        break;
    case AGENT_ID:
        status->agent_id = it->bytes;
        break;
    case TIMESTAMP:
        memcpy(&status->timestamp, &it->value, sizeof status->timestamp);
        break;
    case EXECUTOR_ID:
        status->executor_id = it->bytes;
        break;
    case HEALTHY:
        status->has_healthy = true;
        status->healthy = it->value != 0;
        break;
    case REASON:
        status->has_reason = true;
        status->reason = (int32_t)(uint32_t)it->value;
        break;
    case UUID:
        status->uuid = it->bytes;
        break;
    }
}

struct status status_read(struct slice message)
{
    struct status status = {.has_state = false};
    struct wire wire = wire_open(message);
    for (struct wire_field it; wire_next(&wire, &it);)
        read_field(&status, &it);
    return status;
}
