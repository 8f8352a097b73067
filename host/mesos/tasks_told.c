// SPDX-License-Identifier: Apache-2.0
//
// What the registry of tasks is told, read from the bytes of calls and updates: see tasks.h.

#include "mesos/tasks_room.h"

#include "mesos/wire.h"

#include <string.h>

// What a task itself has come to.
static const uint32_t final = BIT(FINISHED) | BIT(FAILED) | BIT(KILLED);

// ---- launches ----

struct launch {
    struct slice id, name, agent_id, executor_id;
};

static struct launch read_task_info(struct slice info, struct slice executor_id)
{
    enum { NAME = 1, TASK_ID = 2, AGENT_ID = 3, EXECUTOR = 5, EXECUTOR_ID = 1 };
    struct launch launch = {.executor_id = executor_id};
    struct wire wire = wire_open(info);
    for (struct wire_field it; wire_next(&wire, &it);) {
        if (it.number == NAME)
            launch.name = it.bytes;
        else if (it.number == TASK_ID)
            launch.id = wire_text(it.bytes);
        else if (it.number == AGENT_ID)
            launch.agent_id = wire_text(it.bytes);
        else if (it.number == EXECUTOR)
            launch.executor_id = wire_text(wire_find(it.bytes, EXECUTOR_ID));
    }
    return launch;
}

// A task of the same id that ended is forgotten, but for the update that may come again.
static void launch_task(struct tasks *this, const struct launch *launch, bool sent)
{
    uint32_t hash = (uint32_t)hash_bytes(launch->id), uuid = 0;
    uint32_t place = tasks_fits(launch->id) ? tasks_place(this, launch->id, hash) : NONE;
    if (!tasks_fits(launch->id) || (place != NONE && task_is_active(tasks_record(this, place))))
        return;
    if (place != NONE) {
        uuid = tasks_record(this, place)->uuid;
        tasks_drop(this, place);
    }
    place = tasks_add(this, launch->id, launch->name, hash);
    if (place == NONE)
        return;
    struct task *task = tasks_record(this, place);
    task->launched = loop_wall(this->loop);
    task->uuid = uuid;
    task->heard = !sent;
    tasks_set_executor(task, launch->executor_id);
    tasks_set_agent(this, place, launch->agent_id);
    tasks_enter_state(this, place, MESOS__V1__TASK_STATE__TASK_STAGING);
}

static size_t launch_tasks(struct tasks *this, struct slice list, struct slice executor_id,
                           bool sent)
{
    size_t count = 0;
    for (struct slice info; wire_next_bytes(&list, 1, &info); count++) {
        struct launch launch = read_task_info(info, executor_id);
        launch_task(this, &launch, sent);
    }
    return count;
}

size_t tasks_launch(struct tasks *this, struct slice accept, bool sent)
{
    enum { ACCEPT_OPERATIONS = 2, LAUNCH = 2, LAUNCH_GROUP = 7 };
    enum { GROUP_EXECUTOR = 1, GROUP_INFO = 2, EXECUTOR_ID = 1 };
    static const struct slice none = {.data = NULL};
    size_t count = 0;
    for (struct slice operation; wire_next_bytes(&accept, ACCEPT_OPERATIONS, &operation);) {
        struct slice group = wire_find(operation, LAUNCH_GROUP);
        struct slice executor_id = wire_find(wire_find(group, GROUP_EXECUTOR), EXECUTOR_ID);
        count += launch_tasks(this, wire_find(operation, LAUNCH), none, sent);
        count += launch_tasks(this, wire_find(group, GROUP_INFO), wire_text(executor_id), sent);
    }
    return count;
}

// ---- updates ----

// Of 16 random bytes any will do; only the last update of one task is compared with.
static uint32_t uuid_of(const struct status *told)
{
    uint64_t words[2];
    if (told->uuid.length != sizeof words)
        return told->uuid.length > 0 ? (uint32_t)hash_bytes(told->uuid) | 1 : 0;
    memcpy(words, told->uuid.data, sizeof words);
    return (uint32_t)((words[0] + 3 * words[1]) * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1;
}

static void apply(struct tasks *this, uint32_t place, const struct status *told)
{
    struct task *task = tasks_record(this, place);
    task->heard = true;
    task->updated = told->timestamp > 0 ? told->timestamp : loop_wall(this->loop);
    task->uuid = uuid_of(told);
    task->reason = TASK_NO_REASON;
    if (told->has_reason && told->reason >= 0 && told->reason <= INT16_MAX)
        task->reason = (int16_t)told->reason;
    if (told->has_healthy) {
        task->health_known = true;
        task->healthy = told->healthy;
    }
    tasks_set_executor(task, wire_text(told->executor_id));
    tasks_set_agent(this, place, wire_text(told->agent_id));
}

void tasks_update(struct tasks *this, const struct status *told)
{
    struct slice id = wire_text(told->task_id);
    if (!told->has_state || told->state < 0 || told->state >= TASK_STATES || !tasks_fits(id))
        return;
    uint32_t hash = (uint32_t)hash_bytes(id);
    uint32_t place = tasks_place(this, id, hash);
    if (place == NONE) {
        place = tasks_add(this, id, (struct slice){.data = NULL}, hash);
        if (place == NONE)
            return;
        apply(this, place, told);
        tasks_enter_state(this, place, (unsigned)told->state);
        return;
    }
    const struct task *task = tasks_record(this, place);
    bool repeated = task->uuid != 0 && task->uuid == uuid_of(told);
    if (repeated || (TASK_STATE_BIT(task->state) & final))
        return;
    apply(this, place, told);
    tasks_change_state(this, place, (unsigned)told->state);
}

void tasks_kill(struct tasks *this, struct slice kill)
{
    struct slice id = wire_text(wire_find(kill, 1));
    uint32_t place = tasks_place(this, id, (uint32_t)hash_bytes(id));
    if (place != NONE && task_is_active(tasks_record(this, place)))
        tasks_record(this, place)->killing = true;
}
