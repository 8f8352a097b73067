// SPDX-License-Identifier: Apache-2.0
//
// The operations of an executor driver: see executor_driver.h.

#include "executor/executor_internal.h"

#include "base/log.h"
#include "tasks/task_status.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/executor/executor.pb-c.h"

#include <string.h>

#define CALL_BYTES_WAITING_MOST ((size_t)64 << 20) // of memory; messages beyond it are refused

// ---- life ----

enum driver_status executor_driver_start(struct executor_driver *driver)
{
    if (driver->status != DRIVER_NOT_STARTED)
        return driver->status;
    driver->status = DRIVER_RUNNING;
    subscription_start(&driver->subscription);
    return driver->status;
}

enum driver_status executor_driver_stop(struct executor_driver *driver)
{
    if (driver->status == DRIVER_RUNNING)
        executor_end(driver, DRIVER_STOPPED);
    return driver->status;
}

enum driver_status executor_driver_abort(struct executor_driver *driver)
{
    if (driver->status == DRIVER_RUNNING)
        executor_end(driver, DRIVER_ABORTED);
    return driver->status;
}

void executor_driver_fail(struct executor_driver *driver, const char *text)
{
    if (driver->status != DRIVER_RUNNING)
        return;
    struct bytes *block = bytes_copy(text, strlen(text));
    const struct executor_event event = {
        .callback = EXECUTOR_ERROR, .block = block, .data = slice_of(block)};
    executor_end(driver, DRIVER_ABORTED);
    executor_delivery_push(driver, &event);
    bytes_unref(block);
}

enum driver_status executor_driver_shutdown(struct executor_driver *driver)
{
    executor_shutdown_begin(driver);
    return driver->status;
}

// ---- updates ----

bool executor_driver_check_update(const struct executor_environment *environment,
                                  struct slice status, struct error *err)
{
    struct task_status read = task_status_read(status);
    struct slice executor = wire_text(read.executor_id);
    if (read.state == MESOS__V1__TASK_STATE__TASK_STAGING)
        return error_set(err, ERROR_INVALID, "status.state: TASK_STAGING is not an executor's");
    if (read.executor_id.data != NULL &&
        !slice_equal(executor, slice_text(environment->executor_id)))
        return error_set(err, ERROR_INVALID,
                         "status.executor_id: '%.*s' is not this executor, which is '%s'",
                         SLICE_ARGS(executor), environment->executor_id);
    return true;
}

// Of a field that occurs twice the last one counts, so what is appended replaces what was given.
static void complete_status(struct executor_driver *driver, struct slice status,
                            const uint8_t uuid[UUID_LENGTH])
{
    struct buffer *buffer = &driver->message;
    struct slice id = {.data = uuid, .length = UUID_LENGTH};
    const char *agent_id = driver->environment->agent_id;
    buffer_clear(buffer);
    buffer_append_slice(buffer, status);
    if (agent_id != NULL && wire_find(status, FIELD_TASK_STATUS_AGENT_ID).data == NULL)
        wire_put_id(buffer, FIELD_TASK_STATUS_AGENT_ID, slice_text(agent_id));
    if (!wire_occurs(wire_open(status), FIELD_TASK_STATUS_TIMESTAMP))
        wire_put_double(buffer, FIELD_TASK_STATUS_TIMESTAMP, loop_wall(driver->loop));
    wire_put_id(buffer, FIELD_TASK_STATUS_EXECUTOR_ID,
                slice_text(driver->environment->executor_id));
    wire_put_varint(buffer, FIELD_TASK_STATUS_SOURCE,
                    MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR);
    wire_put_bytes(buffer, FIELD_TASK_STATUS_UUID, id);
}

enum driver_status executor_driver_send_update(struct executor_driver *driver, struct slice status,
                                               struct error *err)
{
    uint8_t uuid[UUID_LENGTH];
    if (driver->status != DRIVER_RUNNING ||
        !executor_driver_check_update(driver->environment, status, err))
        return driver->status;
    uuid_random(uuid);
    complete_status(driver, status, uuid);
    if (unacknowledged_add(&driver->unacknowledged, buffer_slice(&driver->message), uuid) == NULL) {
        error_set(err, ERROR_LIMIT,
                  "%zu MiB of updates wait for the agent's acknowledgement, and no more are taken",
                  UNACKNOWLEDGED_BYTES_MOST >> 20);
        return driver->status;
    }
    executor_calls_updates(driver);
    executor_shutdown_try(driver);
    return driver->status;
}

enum driver_status executor_driver_end_task(struct executor_driver *driver, const char *task_id,
                                            int32_t state, const char *message)
{
    struct buffer status;
    struct error err = {0};
    if (!unacknowledged_lives(&driver->unacknowledged, task_id))
        return driver->status;
    buffer_init(&status, SIZE_MAX / 2);
    wire_put_id(&status, FIELD_TASK_STATUS_TASK_ID, slice_text(task_id));
    wire_put_varint(&status, FIELD_TASK_STATUS_STATE, (uint64_t)state);
    wire_put_bytes(&status, FIELD_TASK_STATUS_MESSAGE, slice_text(message));
    executor_driver_send_update(driver, buffer_slice(&status), &err);
    buffer_free(&status);
    if (err.code != ERROR_NONE)
        log_error("the update of task %s was not sent: %s", task_id, err.text);
    return driver->status;
}

enum driver_status executor_driver_kill_all(struct executor_driver *driver)
{
    struct executor_task *task;
    TAILQ_FOREACH(task, &driver->unacknowledged.tasks, link)
    executor_driver_end_task(driver, task->id, MESOS__V1__TASK_STATE__TASK_KILLED,
                             "Executor shut down");
    return driver->status;
}

// ---- messages ----

enum driver_status executor_driver_send_message(struct executor_driver *driver, struct slice data,
                                                struct error *err)
{
    if (driver->status != DRIVER_RUNNING)
        return driver->status;
    if (transport_waiting(driver->transport) >= CALL_BYTES_WAITING_MOST) {
        error_set(err, ERROR_LIMIT,
                  "%zu calls are waiting for the agent, %zu MiB of them, and no more are taken: "
                  "make fewer at a time, and the others when these are answered",
                  driver->in_flight, CALL_BYTES_WAITING_MOST >> 20);
        return driver->status;
    }
    if (!driver->connected) {
        log_warning("MESSAGE dropped: not connected to the agent");
        return driver->status;
    }
    buffer_clear(&driver->message);
    if (wire_put_bytes(&driver->message, FIELD_EXECUTOR_CALL_MESSAGE_DATA, data))
        executor_calls_send(driver, MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE,
                            buffer_slice(&driver->message));
    return driver->status;
}
