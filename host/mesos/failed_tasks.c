// SPDX-License-Identifier: Apache-2.0
//
// Failures of tasks in the log: see failed_tasks.h.

#include "mesos/failed_tasks.h"

#include "base/log.h"
#include "tasks/tasks.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MOST = 10, TEXT_MOST = 1024 };

#define BIT(name) TASK_STATE_BIT(MESOS__V1__TASK_STATE__TASK_##name)

static const uint32_t failures = BIT(FAILED) | BIT(ERROR) | BIT(LOST) | BIT(DROPPED) | BIT(GONE);

static struct slice cut(struct slice text)
{
    return (struct slice){.data = text.data,
                          .length = text.length < TEXT_MOST ? text.length : TEXT_MOST};
}

static const char *state_name(int32_t state)
{
    return protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, state)->name;
}

// " (REASON_...)", or nothing.
static void write_reason(const struct task_status *status, char *text, size_t size)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &mesos__v1__task_status__reason__descriptor, status->reason);
    text[0] = '\0';
    if (status->has_reason && value != NULL)
        snprintf(text, size, " (%s)", value->name);
    else if (status->has_reason)
        snprintf(text, size, " (reason %" PRId32 ")", status->reason);
}

static void write_line(const struct task_status *status, struct slice message)
{
    char reason[128];
    struct slice id = cut(wire_text(status->task_id)),
                 text = cut(wire_find(message, FIELD_TASK_STATUS_MESSAGE));
    write_reason(status, reason, sizeof reason);
    log_warning("task '%.*s' is %s%s%.*s%s", SLICE_ARGS(id), state_name(status->state),
                text.length > 0 ? ": " : "", SLICE_ARGS(text), reason);
}

static void on_second(void *data)
{
    struct failed_tasks *failed = data;
    if (failed->left_out > 0)
        log_warning("%zu more tasks failed or were lost within that second", failed->left_out);
    failed->lines = 0;
    failed->left_out = 0;
}

void failed_tasks_init(struct failed_tasks *failed, struct loop *loop)
{
    *failed = (struct failed_tasks){.lines = 0};
    timer_init(&failed->timer, loop, on_second, failed);
}

void failed_tasks_note(struct failed_tasks *failed, const struct task_status *status,
                       struct slice message)
{
    if ((TASK_STATE_BIT(task_slot(status->state)) & failures) == 0 || !status->has_state)
        return;
    if (!timer_active(&failed->timer))
        timer_start(&failed->timer, LOOP_SECOND);
    if (failed->lines++ < LINES_MOST)
        write_line(status, message);
    else
        failed->left_out++;
}

void failed_tasks_stop(struct failed_tasks *failed)
{
    timer_stop(&failed->timer);
    on_second(failed);
}
