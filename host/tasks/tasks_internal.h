// SPDX-License-Identifier: Apache-2.0
//
// The inside of the registry of tasks, for its three files only: tasks.c (records, lists and
// indexes), tasks_apply.c (launches, updates and kills, read from calls and events), tasks_query.c
// (tasks that match a filter).
//
// Records are in pages, which do not move. The index of ids and the lists refer to a record by its
// place, a number. Each record is in the list of its state (all states of the end share one, from
// which the oldest are dropped), and in the list of its agent, which exists as long as it has
// tasks.

#ifndef MESOS_LUA_TASKS_TASKS_INTERNAL_H
#define MESOS_LUA_TASKS_TASKS_INTERNAL_H

#include "base/hash_index.h"
#include "tasks/tasks.h"

#define NONE HASH_INDEX_NONE
#define BIT(name) TASK_STATE_BIT(MESOS__V1__TASK_STATE__TASK_##name)

struct task_executor {
    uint16_t length;
    char id[];
};

enum { BY_STATE, BY_AGENT };
enum { PAGE = 256 }; // records

// The id and the name, each with a zero byte behind it.
struct task_text {
    uint16_t id_length, name_length;
    char bytes[];
};

struct task_chain {
    uint32_t first, last;
    size_t count;
};

struct task_agent {
    char *id; // NULL: free
    uint32_t length, hash;
    struct task_chain tasks;
};

struct tasks {
    struct loop *loop; // for the time
    size_t most, count;
    struct task **pages;
    uint32_t places, free_place; // records in all pages; those that are free, linked by their next
    struct hash_index ids;
    struct task_agent *agents;
    uint32_t agents_size, free_agent; // likewise, linked by the first task
    struct hash_index agent_ids;
    struct task_chain active[TASK_SLOTS], ended;
    size_t counts[TASK_SLOTS];
    uint64_t left_out, relaunched;
};

static inline struct task *tasks_record(const struct tasks *tasks, uint32_t place)
{
    return &tasks->pages[place / PAGE][place % PAGE];
}

static inline bool tasks_fits(struct slice text)
{
    return text.length > 0 && text.length <= TASK_TEXT_MOST;
}

// The place of the task of that id, whose hash it is, or NONE.
uint32_t tasks_place(const struct tasks *tasks, struct slice id, uint32_t hash);

// The agent of that id, or NONE.
uint32_t tasks_agent(const struct tasks *tasks, struct slice id);

// A new record in no state yet, or NONE at the cap. Drops a task that ended if that is needed.
uint32_t tasks_add(struct tasks *tasks, struct slice id, struct slice name, uint32_t hash);
void tasks_drop(struct tasks *tasks, uint32_t place);

// The first state of a new record; and the next, or the same, of another.
void tasks_enter_state(struct tasks *tasks, uint32_t place, int32_t state);
void tasks_change_state(struct tasks *tasks, uint32_t place, int32_t state);

// Texts that are empty or too long change nothing.
void tasks_set_agent(struct tasks *tasks, uint32_t place, struct slice id);
void tasks_set_executor(struct task *task, struct slice id);

#endif
