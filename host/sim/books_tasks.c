// SPDX-License-Identifier: Apache-2.0
//
// Tasks in the books, from their launch until the master forgets them. A task that has ended stays
// ended, but one that was lost comes back with its agent: then what was counted for its loss is
// taken back.

#include "sim/books_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// What the states of Mesos are; KILLING is looked at by itself.
static const uint8_t phases[HISTORY_STATES] = {
#define STATE(NAME, PHASE) [MESOS__V1__TASK_STATE__TASK_##NAME] = PHASE_##PHASE
    STATE(STAGING, LAUNCHED),      STATE(STARTING, LAUNCHED), STATE(RUNNING, RUNNING),
    STATE(KILLING, RUNNING),       STATE(FINISHED, FINISHED), STATE(FAILED, FAILED),
    STATE(ERROR, FAILED),          STATE(KILLED, KILLED),     STATE(LOST, LOST),
    STATE(DROPPED, LOST),          STATE(UNREACHABLE, LOST),  STATE(GONE, LOST),
    STATE(GONE_BY_OPERATOR, LOST), STATE(UNKNOWN, LOST),
#undef STATE
};

static enum task_phase phase_of(Mesos__V1__TaskState state)
{
    return (size_t)state < HISTORY_STATES ? (enum task_phase)phases[state] : PHASE_LOST;
}

static bool has_ended(const struct followed_task *task)
{
    return task->phase >= PHASE_FINISHED;
}

// ---- what a task takes ----

static void take(struct books *books, const struct followed_task *task, int sign, uint64_t now)
{
    agent_use_take(&books->agents, task->node, &task->amounts, sign, now);
    role_use_take(&books->roles, task->role, &task->amounts, sign, now);
}

// Cpus times time, of a task that has ended.
static void count_work(struct books *books, const struct followed_task *task, int sign)
{
    if (!task->has_run)
        return;
    wide_sum work =
        (wide_sum)task->amounts.amount[SCALAR_CPUS] * (wide_sum)(task->ended - task->since) * sign;
    if (task->phase == PHASE_FINISHED)
        books->useful += work;
    else
        books->wasted += work;
}

// ---- its phases ----

static void begin_to_run(struct books *books, struct followed_task *task, uint64_t now)
{
    task->phase = PHASE_RUNNING;
    if (task->has_run)
        return;
    task->has_run = true;
    task->since = now;
    if (task->first != NULL) {
        task->first->has_started = true;
        task->first->started = now;
    }
    if (task->job != NULL)
        books_jobs_runs(books, task->job, now);
}

static void end(struct books *books, struct followed_task *task, enum task_phase phase,
                uint64_t now)
{
    if (phase == PHASE_FINISHED)
        begin_to_run(books, task, now); // it was short, and nothing was heard of that
    task->phase = (uint8_t)phase;
    task->ended = now;
    books->live--;
    books->by_phase[phase]++;
    books->last_change = now;
    take(books, task, -1, now);
    count_work(books, task, 1);
    if (task->first != NULL) {
        task->first->has_ended = true;
        task->first->ended = now;
    }
    if (task->job != NULL)
        books_jobs_ended(books, task->job, task, now);
}

// It was lost, and is back.
static void regain(struct books *books, struct followed_task *task, uint64_t now)
{
    count_work(books, task, -1);
    books->by_phase[PHASE_LOST]--;
    books->live++;
    task->phase = task->has_run ? PHASE_RUNNING : PHASE_LAUNCHED;
    take(books, task, 1, now);
    if (task->first != NULL)
        task->first->has_ended = false;
    if (task->job != NULL)
        books_jobs_regained(books, task->job, task, now);
}

static void set_phase(struct books *books, struct followed_task *task, enum task_phase phase,
                      uint64_t now)
{
    if (phase == task->phase || (has_ended(task) && task->phase != PHASE_LOST))
        return;
    if (task->phase == PHASE_LOST)
        regain(books, task, now);
    if (phase >= PHASE_FINISHED)
        end(books, task, phase, now);
    else if (phase == PHASE_RUNNING)
        begin_to_run(books, task, now);
}

void books_tasks_entered(struct books *books, struct master_task *master_task)
{
    struct followed_task *task = master_task->followed;
    Mesos__V1__TaskState state = master_task->state;
    if (task == NULL)
        return;
    uint64_t now = books_now(books);
    if (task->first != NULL)
        task->first->state = state;
    if (state == MESOS__V1__TASK_STATE__TASK_KILLING && task->phase == PHASE_LAUNCHED)
        return; // it is killed before it runs
    set_phase(books, task, phase_of(state), now);
}

// ---- its launch ----

static const char *label_of(const Mesos__V1__TaskInfo *info)
{
    const Mesos__V1__Labels *labels = info->labels;
    for (size_t i = 0; labels != NULL && i < labels->n_labels; i++)
        if (strcmp(labels->labels[i]->key, "job") == 0)
            return labels->labels[i]->value;
    return NULL;
}

static struct books_job *job_of(struct books *books, const Mesos__V1__TaskInfo *info)
{
    return books_job_of(books, info->task_id->value, info->name, label_of(info));
}

static struct followed_task *add(struct books *books)
{
    struct followed_task *task = TAILQ_FIRST(&books->spare_tasks);
    if (task != NULL)
        TAILQ_REMOVE(&books->spare_tasks, task, link);
    else
        task = memory_new(sizeof *task);
    *task = (struct followed_task){.phase = PHASE_LAUNCHED};
    TAILQ_INSERT_TAIL(&books->tasks, task, link);
    return task;
}

// For the chart of the first ones.
static void note_first(struct books *books, struct followed_task *task,
                       const struct master_task *master_task, uint64_t now)
{
    struct first_task *first = first_tasks_add(&books->first);
    if (first == NULL)
        return;
    first->task = memory_string(master_task->id);
    first->agent = books_observer_label(master_task->node);
    first->job = task->job ? task->job->id : NULL;
    first->role = job_names_text(&books->jobs.roles, task->role);
    first->launched = now;
    first->state = master_task->state;
    task->first = first;
}

void books_tasks_launched(struct books *books, struct master_task *master_task,
                          const Mesos__V1__TaskInfo *info, const struct resources *resources)
{
    uint64_t now = books_now(books);
    struct followed_task *task = add(books);
    master_task->followed = task;
    task->of = master_task;
    task->job = job_of(books, info);
    task->role =
        task->job ? task->job->role : job_names_number(&books->jobs.roles, master_task->role);
    task->attempt = task->job ? ++task->job->launched : 1;
    task->amounts = scalars_of(resources);
    task->node = master_task->node->number;
    books->launched++;
    books->live++;
    books->last_change = now;
    take(books, task, 1, now);
    if (books->first.count < FIRST_TASKS)
        note_first(books, task, master_task, now);
    if (task->job != NULL)
        books_jobs_launched(books, task->job, now);
}

void books_tasks_refused(struct books *books, const Mesos__V1__TaskInfo *info,
                         Mesos__V1__TaskState state)
{
    uint64_t now = books_now(books);
    const struct followed_task task = {.phase = (uint8_t)phase_of(state)};
    struct books_job *job = job_of(books, info);
    books->launched++;
    books->by_phase[task.phase]++;
    books->last_change = now;
    if (job == NULL)
        return;
    job->launched++;
    books_jobs_launched(books, job, now);
    books_jobs_ended(books, job, &task, now);
}

// ---- its end ----

static void drop(struct books *books, struct followed_task *task)
{
    TAILQ_REMOVE(&books->tasks, task, link);
    TAILQ_INSERT_HEAD(&books->spare_tasks, task, link);
}

void books_tasks_forgotten(struct books *books, struct master_task *master_task)
{
    struct followed_task *task = master_task->followed;
    if (task == NULL)
        return;
    master_task->followed = NULL;
    if (!has_ended(task))
        set_phase(books, task, PHASE_LOST, books_now(books));
    drop(books, task);
}

void books_tasks_leave(struct books *books)
{
    struct followed_task *task;
    TAILQ_FOREACH(task, &books->tasks, link)
    task->of->followed = NULL;
}

void books_tasks_free(struct books *books)
{
    struct followed_task *task;
    while ((task = TAILQ_FIRST(&books->tasks)) != NULL)
        drop(books, task);
    while ((task = TAILQ_FIRST(&books->spare_tasks)) != NULL) {
        TAILQ_REMOVE(&books->spare_tasks, task, link);
        free(task);
    }
}
