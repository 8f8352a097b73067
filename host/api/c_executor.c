// SPDX-License-Identifier: Apache-2.0
//
// Events of an agent as calls of a C program's functions: see c_executor.h. The bytes have passed
// wire_accept(), so unpacking them does not fail. The program may destroy the driver in its
// function, so nothing of the driver is read after it.

#include "api/c_executor.h"

#include "api/c_interface.h"
#include "base/memory.h"

#include <stdlib.h>

static bool call_registered(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.registered == NULL)
        return false;
    void *executor =
        c_interface_unpack(&mesos__v1__executor_info__descriptor, event->executor_info);
    void *framework =
        c_interface_unpack(&mesos__v1__framework_info__descriptor, event->framework_info);
    void *agent = c_interface_unpack(&mesos__v1__agent_info__descriptor, event->agent_info);
    program->executor.registered(program->data, program->driver, executor, framework, agent);
    c_interface_free(executor);
    c_interface_free(framework);
    c_interface_free(agent);
    return true;
}

static bool call_reregistered(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.reregistered == NULL)
        return false;
    void *agent = c_interface_unpack(&mesos__v1__agent_info__descriptor, event->agent_info);
    program->executor.reregistered(program->data, program->driver, agent);
    c_interface_free(agent);
    return true;
}

static bool call_plain(const struct c_executor *program, const struct executor_event *event)
{
    void (*callback)(void *, struct mesos_executor_driver *) = event->callback == EXECUTOR_SHUTDOWN
                                                                   ? program->executor.shutdown
                                                                   : program->executor.disconnected;
    if (callback == NULL)
        return false;
    callback(program->data, program->driver);
    return true;
}

static bool call_launch_task(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.launch_task == NULL)
        return false;
    void *task = c_interface_unpack(&mesos__v1__task_info__descriptor, event->message);
    program->executor.launch_task(program->data, program->driver, task);
    c_interface_free(task);
    return true;
}

// Only programs that have the function are given groups.
static bool call_launch_group(const struct c_executor *program, const struct executor_event *event)
{
    Mesos__V1__TaskGroupInfo *group =
        c_interface_unpack(&mesos__v1__task_group_info__descriptor, event->message);
    program->executor.launch_group(program->data, program->driver, group->tasks, group->n_tasks);
    c_interface_free(group);
    return true;
}

static bool call_kill_task(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.kill_task == NULL)
        return false;
    Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
    id.value = memory_text((const char *)event->task_id.data, event->task_id.length);
    void *policy = c_interface_unpack(&mesos__v1__kill_policy__descriptor, event->message);
    program->executor.kill_task(program->data, program->driver, &id, policy);
    c_interface_free(policy);
    free(id.value);
    return true;
}

static bool call_message(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.framework_message != NULL)
        program->executor.framework_message(program->data, program->driver, event->data.data,
                                            event->data.length);
    return true;
}

static bool call_error(const struct c_executor *program, const struct executor_event *event)
{
    if (program->executor.error == NULL)
        return false;
    char *text = memory_text((const char *)event->data.data, event->data.length);
    program->executor.error(program->data, program->driver, text);
    free(text);
    return true;
}

static bool (*const calls[EXECUTOR_CALLBACKS])(const struct c_executor *program,
                                               const struct executor_event *event) = {
    [EXECUTOR_REGISTERED] = call_registered,
    [EXECUTOR_REREGISTERED] = call_reregistered,
    [EXECUTOR_DISCONNECTED] = call_plain,
    [EXECUTOR_LAUNCH_TASK] = call_launch_task,
    [EXECUTOR_LAUNCH_GROUP] = call_launch_group,
    [EXECUTOR_KILL_TASK] = call_kill_task,
    [EXECUTOR_FRAMEWORK_MESSAGE] = call_message,
    [EXECUTOR_SHUTDOWN] = call_plain,
    [EXECUTOR_ERROR] = call_error,
};

bool c_executor_call(const struct c_executor *program, const struct executor_event *event)
{
    return calls[event->callback](program, event);
}
