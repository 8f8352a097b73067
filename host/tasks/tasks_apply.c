// SPDX-License-Identifier: Apache-2.0
//
// What the registry of tasks is told, read from the bytes of calls and updates: see tasks.h.

#include "tasks/tasks_internal.h"

#include "wire/wire.h"

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

// The master refuses a launch of what is active, and the entry is that of the task that runs.
static void note_again(struct tasks *this, struct task *task)
{
    enum { MOST = 15 };
    this->again++;
    if (task->again < MOST)
        task->again++;
}

// A task of the same id that ended is forgotten, but for the update that may come again.
static void launch_task(struct tasks *this, const struct launch *launch, bool sent)
{
    uint32_t hash = (uint32_t)hash_bytes(launch->id), uuid = 0;
    uint32_t place = tasks_fits(launch->id) ? tasks_place(this, launch->id, hash) : NONE;
    if (!tasks_fits(launch->id))
        return;
    if (place != NONE && task_is_active(tasks_record(this, place))) {
        note_again(this, tasks_record(this, place));
        return;
    }
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

// Called with each task of a Call.Accept.
typedef void (*each_launch)(void *data, const struct launch *launch);

static size_t each_info(struct slice list, struct slice executor_id, each_launch each, void *data)
{
    size_t count = 0;
    for (struct slice info; wire_next_bytes(&list, 1, &info); count++) {
        struct launch launch = read_task_info(info, executor_id);
        each(data, &launch);
    }
    return count;
}

// How many there are.
static size_t each_task(struct slice accept, each_launch each, void *data)
{
    enum { ACCEPT_OPERATIONS = 2, LAUNCH = 2, LAUNCH_GROUP = 7 };
    enum { GROUP_EXECUTOR = 1, GROUP_INFO = 2, EXECUTOR_ID = 1 };
    static const struct slice none = {.data = NULL};
    size_t count = 0;
    for (struct slice operation; wire_next_bytes(&accept, ACCEPT_OPERATIONS, &operation);) {
        struct slice group = wire_find(operation, LAUNCH_GROUP);
        struct slice executor_id = wire_find(wire_find(group, GROUP_EXECUTOR), EXECUTOR_ID);
        count += each_info(wire_find(operation, LAUNCH), none, each, data);
        count += each_info(wire_find(group, GROUP_INFO), wire_text(executor_id), each, data);
    }
    return count;
}

struct listing {
    void (*each)(void *data, struct slice id);
    void *data;
};

static void list_one(void *data, const struct launch *launch)
{
    const struct listing *listing = data;
    if (listing->each != NULL)
        listing->each(listing->data, launch->id);
}

size_t tasks_each_launched(struct slice accept, void (*each)(void *data, struct slice id),
                           void *data)
{
    struct listing listing = {.each = each, .data = data};
    return each_task(accept, list_one, &listing);
}

struct launching {
    struct tasks *tasks;
    bool sent;
};

static void launch_one(void *data, const struct launch *launch)
{
    const struct launching *launching = data;
    launch_task(launching->tasks, launch, launching->sent);
}

size_t tasks_launch(struct tasks *this, struct slice accept, bool sent)
{
    struct launching launching = {.tasks = this, .sent = sent};
    return each_task(accept, launch_one, &launching);
}

struct naming {
    const struct tasks *tasks;
    void (*each)(void *data, const struct task *task);
    void *data;
};

static void name_again(void *data, const struct launch *launch)
{
    const struct naming *naming = data;
    const struct task *task = tasks_find(naming->tasks, launch->id);
    if (task != NULL && task->again > 0)
        naming->each(naming->data, task);
}

void tasks_each_again(const struct tasks *this, struct slice accept,
                      void (*each)(void *data, const struct task *task), void *data)
{
    struct naming naming = {.tasks = this, .each = each, .data = data};
    each_task(accept, name_again, &naming);
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
    task->reason = told->has_reason ? told->reason : TASK_NO_REASON;
    if (told->has_healthy) {
        task->health_known = true;
        task->healthy = told->healthy;
    }
    tasks_set_executor(task, wire_text(told->executor_id));
    tasks_set_agent(this, place, wire_text(told->agent_id));
}

#define REASON(name) MESOS__V1__TASK_STATUS__REASON__REASON_##name

static bool refuses_launch(const struct status *told)
{
    static const uint32_t states = BIT(ERROR) | BIT(LOST) | BIT(DROPPED);
    static const int32_t reasons[] = {REASON(TASK_INVALID),       REASON(TASK_UNAUTHORIZED),
                                      REASON(TASK_GROUP_INVALID), REASON(TASK_GROUP_UNAUTHORIZED),
                                      REASON(INVALID_OFFERS),     REASON(MASTER_DISCONNECTED)};
    if (told->uuid.length > 0 || !told->has_reason ||
        (TASK_STATE_BIT(task_slot(told->state)) & states) == 0)
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i] == told->reason)
            return true;
    return false;
}

// Is it the answer to a launch of the task while it was active?
static bool answers_later(struct task *task, const struct status *told)
{
    if (task->again == 0 || !task_is_active(task) || !refuses_launch(told))
        return false;
    task->again--;
    return true;
}

// The task was not known before.
static void take_in(struct tasks *this, struct slice id, uint32_t hash, const struct status *told)
{
    uint32_t place = tasks_add(this, id, (struct slice){.data = NULL}, hash);
    if (place == NONE)
        return;
    apply(this, place, told);
    tasks_enter_state(this, place, told->state);
}

bool tasks_update(struct tasks *this, const struct status *told)
{
    struct slice id = wire_text(told->task_id);
    if (!told->has_state || !tasks_fits(id))
        return true;
    uint32_t hash = (uint32_t)hash_bytes(id), place = tasks_place(this, id, hash);
    if (place == NONE) {
        take_in(this, id, hash, told);
        return true;
    }
    struct task *task = tasks_record(this, place);
    bool repeated = task->uuid != 0 && task->uuid == uuid_of(told);
    bool over = (TASK_STATE_BIT(task_slot(task->state)) & final) != 0;
    if (repeated || over)
        return !repeated && told->uuid.length > 0;
    if (answers_later(task, told))
        return true;
    bool news = told->uuid.length > 0 || task->state != told->state;
    apply(this, place, told);
    tasks_change_state(this, place, told->state);
    return news;
}

void tasks_kill(struct tasks *this, struct slice kill)
{
    struct slice id = wire_text(wire_find(kill, 1));
    uint32_t place = tasks_place(this, id, (uint32_t)hash_bytes(id));
    if (place != NONE && task_is_active(tasks_record(this, place)))
        tasks_record(this, place)->killing = true;
}
