// SPDX-License-Identifier: Apache-2.0
//
// The registry of tasks: see tasks.h for what it promises, tasks_internal.h for how it lies in
// memory.

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

static void list_append(struct tasks *this, struct task_chain *list, uint32_t place, int kind)
{
    struct task *task = tasks_record(this, place);
    task->links[kind].next = NONE;
    task->links[kind].previous = list->last;
    if (list->last != NONE)
        tasks_record(this, list->last)->links[kind].next = place;
    else
        list->first = place;
    list->last = place;
    list->count++;
}

static void list_remove(struct tasks *this, struct task_chain *list, uint32_t place, int kind)
{
    uint32_t next = tasks_record(this, place)->links[kind].next;
    uint32_t previous = tasks_record(this, place)->links[kind].previous;
    if (previous != NONE)
        tasks_record(this, previous)->links[kind].next = next;
    else
        list->first = next;
    if (next != NONE)
        tasks_record(this, next)->links[kind].previous = previous;
    else
        list->last = previous;
    list->count--;
}

static struct task_chain *list_of(struct tasks *this, int32_t state)
{
    unsigned slot = task_slot(state);
    bool over = (TASK_STATE_BIT(slot) & task_states_ended) != 0;
    return over ? &this->ended : &this->active[slot];
}

// ---- agents ----

static uint32_t find_agent(const struct tasks *this, struct slice id, uint32_t hash)
{
    size_t at = hash;
    for (uint32_t number; hash_index_next(&this->agent_ids, hash, &at, &number);) {
        const struct task_agent *agent = &this->agents[number];
        if (agent->length == id.length && memcmp(agent->id, id.data, id.length) == 0)
            return number;
    }
    return NONE;
}

uint32_t tasks_agent(const struct tasks *this, struct slice id)
{
    return find_agent(this, id, (uint32_t)hash_bytes(id));
}

static void make_agents(struct tasks *this)
{
    uint32_t size = this->agents_size ? 2 * this->agents_size : 64;
    this->agents = memory_resize(this->agents, size * sizeof *this->agents);
    for (uint32_t i = size; i-- > this->agents_size;) {
        this->agents[i] = (struct task_agent){.tasks = {.first = this->free_agent}};
        this->free_agent = i;
    }
    this->agents_size = size;
}

static uint32_t take_agent(struct tasks *this, struct slice id)
{
    uint32_t hash = (uint32_t)hash_bytes(id), number = find_agent(this, id, hash);
    if (number != NONE)
        return number;
    if (this->free_agent == NONE)
        make_agents(this);
    number = this->free_agent;
    struct task_agent *agent = &this->agents[number];
    this->free_agent = agent->tasks.first;
    *agent = (struct task_agent){.id = memory_text((const char *)id.data, id.length),
                                 .length = (uint32_t)id.length,
                                 .hash = hash,
                                 .tasks = empty_list};
    hash_index_add(&this->agent_ids, hash, number);
    return number;
}

static void leave_agent(struct tasks *this, uint32_t place)
{
    struct task *task = tasks_record(this, place);
    if (task->agent == NONE)
        return;
    struct task_agent *agent = &this->agents[task->agent];
    list_remove(this, &agent->tasks, place, BY_AGENT);
    if (agent->tasks.count == 0) {
        hash_index_remove(&this->agent_ids, agent->hash, task->agent);
        free(agent->id);
        *agent = (struct task_agent){.tasks = {.first = this->free_agent}};
        this->free_agent = task->agent;
    }
    task->agent = NONE;
}

void tasks_set_agent(struct tasks *this, uint32_t place, struct slice id)
{
    struct task *task = tasks_record(this, place);
    if (!tasks_fits(id) || (task->agent != NONE && slice_equal(id, task_agent_id(this, task))))
        return;
    uint32_t agent = take_agent(this, id);
    leave_agent(this, place);
    task->agent = agent;
    list_append(this, &this->agents[agent].tasks, place, BY_AGENT);
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

uint32_t tasks_place(const struct tasks *this, struct slice id, uint32_t hash)
{
    size_t at = hash;
    for (uint32_t place; hash_index_next(&this->ids, hash, &at, &place);)
        if (slice_equal(task_id(tasks_record(this, place)), id))
            return place;
    return NONE;
}

static void make_page(struct tasks *this)
{
    uint32_t page = this->places / PAGE;
    this->pages = memory_resize(this->pages, (page + 1) * sizeof *this->pages);
    this->pages[page] = memory_new(PAGE * sizeof **this->pages);
    for (uint32_t i = PAGE; i-- > 0;) {
        this->pages[page][i].links[BY_STATE].next = this->free_place;
        this->free_place = this->places + i;
    }
    this->places += PAGE;
}

void tasks_drop(struct tasks *this, uint32_t place)
{
    struct task *task = tasks_record(this, place);
    leave_agent(this, place);
    list_remove(this, list_of(this, task->state), place, BY_STATE);
    hash_index_remove(&this->ids, task->hash, place);
    this->counts[task_slot(task->state)]--;
    this->count--;
    free(task->text);
    free(task->executor);
    *task = (struct task){.generation = task->generation + 1};
    task->links[BY_STATE].next = this->free_place;
    this->free_place = place;
}

static bool make_room(struct tasks *this)
{
    if (this->count < this->most)
        return true;
    if (this->ended.count > 0) {
        tasks_drop(this, this->ended.first);
        return true;
    }
    if (this->left_out++ == 0)
        log_warning("%zu tasks are known, and none of them has ended: no more are taken into the "
                    "registry, so that driver:tasks() is incomplete (see --task-limit)",
                    this->most);
    return false;
}

uint32_t tasks_add(struct tasks *this, struct slice id, struct slice name, uint32_t hash)
{
    if (!make_room(this))
        return NONE;
    if (this->free_place == NONE)
        make_page(this);
    uint32_t place = this->free_place;
    struct task *task = tasks_record(this, place);
    this->free_place = task->links[BY_STATE].next;
    *task = (struct task){.text = make_text(id, name),
                          .agent = NONE,
                          .hash = hash,
                          .generation = task->generation,
                          .reason = TASK_NO_REASON,
                          .used = true};
    hash_index_add(&this->ids, hash, place);
    this->count++;
    return place;
}

void tasks_enter_state(struct tasks *this, uint32_t place, int32_t state)
{
    tasks_record(this, place)->state = state;
    this->counts[task_slot(state)]++;
    list_append(this, list_of(this, state), place, BY_STATE);
    if (this->ended.count > TASKS_ENDED_MOST)
        tasks_drop(this, this->ended.first);
}

void tasks_change_state(struct tasks *this, uint32_t place, int32_t state)
{
    int32_t old = tasks_record(this, place)->state;
    if (old == state)
        return;
    list_remove(this, list_of(this, old), place, BY_STATE);
    this->counts[task_slot(old)]--;
    tasks_enter_state(this, place, state);
}

// ---- what is known ----

const struct task *tasks_find(const struct tasks *this, struct slice id)
{
    uint32_t place = tasks_place(this, id, (uint32_t)hash_bytes(id));
    return place != NONE ? tasks_record(this, place) : NULL;
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

struct slice task_agent_id(const struct tasks *this, const struct task *task)
{
    if (task->agent == NONE)
        return (struct slice){.data = NULL};
    const struct task_agent *agent = &this->agents[task->agent];
    return (struct slice){.data = (const uint8_t *)agent->id, .length = agent->length};
}

size_t tasks_in_slot(const struct tasks *this, unsigned slot)
{
    return this->counts[slot];
}

uint64_t tasks_launched_again(const struct tasks *this)
{
    return this->again;
}

uint64_t tasks_left_out(const struct tasks *this)
{
    return this->left_out;
}

// ---- life ----

struct tasks *tasks_create(struct loop *loop, size_t most)
{
    struct tasks *this = memory_new(sizeof *this);
    *this = (struct tasks){.loop = loop,
                           .most = most ? most : TASKS_MOST,
                           .free_place = NONE,
                           .free_agent = NONE,
                           .ended = empty_list};
    for (unsigned i = 0; i < TASK_SLOTS; i++)
        this->active[i] = empty_list;
    return this;
}

static void free_contents(struct tasks *this)
{
    for (uint32_t place = 0; place < this->places; place++) {
        free(tasks_record(this, place)->text);
        free(tasks_record(this, place)->executor);
    }
    for (uint32_t page = 0; page < this->places / PAGE; page++)
        free(this->pages[page]);
    for (uint32_t agent = 0; agent < this->agents_size; agent++)
        free(this->agents[agent].id);
    free(this->pages);
    free(this->agents);
    hash_index_clear(&this->ids);
    hash_index_clear(&this->agent_ids);
}

// One by one, so that handles of tasks that were there are told from those of others.
void tasks_clear(struct tasks *this)
{
    for (uint32_t place = 0; place < this->places; place++)
        if (tasks_record(this, place)->used)
            tasks_drop(this, place);
}

void tasks_destroy(struct tasks *this)
{
    if (this == NULL)
        return;
    free_contents(this);
    free(this);
}
