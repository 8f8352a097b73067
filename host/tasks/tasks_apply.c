// SPDX-License-Identifier: Apache-2.0
//
// Launches, updates and kills in the registry of tasks, read from the bytes of calls and updates:
// see tasks.h.

#include "tasks/tasks_internal.h"

#include "tasks/launches.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <string.h>

// Ends that the task itself reported.
static const uint32_t final = BIT(FINISHED) | BIT(FAILED) | BIT(KILLED);

// ---- launches ----

struct launched {
    struct slice id, name, agent_id, executor_id;
};

static struct slice executor_id_of(struct slice executor)
{
    return wire_text(wire_find(executor, FIELD_EXECUTOR_INFO_EXECUTOR_ID));
}

// Tasks without an executor of their own have that of their group.
static struct launched read_launch(const struct launch *launch)
{
    struct launched launched = {.executor_id = executor_id_of(launch->executor)};
    struct wire wire = wire_open(launch->task);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number == FIELD_TASK_INFO_NAME)
            launched.name = it.bytes;
        else if (it.number == FIELD_TASK_INFO_TASK_ID)
            launched.id = wire_text(it.bytes);
        else if (it.number == FIELD_TASK_INFO_AGENT_ID)
            launched.agent_id = wire_text(it.bytes);
        else if (it.number == FIELD_TASK_INFO_EXECUTOR)
            launched.executor_id = executor_id_of(it.bytes);
    }
    return launched;
}

// The master refuses to launch an id that is active, so the record stays that of the task that
// runs.
static void count_relaunch(struct tasks *tasks, struct task *task)
{
    enum { MOST = 15 };
    tasks->relaunched++;
    if (task->relaunches < MOST)
        task->relaunches++;
}

// Replaces a task of the same id that ended, but keeps the uuid of the update that may come again.
static void launch_task(struct tasks *tasks, const struct launched *launched, bool sent)
{
    uint32_t hash = (uint32_t)hash_index_hash(launched->id), uuid = 0;
    uint32_t place = tasks_fits(launched->id) ? tasks_place(tasks, launched->id, hash) : NONE;
    if (!tasks_fits(launched->id))
        return;
    if (place != NONE && task_is_active(tasks_record(tasks, place))) {
        count_relaunch(tasks, tasks_record(tasks, place));
        return;
    }
    if (place != NONE) {
        uuid = tasks_record(tasks, place)->uuid;
        tasks_drop(tasks, place);
    }
    place = tasks_add(tasks, launched->id, launched->name, hash);
    if (place == NONE)
        return;
    struct task *task = tasks_record(tasks, place);
    task->launched = loop_wall(tasks->loop);
    task->uuid = uuid;
    task->heard = !sent;
    tasks_set_executor(task, launched->executor_id);
    tasks_set_agent(tasks, place, launched->agent_id);
    tasks_enter_state(tasks, place, MESOS__V1__TASK_STATE__TASK_STAGING);
}

size_t tasks_launch(struct tasks *tasks, struct slice accept, bool sent)
{
    size_t count = 0;
    struct launches launches = launches_of(accept);
    for (struct launch launch; launches_next(&launches, &launch); count++) {
        struct launched launched = read_launch(&launch);
        launch_task(tasks, &launched, sent);
    }
    return count;
}

void tasks_each_relaunched(const struct tasks *tasks, struct slice accept,
                           void (*each)(void *data, const struct task *task), void *data)
{
    struct launches launches = launches_of(accept);
    for (struct launch launch; launches_next(&launches, &launch);) {
        struct slice id = wire_text(wire_find(launch.task, FIELD_TASK_INFO_TASK_ID));
        const struct task *task = tasks_find(tasks, id);
        if (task != NULL && task->relaunches > 0)
            each(data, task);
    }
}

// ---- updates ----

// A hash is enough: it is compared with that of the task's last update only.
static uint32_t uuid_of(const struct task_status *status)
{
    uint64_t words[2];
    if (status->uuid.length != sizeof words)
        return status->uuid.length > 0 ? (uint32_t)hash_index_hash(status->uuid) | 1 : 0;
    memcpy(words, status->uuid.data, sizeof words);
    return (uint32_t)((words[0] + 3 * words[1]) * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1;
}

static void apply(struct tasks *tasks, uint32_t place, const struct task_status *status)
{
    struct task *task = tasks_record(tasks, place);
    task->heard = true;
    task->updated = status->timestamp > 0 ? status->timestamp : loop_wall(tasks->loop);
    task->uuid = uuid_of(status);
    task->reason = status->has_reason ? status->reason : TASK_NO_REASON;
    if (status->has_healthy) {
        task->health_known = true;
        task->healthy = status->healthy;
    }
    tasks_set_executor(task, wire_text(status->executor_id));
    tasks_set_agent(tasks, place, wire_text(status->agent_id));
}

#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static bool refuses_launch(const struct task_status *status)
{
    static const uint32_t states = BIT(ERROR) | BIT(LOST) | BIT(DROPPED);
    static const int32_t reasons[] = {REASON(TASK_INVALID),       REASON(TASK_UNAUTHORIZED),
                                      REASON(TASK_GROUP_INVALID), REASON(TASK_GROUP_UNAUTHORIZED),
                                      REASON(INVALID_OFFERS),     REASON(MASTER_DISCONNECTED)};
    if (status->uuid.length > 0 || !status->has_reason ||
        (TASK_STATE_BIT(task_slot(status->state)) & states) == 0)
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i] == status->reason)
            return true;
    return false;
}

// True if it answers a launch of the task while it was active.
static bool answers_later(struct task *task, const struct task_status *status)
{
    if (task->relaunches == 0 || !task_is_active(task) || !refuses_launch(status))
        return false;
    task->relaunches--;
    return true;
}

// A task that was not known before.
static void add_unknown(struct tasks *tasks, struct slice id, uint32_t hash,
                        const struct task_status *status)
{
    uint32_t place = tasks_add(tasks, id, (struct slice){.data = NULL}, hash);
    if (place == NONE)
        return;
    apply(tasks, place, status);
    tasks_enter_state(tasks, place, status->state);
}

bool tasks_update(struct tasks *tasks, const struct task_status *status)
{
    struct slice id = wire_text(status->task_id);
    if (!status->has_state || !tasks_fits(id))
        return true;
    uint32_t hash = (uint32_t)hash_index_hash(id), place = tasks_place(tasks, id, hash);
    if (place == NONE) {
        add_unknown(tasks, id, hash, status);
        return true;
    }
    struct task *task = tasks_record(tasks, place);
    bool repeated = task->uuid != 0 && task->uuid == uuid_of(status);
    bool over = (TASK_STATE_BIT(task_slot(task->state)) & final) != 0;
    if (repeated || over)
        return !repeated && status->uuid.length > 0;
    if (answers_later(task, status))
        return true;
    bool news = status->uuid.length > 0 || task->state != status->state;
    apply(tasks, place, status);
    tasks_change_state(tasks, place, status->state);
    return news;
}

void tasks_kill(struct tasks *tasks, struct slice kill)
{
    struct slice id = wire_text(wire_find(kill, FIELD_SCHEDULER_CALL_KILL_TASK_ID));
    uint32_t place = tasks_place(tasks, id, (uint32_t)hash_index_hash(id));
    if (place != NONE && task_is_active(tasks_record(tasks, place)))
        tasks_record(tasks, place)->killing = true;
}
