// SPDX-License-Identifier: Apache-2.0
//
// The executor driver for C programs: see include/mesos_driver.h. Operations are checked and packed
// here, on the thread that called them; callbacks are in c_executor.c, everything about threads is
// in threaded_driver.c and threaded_executor.c.

#include "api/c_executor.h"
#include "api/c_interface.h"
#include "api/message_check.h"
#include "api/threaded_executor.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

struct mesos_executor_driver {
    struct threaded_driver *threaded;
    struct c_executor program;
};

static bool on_callback(void *data, const struct executor_event *event)
{
    const struct mesos_executor_driver *driver = data;
    return c_executor_call(&driver->program, event);
}

// Begins an operation.
static bool is_driver(const struct mesos_executor_driver *driver)
{
    struct error *err = c_interface_fresh_error();
    return driver != NULL || error_set(err, ERROR_INVALID, "driver is missing");
}

// Without a driver nothing was ever started.
static enum mesos_status status_of(struct mesos_executor_driver *driver)
{
    return driver != NULL ? c_interface_status(threaded_driver_status(driver->threaded))
                          : MESOS_DRIVER_NOT_STARTED;
}

// Only a running driver checks its arguments.
static bool is_running(struct mesos_executor_driver *driver)
{
    return is_driver(driver) && status_of(driver) == MESOS_DRIVER_RUNNING;
}

// ---- operations ----

static enum mesos_status submit(struct mesos_executor_driver *driver,
                                struct executor_operation *operation)
{
    return c_interface_status(
        threaded_driver_submit(driver->threaded, operation, c_interface_error()));
}

enum mesos_status mesos_executor_driver_send_status_update(struct mesos_executor_driver *driver,
                                                           const Mesos__V1__TaskStatus *status)
{
    struct error *err = c_interface_error();
    if (!is_running(driver) ||
        !message_check_message(status, &mesos__v1__task_status__descriptor, "status", err))
        return status_of(driver);
    struct executor_operation *operation = threaded_executor_operation(true);
    if (message_check_pack(status, &operation->bytes, err) &&
        threaded_executor_check(driver->threaded, buffer_slice(&operation->bytes), err))
        return submit(driver, operation);
    threaded_executor_forget(operation);
    return status_of(driver);
}

enum mesos_status mesos_executor_driver_send_framework_message(struct mesos_executor_driver *driver,
                                                               const void *message, size_t length)
{
    struct error *err = c_interface_error();
    if (!is_running(driver))
        return status_of(driver);
    if (message == NULL && length > 0) {
        error_set(err, ERROR_INVALID, "message is missing");
        return status_of(driver);
    }
    struct executor_operation *operation = threaded_executor_operation(false);
    if (length == 0 || buffer_append(&operation->bytes, message, length))
        return submit(driver, operation);
    error_set(err, ERROR_LIMIT, "message is longer than 64 MiB");
    threaded_executor_forget(operation);
    return status_of(driver);
}

// ---- life ----

struct mesos_executor_driver *
mesos_executor_driver_create(const struct mesos_executor *executor, void *data,
                             const struct mesos_executor_options *options, char *error,
                             size_t error_size)
{
    struct error *err = c_interface_fresh_error();
    struct mesos_executor_options known = {0};
    struct mesos_executor_driver *driver = memory_new(sizeof *driver);
    struct c_executor *program = &driver->program;
    bool good = c_interface_read(&program->executor, sizeof program->executor, executor,
                                 executor ? executor->size : 0, "executor", err) &&
                (options == NULL ||
                 c_interface_read(&known, sizeof known, options, options->size, "options", err));
    program->driver = driver;
    program->data = data;
    const struct threaded_executor_options threaded = {
        .uv = known.loop, .groups = program->executor.launch_group != NULL};
    if (good)
        driver->threaded = threaded_executor_create(&threaded, on_callback, driver, err);
    if (driver->threaded != NULL)
        return driver;
    free(driver);
    if (error_size > 0)
        snprintf(error, error_size, "%s", err->text);
    return NULL;
}

void mesos_executor_driver_destroy(struct mesos_executor_driver *driver)
{
    if (driver == NULL)
        return;
    threaded_driver_destroy(driver->threaded);
    free(driver);
}

enum mesos_status mesos_executor_driver_start(struct mesos_executor_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_start(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_executor_driver_stop(struct mesos_executor_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_stop(driver->threaded, false));
}

enum mesos_status mesos_executor_driver_abort(struct mesos_executor_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_abort(driver->threaded));
}

enum mesos_status mesos_executor_driver_join(struct mesos_executor_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_join(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_executor_driver_run(struct mesos_executor_driver *driver)
{
    if (!is_driver(driver))
        return status_of(driver);
    return c_interface_status(threaded_driver_run(driver->threaded, c_interface_error()));
}

enum mesos_status mesos_executor_driver_status(struct mesos_executor_driver *driver)
{
    if (driver == NULL)
        is_driver(driver);
    return status_of(driver);
}
