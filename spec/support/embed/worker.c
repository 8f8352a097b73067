// SPDX-License-Identifier: Apache-2.0
//
// An executor in C for specs, in the environment of an agent: each callback is a line of standard
// output, fields with tabs between them. A task runs until a message says "finish ID". Other
// messages are orders: see framework_message().
//
//     worker own | loop | plain           a thread of the driver's own; a loop of ours; no
//     callbacks

#include <mesos_driver.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { THREADS = 4, MESSAGES = 50 };

static struct mesos_executor_driver *driver;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static enum mesos_status send_state(const char *id, Mesos__V1__TaskState state)
{
    Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    task_id.value = (char *)id;
    status.task_id = &task_id;
    status.state = state;
    return mesos_executor_driver_send_status_update(driver, &status);
}

// ---- orders ----

static void *send_many(void *data)
{
    for (int i = 0; i < MESSAGES; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "%d.%d", (int)(intptr_t)data, i);
        mesos_executor_driver_send_framework_message(driver, text, (size_t)length);
    }
    return NULL;
}

static void send_from_threads(void)
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, send_many, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void say_error(const char *what, enum mesos_status status)
{
    say("%s\t%s\t%s", what, mesos_status_name(status), mesos_driver_error());
}

static void make_mistakes(void)
{
    Mesos__V1__TaskStatus empty = MESOS__V1__TASK_STATUS__INIT;
    say_error("null", mesos_executor_driver_send_status_update(driver, NULL));
    say_error("empty", mesos_executor_driver_send_status_update(driver, &empty));
    say_error("staging", send_state("t1", MESOS__V1__TASK_STATE__TASK_STAGING));
    say_error("message", mesos_executor_driver_send_framework_message(driver, NULL, 1));
    say_error("driver", mesos_executor_driver_stop(NULL));
    say_error("join", mesos_executor_driver_join(driver));
    say_error("status", mesos_executor_driver_status(driver));
}

static void obey(const char *order)
{
    if (strncmp(order, "finish ", 7) == 0)
        send_state(order + 7, MESOS__V1__TASK_STATE__TASK_FINISHED);
    else if (strcmp(order, "threads") == 0)
        send_from_threads();
    else if (strcmp(order, "mistakes") == 0)
        make_mistakes();
    else if (strcmp(order, "stop") == 0)
        say_error("stop", mesos_executor_driver_stop(driver));
    else if (strcmp(order, "abort") == 0)
        say_error("abort", mesos_executor_driver_abort(driver));
    else if (strcmp(order, "destroy") == 0)
        mesos_executor_driver_destroy(driver), driver = NULL;
    else
        mesos_executor_driver_send_framework_message(driver, order, strlen(order));
}

// ---- callbacks ----

static void registered(void *data, struct mesos_executor_driver *the_driver,
                       const Mesos__V1__ExecutorInfo *executor,
                       const Mesos__V1__FrameworkInfo *framework, const Mesos__V1__AgentInfo *agent)
{
    say("registered\t%s\t%s\t%s\t%d", executor->executor_id->value, framework->name,
        agent->hostname, data == &driver && the_driver == driver);
}

static void reregistered(void *data, struct mesos_executor_driver *the_driver,
                         const Mesos__V1__AgentInfo *agent)
{
    (void)data, (void)the_driver;
    say("reregistered\t%s", agent->hostname);
}

static void disconnected(void *data, struct mesos_executor_driver *the_driver)
{
    (void)data, (void)the_driver;
    say("disconnected");
}

static void launch_task(void *data, struct mesos_executor_driver *the_driver,
                        const Mesos__V1__TaskInfo *task)
{
    (void)data, (void)the_driver;
    say("launch\t%s\t%s", task->task_id->value, task->name);
    send_state(task->task_id->value, MESOS__V1__TASK_STATE__TASK_RUNNING);
}

static void launch_group(void *data, struct mesos_executor_driver *the_driver,
                         Mesos__V1__TaskInfo *const *tasks, size_t count)
{
    (void)data, (void)the_driver;
    say("group\t%zu\t%s", count, tasks[count - 1]->task_id->value);
    for (size_t i = 0; i < count; i++)
        send_state(tasks[i]->task_id->value, MESOS__V1__TASK_STATE__TASK_RUNNING);
}

static void kill_task(void *data, struct mesos_executor_driver *the_driver,
                      const Mesos__V1__TaskID *id, const Mesos__V1__KillPolicy *policy)
{
    (void)data, (void)the_driver;
    say("kill\t%s\t%d", id->value, policy ? (int)policy->grace_period->nanoseconds : -1);
    send_state(id->value, MESOS__V1__TASK_STATE__TASK_KILLED);
}

static void framework_message(void *data, struct mesos_executor_driver *the_driver,
                              const void *message, size_t length)
{
    char order[256];
    (void)data, (void)the_driver;
    snprintf(order, sizeof order, "%.*s", (int)length, (const char *)message);
    obey(order);
}

static void shut_down(void *data, struct mesos_executor_driver *the_driver)
{
    (void)data, (void)the_driver;
    say("shutdown");
}

static void on_error(void *data, struct mesos_executor_driver *the_driver, const char *message)
{
    (void)data;
    say("error\t%s\t%s", message, mesos_status_name(mesos_executor_driver_status(the_driver)));
}

static const struct mesos_executor executor = {.size = sizeof executor,
                                               .registered = registered,
                                               .reregistered = reregistered,
                                               .disconnected = disconnected,
                                               .launch_task = launch_task,
                                               .launch_group = launch_group,
                                               .kill_task = kill_task,
                                               .framework_message = framework_message,
                                               .shutdown = shut_down,
                                               .error = on_error};

// ---- the program ----

static int end(enum mesos_status status)
{
    say("end\t%s", mesos_status_name(status));
    mesos_executor_driver_destroy(driver);
    return status == MESOS_DRIVER_STOPPED ? 0 : 1;
}

static int run_loop(void)
{
    uv_loop_t loop;
    char text[256];
    uv_loop_init(&loop);
    const struct mesos_executor_options options = {.size = sizeof options, .loop = &loop};
    driver = mesos_executor_driver_create(&executor, &driver, &options, text, sizeof text);
    if (driver == NULL) {
        say("%s", text);
        return 2;
    }
    mesos_executor_driver_start(driver);
    uv_run(&loop, UV_RUN_DEFAULT);
    int code = driver != NULL ? end(mesos_executor_driver_status(driver)) : 0;
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0)
        say("the loop has handles left");
    return code;
}

int main(int argc, char **argv)
{
    static const struct mesos_executor nothing = {.size = sizeof nothing};
    const char *mode = argc > 1 ? argv[1] : "own";
    char text[256];
    if (strcmp(mode, "loop") == 0)
        return run_loop();
    driver = mesos_executor_driver_create(strcmp(mode, "plain") == 0 ? &nothing : &executor,
                                          &driver, NULL, text, sizeof text);
    if (driver == NULL) {
        say("%s", text);
        return 2;
    }
    struct mesos_executor_driver *ran = driver;
    enum mesos_status status = mesos_executor_driver_run(ran);
    return driver != NULL ? end(status) : 0;
}
