// SPDX-License-Identifier: Apache-2.0
//
// The registry of tasks: see tasks.h for the contract, tasks_internal.h for the layout in memory.

#include "tasks/tasks_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

const uint32_t task_states_ended = BIT(FINISHED) | BIT(FAILED) | BIT(KILLED) | BIT(ERROR) |
                                   BIT(LOST) | BIT(DROPPED) | BIT(GONE) | BIT(GONE_BY_OPERATOR) |
                                   BIT(UNKNOWN);

// ---- lists ----

static const struct task_chain empty_list = {.first = NONE, .last = NONE};

static void list_append(struct tasks *tasks, struct task_chain *list, uint32_t place, int kind)
{
    struct task *task = tasks_record(tasks, place);
    task->links[kind].next = NONE;
    task->links[kind].previous = list->last;
    if (list->last != NONE)
        tasks_record(tasks, list->last)->links[kind].next = place;
    else
        list->first = place;
    list->last = place;
    list->count++;
}

static void list_remove(struct tasks *tasks, struct task_chain *list, uint32_t place, int kind)
{
    uint32_t next = tasks_record(tasks, place)->links[kind].next;
    uint32_t previous = tasks_record(tasks, place)->links[kind].previous;
    if (previous != NONE)
        tasks_record(tasks, previous)->links[kind].next = next;
    else
        list->first = next;
    if (next != NONE)
        tasks_record(tasks, next)->links[kind].previous = previous;
    else
        list->last = previous;
    list->count--;
}

static struct task_chain *list_of(struct tasks *tasks, int32_t state)
{
    unsigned slot = task_slot(state);
    bool over = (TASK_STATE_BIT(slot) & task_states_ended) != 0;
    return over ? &tasks->ended : &tasks->active[slot];
}

// ---- agents ----

static uint32_t find_agent(const struct tasks *tasks, struct slice id, uint32_t hash)
{
    size_t at = hash;
    for (uint32_t number; hash_index_next(&tasks->agent_ids, hash, &at, &number);) {
        const struct task_agent *agent = &tasks->agents[number];
        if (agent->length == id.length && memcmp(agent->id, id.data, id.length) == 0)
            return number;
    }
    return NONE;
}

uint32_t tasks_agent(const struct tasks *tasks, struct slice id)
{
    return find_agent(tasks, id, (uint32_t)hash_index_hash(id));
}

static void make_agents(struct tasks *tasks)
{
    uint32_t size = tasks->agents_size ? 2 * tasks->agents_size : 64;
    tasks->agents = memory_resize(tasks->agents, size * sizeof *tasks->agents);
    for (uint32_t i = size; i-- > tasks->agents_size;) {
        tasks->agents[i] = (struct task_agent){.tasks = {.first = tasks->free_agent}};
        tasks->free_agent = i;
    }
    tasks->agents_size = size;
}

static uint32_t find_or_add_agent(struct tasks *tasks, struct slice id)
{
    uint32_t hash = (uint32_t)hash_index_hash(id), number = find_agent(tasks, id, hash);
    if (number != NONE)
        return number;
    if (tasks->free_agent == NONE)
        make_agents(tasks);
    number = tasks->free_agent;
    struct task_agent *agent = &tasks->agents[number];
    tasks->free_agent = agent->tasks.first;
    *agent = (struct task_agent){.id = memory_text((const char *)id.data, id.length),
                                 .length = (uint32_t)id.length,
                                 .hash = hash,
                                 .tasks = empty_list};
    hash_index_add(&tasks->agent_ids, hash, number);
    return number;
}

static void leave_agent(struct tasks *tasks, uint32_t place)
{
    struct task *task = tasks_record(tasks, place);
    if (task->agent == NONE)
        return;
    struct task_agent *agent = &tasks->agents[task->agent];
    list_remove(tasks, &agent->tasks, place, BY_AGENT);
    if (agent->tasks.count == 0) {
        hash_index_remove(&tasks->agent_ids, agent->hash, task->agent);
        free(agent->id);
        *agent = (struct task_agent){.tasks = {.first = tasks->free_agent}};
        tasks->free_agent = task->agent;
    }
    task->agent = NONE;
}

void tasks_set_agent(struct tasks *tasks, uint32_t place, struct slice id)
{
    struct task *task = tasks_record(tasks, place);
    if (!tasks_fits(id) || (task->agent != NONE && slice_equal(id, task_agent_id(tasks, task))))
        return;
    uint32_t agent = find_or_add_agent(tasks, id);
    leave_agent(tasks, place);
    task->agent = agent;
    list_append(tasks, &tasks->agents[agent].tasks, place, BY_AGENT);
}

// ---- records ----

static struct task_text *make_text(struct slice id, struct slice name)
{
    size_t name_length = name.length < TASK_TEXT_MOST ? name.length : TASK_TEXT_MOST;
    struct task_text *text = memory_new(sizeof *text + id.length + name_length + 2);
    text->id_length = (uint16_t)id.length;
    text->name_length = (uint16_t)name_length;
    memcpy(text->bytes, id.data, id.length);
    if (name_length > 0)
        memcpy(text->bytes + id.length + 1, name.data, name_length);
    return text;
}

void tasks_set_executor(struct task *task, struct slice id)
{
    if (!tasks_fits(id) || slice_equal(id, task_executor_id(task)))
        return;
    free(task->executor);
    task->executor = NULL;
    task->own_executor = slice_equal(id, task_id(task));
    if (task->own_executor)
        return;
    task->executor = memory_new(sizeof *task->executor + id.length);
    task->executor->length = (uint16_t)id.length;
    memcpy(task->executor->id, id.data, id.length);
}

uint32_t tasks_place(const struct tasks *tasks, struct slice id, uint32_t hash)
{
    size_t at = hash;
    for (uint32_t place; hash_index_next(&tasks->ids, hash, &at, &place);)
        if (slice_equal(task_id(tasks_record(tasks, place)), id))
            return place;
    return NONE;
}

static void make_page(struct tasks *tasks)
{
    uint32_t page = tasks->places / PAGE;
    tasks->pages = memory_resize(tasks->pages, (page + 1) * sizeof *tasks->pages);
    tasks->pages[page] = memory_new(PAGE * sizeof **tasks->pages);
    for (uint32_t i = PAGE; i-- > 0;) {
        tasks->pages[page][i].links[BY_STATE].next = tasks->free_place;
        tasks->free_place = tasks->places + i;
    }
    tasks->places += PAGE;
}

void tasks_drop(struct tasks *tasks, uint32_t place)
{
    struct task *task = tasks_record(tasks, place);
    leave_agent(tasks, place);
    list_remove(tasks, list_of(tasks, task->state), place, BY_STATE);
    hash_index_remove(&tasks->ids, task->hash, place);
    tasks->counts[task_slot(task->state)]--;
    tasks->count--;
    free(task->text);
    free(task->executor);
    *task = (struct task){.generation = task->generation + 1};
    task->links[BY_STATE].next = tasks->free_place;
    tasks->free_place = place;
}

static bool make_room(struct tasks *tasks)
{
    if (tasks->count < tasks->most)
        return true;
    if (tasks->ended.count > 0) {
        tasks_drop(tasks, tasks->ended.first);
        return true;
    }
    if (tasks->left_out++ == 0)
        log_warning("%zu tasks are known, and none of them has ended: no more are taken into the "
                    "registry, so that driver:tasks() is incomplete (see --task-limit)",
                    tasks->most);
    return false;
}

uint32_t tasks_add(struct tasks *tasks, struct slice id, struct slice name, uint32_t hash)
{
    if (!make_room(tasks))
        return NONE;
    if (tasks->free_place == NONE)
        make_page(tasks);
    uint32_t place = tasks->free_place;
    struct task *task = tasks_record(tasks, place);
    tasks->free_place = task->links[BY_STATE].next;
    *task = (struct task){.text = make_text(id, name),
                          .agent = NONE,
                          .hash = hash,
                          .generation = task->generation,
                          .reason = TASK_NO_REASON,
                          .used = true};
    hash_index_add(&tasks->ids, hash, place);
    tasks->count++;
    return place;
}

void tasks_enter_state(struct tasks *tasks, uint32_t place, int32_t state)
{
    tasks_record(tasks, place)->state = state;
    tasks->counts[task_slot(state)]++;
    list_append(tasks, list_of(tasks, state), place, BY_STATE);
    if (tasks->ended.count > TASKS_ENDED_MOST)
        tasks_drop(tasks, tasks->ended.first);
}

void tasks_change_state(struct tasks *tasks, uint32_t place, int32_t state)
{
    int32_t old = tasks_record(tasks, place)->state;
    if (old == state)
        return;
    list_remove(tasks, list_of(tasks, old), place, BY_STATE);
    tasks->counts[task_slot(old)]--;
    tasks_enter_state(tasks, place, state);
}

// ---- what is known ----

const struct task *tasks_find(const struct tasks *tasks, struct slice id)
{
    uint32_t place = tasks_place(tasks, id, (uint32_t)hash_index_hash(id));
    return place != NONE ? tasks_record(tasks, place) : NULL;
}

struct slice task_id(const struct task *task)
{
    const struct task_text *text = task->text;
    return (struct slice){.data = (const uint8_t *)text->bytes, .length = text->id_length};
}

struct slice task_name(const struct task *task)
{
    const struct task_text *text = task->text;
    return (struct slice){.data = (const uint8_t *)text->bytes + text->id_length + 1,
                          .length = text->name_length};
}

struct slice task_executor_id(const struct task *task)
{
    const struct task_executor *executor = task->executor;
    if (task->own_executor)
        return task_id(task);
    return executor ? (struct slice){(const uint8_t *)executor->id, executor->length}
                    : (struct slice){.data = NULL};
}

struct slice task_agent_id(const struct tasks *tasks, const struct task *task)
{
    if (task->agent == NONE)
        return (struct slice){.data = NULL};
    const struct task_agent *agent = &tasks->agents[task->agent];
    return (struct slice){.data = (const uint8_t *)agent->id, .length = agent->length};
}

size_t tasks_in_slot(const struct tasks *tasks, unsigned slot)
{
    return tasks->counts[slot];
}

uint64_t tasks_relaunched(const struct tasks *tasks)
{
    return tasks->relaunched;
}

uint64_t tasks_left_out(const struct tasks *tasks)
{
    return tasks->left_out;
}

// ---- life ----

struct tasks *tasks_create(struct loop *loop, size_t most)
{
    struct tasks *tasks = memory_new(sizeof *tasks);
    *tasks = (struct tasks){.loop = loop,
                            .most = most ? most : TASKS_MOST,
                            .free_place = NONE,
                            .free_agent = NONE,
                            .ended = empty_list};
    for (unsigned i = 0; i < TASK_SLOTS; i++)
        tasks->active[i] = empty_list;
    return tasks;
}

static void free_contents(struct tasks *tasks)
{
    for (uint32_t place = 0; place < tasks->places; place++) {
        free(tasks_record(tasks, place)->text);
        free(tasks_record(tasks, place)->executor);
    }
    for (uint32_t page = 0; page < tasks->places / PAGE; page++)
        free(tasks->pages[page]);
    for (uint32_t agent = 0; agent < tasks->agents_size; agent++)
        free(tasks->agents[agent].id);
    free(tasks->pages);
    free(tasks->agents);
    hash_index_clear(&tasks->ids);
    hash_index_clear(&tasks->agent_ids);
}

// One by one, so that the generation of each place changes and old handles are void.
void tasks_clear(struct tasks *tasks)
{
    for (uint32_t place = 0; place < tasks->places; place++)
        if (tasks_record(tasks, place)->used)
            tasks_drop(tasks, place);
}

void tasks_destroy(struct tasks *tasks)
{
    if (tasks == NULL)
        return;
    free_contents(tasks);
    free(tasks);
}
