// SPDX-License-Identifier: Apache-2.0
//
// The tables of an agent; see the header.

#include "agent/agent_records.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_GRACE (3 * LOOP_SECOND) // of a task that names none

static size_t key_size(const char *framework_id, const char *id)
{
    return strlen(framework_id) + strlen(id) + 2;
}

// printf would take longer than the rest of what an update of a task needs. Returns the key.
static char *write_key(char *key, const char *framework_id, const char *id)
{
    size_t first = strlen(framework_id);
    memcpy(key, framework_id, first);
    key[first] = '/';
    memcpy(key + first + 1, id, strlen(id) + 1);
    return key;
}

static void *find(const struct string_map *table, const char *framework_id, const char *id)
{
    char usual[256];
    size_t size = key_size(framework_id, id);
    if (size <= sizeof usual)
        return string_map_find(table, write_key(usual, framework_id, id));
    char *key = write_key(memory_resize(NULL, size), framework_id, id);
    void *found = string_map_find(table, key);
    free(key);
    return found;
}

struct agent_executor *agent_records_executor(const struct agent *agent, const char *framework_id,
                                              const char *id)
{
    return find(&agent->executor_table, framework_id, id);
}

struct agent_task *agent_records_task(const struct agent *agent, const char *framework_id,
                                      const char *id)
{
    return find(&agent->task_table, framework_id, id);
}

// ---- the ids of frameworks ----

// One that executors of the agent share; it goes with the last of them.
struct framework_id {
    struct string_map_entry entry;
    size_t users;
    char text[];
};

static const char *share_framework_id(struct agent *agent, const char *text)
{
    struct framework_id *id = string_map_find(&agent->framework_ids, text);
    size_t size = strlen(text) + 1;
    if (id == NULL) {
        id = memory_new(sizeof *id + size);
        memcpy(id->text, text, size);
        string_map_put(&agent->framework_ids, &id->entry, id->text, id);
    }
    id->users++;
    return id->text;
}

static void leave_framework_id(struct agent *agent, const char *text)
{
    struct framework_id *id = string_map_find(&agent->framework_ids, text);
    if (--id->users > 0)
        return;
    string_map_remove(&agent->framework_ids, &id->entry);
    free(id);
}

// ---- executors ----

// Where a real agent has it.
static char *path_of(const struct agent_executor *executor, const char *name)
{
    const char *const parts[] = {executor->agent->work_dir,
                                 "/slaves/",
                                 executor->agent->id,
                                 "/frameworks/",
                                 executor->framework_id,
                                 "/executors/",
                                 executor->id,
                                 "/runs/",
                                 name,
                                 NULL};
    return memory_join(parts);
}

char *agent_records_sandbox(const struct agent_executor *executor)
{
    return path_of(executor, executor->container_id);
}

char *agent_records_latest(const struct agent_executor *executor)
{
    return path_of(executor, "latest");
}

bool agent_records_capable(const Mesos__V1__FrameworkInfo *framework,
                           Mesos__V1__FrameworkInfo__Capability__Type type)
{
    for (size_t i = 0; i < framework->n_capabilities; i++)
        if (framework->capabilities[i]->has_type && framework->capabilities[i]->type == type)
            return true;
    return false;
}

const char *agent_records_executor_id(const struct agent_launch *launch)
{
    return launch->executor ? launch->executor->executor_id->value
                            : launch->tasks[0]->task_id->value;
}

// The user of the command, if it names one. That of the framework is often only the one who started
// it, and is used only where users are switched.
static const char *user_of(const struct agent *agent, const struct agent_launch *launch)
{
    const Mesos__V1__CommandInfo *command =
        launch->executor ? launch->executor->command : launch->tasks[0]->command;
    const char *user = command ? command->user : NULL;
    if (user == NULL && agent->switch_users)
        user = launch->framework->user;
    return user != NULL && *user ? user : NULL;
}

struct agent_executor *agent_records_add_executor(struct agent *agent,
                                                  const struct agent_executor_kind *kind,
                                                  const struct agent_launch *launch)
{
    static const struct agent_executor_kind none = {.hidden = true};
    const char *framework_id = launch->framework->id->value;
    const char *id = agent_records_executor_id(launch);
    struct agent_executor *executor = memory_new(sizeof *executor + key_size(framework_id, id));
    executor->agent = agent;
    executor->kind = kind ? kind : &none;
    executor->framework_id = share_framework_id(agent, framework_id);
    write_key(executor->key, framework_id, id);
    executor->id = executor->key + strlen(executor->framework_id) + 1;
    uuid_random_text(executor->container_id);
    executor->user = memory_string(user_of(agent, launch));
    executor->killing_state = agent_records_capable(
        launch->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__TASK_KILLING_STATE);
    executor->partition_aware = agent_records_capable(
        launch->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    if (launch->executor != NULL) {
        executor->info = message_copy(&launch->executor->base);
        executor->framework = message_copy(&launch->framework->base);
    }
    TAILQ_INIT(&executor->tasks);
    TAILQ_INSERT_TAIL(&agent->executors, executor, link);
    executor->listed = kind != NULL;
    if (executor->listed)
        string_map_put(&agent->executor_table, &executor->entry, executor->key, executor);
    return executor;
}

static void unlist(struct agent_executor *executor)
{
    if (executor->listed)
        string_map_remove(&executor->agent->executor_table, &executor->entry);
    executor->listed = false;
}

static void free_executor(struct agent_executor *executor)
{
    if (executor->info != NULL)
        mesos__v1__executor_info__free_unpacked(executor->info, NULL);
    if (executor->framework != NULL)
        mesos__v1__framework_info__free_unpacked(executor->framework, NULL);
    leave_framework_id(executor->agent, executor->framework_id);
    free(executor->escalation);
    free(executor->user);
    free(executor);
}

void agent_records_remove_executor(struct agent_executor *executor)
{
    struct agent *agent = executor->agent;
    while (!TAILQ_EMPTY(&executor->tasks))
        agent_records_remove_task(TAILQ_FIRST(&executor->tasks));
    if (executor->kind->free != NULL)
        executor->kind->free(executor);
    if (executor->escalation != NULL)
        timer_stop(executor->escalation);
    if (executor->state == EXECUTOR_STAGED)
        TAILQ_REMOVE(&agent->staged, executor, staged);
    unlist(executor);
    TAILQ_REMOVE(&agent->executors, executor, link);
    free_executor(executor);
}

void agent_records_silence(struct agent_executor *executor)
{
    struct agent *agent = executor->agent;
    struct agent_task *task;
    TAILQ_FOREACH(task, &executor->tasks, link)
    {
        string_map_remove(&agent->task_table, &task->entry);
        task_updates_clear(&task->updates);
    }
    unlist(executor);
    executor->silent = true;
}

// ---- tasks ----

static void send_update(void *data, struct status_update *update)
{
    const struct agent_task *task = data;
    const struct agent_executor *executor = task->executor;
    const struct agent *agent = executor->agent;
    agent->events->update(agent->data, executor->framework_id, task->id, update);
}

static uint64_t grace_of(const Mesos__V1__KillPolicy *policy)
{
    if (policy == NULL || policy->grace_period == NULL)
        return USUAL_GRACE;
    return policy->grace_period->nanoseconds > 0 ? (uint64_t)policy->grace_period->nanoseconds : 0;
}

static void name_task(struct agent_task *task, const char *id)
{
    struct agent_executor *executor = task->executor;
    bool same = strcmp(executor->id, id) == 0;
    task->key = same ? executor->key
                     : write_key(memory_resize(NULL, key_size(executor->framework_id, id)),
                                 executor->framework_id, id);
    task->id = task->key + strlen(executor->framework_id) + 1;
}

// Of the task of a hidden executor only this is looked at; a program is told the task as it is.
static Mesos__V1__TaskInfo *copy_info(const struct agent_executor *executor,
                                      const Mesos__V1__TaskInfo *info)
{
    Mesos__V1__TaskInfo needed = MESOS__V1__TASK_INFO__INIT;
    if (!executor->kind->hidden)
        return message_copy_block(&info->base);
    needed.task_id = info->task_id;
    needed.command = info->command;
    needed.container = info->container;
    needed.n_resources = info->n_resources;
    needed.resources = info->resources;
    needed.health_check = info->health_check;
    needed.check = info->check;
    needed.max_completion_time = info->max_completion_time;
    return message_copy_block(&needed.base);
}

struct agent_task *agent_records_add_task(struct agent_executor *executor,
                                          const Mesos__V1__TaskInfo *info, uint64_t group)
{
    struct agent *agent = executor->agent;
    struct agent_task *task = memory_new(sizeof *task);
    task->executor = executor;
    task->info = copy_info(executor, info);
    task->grace = grace_of(info->kill_policy);
    task->own_grace = info->kill_policy != NULL && info->kill_policy->grace_period != NULL;
    task->group = group;
    task->state = MESOS__V1__TASK_STATE__TASK_STAGING;
    name_task(task, info->task_id->value);
    task_updates_init(&task->updates, agent->loop, send_update, task);
    TAILQ_INSERT_TAIL(&executor->tasks, task, link);
    string_map_put(&agent->task_table, &task->entry, task->key, task);
    return task;
}

void agent_records_rest(struct agent_task *task)
{
    free(task->info);
    task->info = NULL;
}

void agent_records_remove_task(struct agent_task *task)
{
    struct agent_executor *executor = task->executor;
    if (executor->kind->free_task != NULL)
        executor->kind->free_task(task);
    task_updates_clear(&task->updates);
    if (!executor->silent)
        string_map_remove(&executor->agent->task_table, &task->entry);
    TAILQ_REMOVE(&executor->tasks, task, link);
    free(task->info);
    if (task->key != executor->key)
        free(task->key);
    free(task);
}
