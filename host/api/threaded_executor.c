// SPDX-License-Identifier: Apache-2.0
//
// The executor driver for several threads: see threaded_executor.h. The environment does not change
// after the creation, so every thread may read it.

#include "api/threaded_executor.h"

#include "base/log.h"
#include "base/memory.h"
#include "mesos/transport_http.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct threaded_executor {
    struct threaded_driver base;
    threaded_executor_callback callback;
    void *data;
    struct executor_environment environment;
};

static struct threaded_executor *self(struct threaded_driver *driver)
{
    return (struct threaded_executor *)driver;
}

// ---- operations ----

struct executor_operation *threaded_executor_operation(bool update)
{
    struct executor_operation *operation = memory_new(sizeof *operation);
    operation->update = update;
    buffer_init(&operation->bytes, (size_t)64 << 20);
    return operation;
}

void threaded_executor_forget(struct executor_operation *operation)
{
    buffer_free(&operation->bytes);
    free(operation);
}

static void act(void *core, void *data)
{
    struct executor_operation *operation = data;
    struct slice bytes = buffer_slice(&operation->bytes);
    struct error err = {0};
    if (core != NULL && operation->update)
        executor_driver_send_update(core, bytes, &err);
    else if (core != NULL)
        executor_driver_send_message(core, bytes, &err);
    if (err.code != ERROR_NONE)
        log_error("%s was not sent: %s", operation->update ? "an update" : "a message", err.text);
    threaded_executor_forget(operation);
}

bool threaded_executor_check(struct threaded_driver *driver, struct slice status, struct error *err)
{
    return executor_driver_check_update(&self(driver)->environment, status, err);
}

// ---- events of the core ----

static void fail_tasks(struct executor_driver *core, const struct executor_event *event)
{
    struct slice id = wire_text(wire_find(event->message, FIELD_TASK_INFO_TASK_ID));
    char *text = memory_text((const char *)id.data, id.length);
    executor_driver_end_task(core, text, MESOS__V1__TASK_STATE__TASK_FAILED,
                             "the executor has no function launch_task");
    free(text);
}

static void do_usual(struct executor_driver *core, const struct executor_event *event)
{
    if (event->callback == EXECUTOR_LAUNCH_TASK)
        fail_tasks(core, event);
    else if (event->callback == EXECUTOR_SHUTDOWN)
        executor_driver_kill_all(core);
    else if (event->callback == EXECUTOR_KILL_TASK)
        log_warning("task %.*s is not killed: the executor has no function kill_task",
                    SLICE_ARGS(event->task_id));
    else if (event->callback == EXECUTOR_ERROR)
        log_error("%.*s", SLICE_ARGS(event->data));
}

static enum driver_outcome on_callback(void *data, const struct executor_event *event)
{
    struct threaded_executor *driver = data;
    threaded_driver_lock(&driver->base);
    bool admitted = threaded_driver_admit(&driver->base, event->callback == EXECUTOR_ERROR);
    threaded_driver_unlock(&driver->base);
    if (admitted) {
        driver->base.calling++;
        bool done = driver->callback(driver->data, event);
        driver->base.calling--;
        if (!done && driver->base.core != NULL)
            do_usual(driver->base.core, event);
    }
    threaded_driver_apply(&driver->base);
    return OUTCOME_DONE;
}

static void on_finished(void *data)
{
    struct threaded_executor *driver = data;
    threaded_driver_finished(&driver->base);
}

// As Mesos's own driver does it: with all that the executor has started, if the process leads the
// group that its agent has made for it.
static void on_expired(void *data)
{
    (void)data;
    if (getpgrp() == getpid())
        killpg(0, SIGKILL);
    _exit(EXIT_FAILURE);
}

static const struct executor_listener listener = {
    .callback = on_callback, .finished = on_finished, .expired = on_expired};

// ---- the core ----

static void start(void *core)
{
    executor_driver_start(core);
}

static void end(void *core, enum threaded_ending ending)
{
    if (ending == THREADED_ABORT)
        executor_driver_abort(core);
    else
        executor_driver_stop(core);
}

static void destroy(void *core)
{
    executor_driver_destroy(core);
}

static enum driver_status status(const void *core)
{
    return executor_driver_status(core);
}

static void free_driver(struct threaded_driver *base)
{
    executor_environment_free(&self(base)->environment);
    free(self(base));
}

static const struct threaded_ops ops = {.start = start,
                                        .end = end,
                                        .destroy = destroy,
                                        .status = status,
                                        .act = act,
                                        .free = free_driver};

// ---- life ----

static bool connect_core(struct threaded_executor *driver, bool groups, struct error *err)
{
    const struct executor_environment *environment = &driver->environment;
    const struct credentials_options token = {.token = environment->token};
    if (!executor_environment_read(&driver->environment, err))
        return false;
    struct credentials *credentials = credentials_create(&token, err);
    if (credentials == NULL)
        return error_context(err, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    const struct transport_http_options transport = {.credentials = credentials,
                                                     .api = &environment->api};
    if (threaded_driver_open(&driver->base, err)) {
        const struct executor_driver_options options = {
            .environment = environment,
            .transport = transport_http_create(driver->base.loop, &transport),
            .groups = groups};
        driver->base.core =
            executor_driver_create(driver->base.loop, &options, &listener, driver, err);
    }
    credentials_unref(credentials);
    return driver->base.core != NULL;
}

struct threaded_driver *threaded_executor_create(const struct threaded_executor_options *options,
                                                 threaded_executor_callback callback, void *data,
                                                 struct error *err)
{
    struct threaded_executor *driver = memory_new(sizeof *driver);
    threaded_driver_init(&driver->base, &ops, options->uv);
    driver->callback = callback;
    driver->data = data;
    if (connect_core(driver, options->groups, err))
        return &driver->base;
    threaded_driver_discard(&driver->base);
    return NULL;
}
