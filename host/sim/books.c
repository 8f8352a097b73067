// SPDX-License-Identifier: Apache-2.0
//
// The books of a simulated run: their life, the jobs that go to the policy, and what may be asked
// while it runs. See the header.

#include "sim/books.h"

#include "base/memory.h"
#include "sim/books_internal.h"
#include "sim/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_AT_END = 20 };

// ---- jobs ----

static bool may_submit(const struct books *books, struct slice id, struct error *err)
{
    if (id.length == 0)
        return error_set(err, ERROR_INVALID, "a job has no id: every row needs one");
    if (id.length > BOOKS_ID)
        return error_set(err, ERROR_LIMIT, "the id of job '%.40s...' has %zu bytes; at most %d fit",
                         (const char *)id.data, id.length, BOOKS_ID);
    if (jobs_find(&books->jobs, id) != NULL)
        return error_set(err, ERROR_INVALID, "the id '%.*s' was used by an earlier job",
                         SLICE_ARGS(id));
    return books->jobs.count < BOOKS_JOBS ||
           error_set(err, ERROR_LIMIT, "there are %d jobs already: that is the most", BOOKS_JOBS);
}

static uint16_t priority_number(struct books *books, double priority)
{
    char text[32];
    double value = priority == priority && priority != 0 ? priority : 0; // not NaN, and not -0
    if (books->jobs.priorities.count > 0 && value == books->last_priority)
        return books->last_priority_number;
    snprintf(text, sizeof text, "%.14g", value);
    books->last_priority = value;
    books->last_priority_number = job_names_number(&books->jobs.priorities, text);
    return books->last_priority_number;
}

static void fill_job(struct books *books, struct books_job *job, const struct books_row *row,
                     uint64_t now)
{
    uint64_t at = books->start + loop_seconds(row->at);
    job->at = at < now ? at : now;
    job->duration = loop_seconds(row->duration);
    job->need[SCALAR_CPUS] = scalars_thousandths(row->cpus);
    job->need[SCALAR_MEM] = scalars_thousandths(row->mem);
    job->need[SCALAR_DISK] = scalars_thousandths(row->disk);
    job->need[SCALAR_GPUS] = scalars_thousandths(row->gpus);
    job->tasks = row->tasks > 0 ? row->tasks : 1;
    job->role = job_names_number(&books->jobs.roles, row->role ? row->role : "*");
    job->user = job_names_number(&books->jobs.users, row->user);
    job->priority = priority_number(books, row->priority);
    jobs_set_name(&books->jobs, job, row->name);
}

bool books_submit(struct books *books, const struct books_row *row, struct error *err)
{
    uint64_t now = books_now(books);
    struct slice id = slice_text(row->id);
    if (!may_submit(books, id, err))
        return false;
    struct books_job *job = jobs_add(&books->jobs, id);
    fill_job(books, job, row, now);
    if (job->number == 0 || job->at < books->first_at)
        books->first_at = job->at;
    agent_use_note_need(&books->agents, job->need);
    books_jobs_submitted(books, job, now);
    return true;
}

void books_refused(struct books *books, const char *id)
{
    uint64_t now = books_now(books);
    struct books_job *job = jobs_find(&books->jobs, slice_text(id));
    if (job != NULL)
        books_jobs_refused(books, job, now);
}

static struct books_job *find(const struct books *books, const char *id)
{
    return id ? jobs_find(&books->jobs, slice_text(id)) : NULL;
}

// "a.b.c" may be a task of the job "a.b", or of "a".
static struct books_job *find_prefix(const struct books *books, const char *id)
{
    struct slice prefix = slice_text(id);
    struct books_job *job = NULL;
    if (prefix.length > BOOKS_ID + 1) // no longer prefix is an id
        prefix.length = BOOKS_ID + 1;
    while (job == NULL && prefix.length > 0) {
        prefix.length--;
        if (prefix.data[prefix.length] == '.')
            job = jobs_find(&books->jobs, prefix);
    }
    return job;
}

struct books_job *books_job_of(struct books *books, const char *task_id, const char *name,
                               const char *label)
{
    struct books_job *job = find(books, label);
    bool named = name != NULL && task_id != NULL && strcmp(name, task_id) == 0;
    job = job ? job : find(books, name);
    job = job || named ? job : find(books, task_id);
    return job ? job : find_prefix(books, task_id);
}

// ---- questions ----

const char *books_job_id(const struct books *books, const struct books_job *job)
{
    (void)books;
    return job->id;
}

double books_job_duration(const struct books *books, const struct books_job *job)
{
    (void)books;
    return (double)job->duration / (double)LOOP_SECOND;
}

static const struct master_task *find_task(const struct books *books, const char *task_id)
{
    const struct master_framework *framework;
    if (books->observer.master == NULL)
        return NULL;
    TAILQ_FOREACH(framework, &books->observer.master->frameworks, link)
    {
        const struct master_task *task = master_records_task(framework, task_id);
        if (task != NULL && task->followed != NULL)
            return task;
    }
    return NULL;
}

bool books_task(const struct books *books, const char *task_id, struct books_task_facts *facts)
{
    const struct master_task *task = find_task(books, task_id);
    if (task == NULL)
        return false;
    const struct followed_task *followed = task->followed;
    *facts = (struct books_task_facts){
        .task_id = task->id,
        .name = task->name,
        .agent_id = task->node->id,
        .hostname = task->node->hostname,
        .cpus = (double)followed->amounts.amount[SCALAR_CPUS] / 1000,
        .mem = (double)followed->amounts.amount[SCALAR_MEM] / 1000,
        .disk = (double)followed->amounts.amount[SCALAR_DISK] / 1000,
        .gpus = (double)followed->amounts.amount[SCALAR_GPUS] / 1000,
        .attempt = followed->attempt,
        .job = followed->job,
    };
    return true;
}

struct books_counts books_counts(const struct books *books)
{
    const uint64_t *by = books->by_state;
    return (struct books_counts){
        .submitted = books->submitted_jobs,
        .refused = by[JOB_REFUSED],
        .finished = by[JOB_FINISHED],
        .running = by[JOB_RUNNING],
        .waiting = by[JOB_WAITING],
        .failed = by[JOB_FAILED],
        .unfinished = by[JOB_RUNNING] + by[JOB_WAITING] + by[JOB_FAILED],
        .live_tasks = books->live,
        .events = books->submitted_jobs + books->made + books->call_count + books->updates,
        .last_change = books->last_change,
    };
}

size_t books_unfinished(const struct books *books)
{
    return (size_t)books_counts(books).unfinished;
}

uint64_t books_last_change(const struct books *books)
{
    return books->last_change;
}

// ---- why jobs wait ----

static bool on_explain(void *data, const struct books_job *job, struct buffer *text)
{
    const struct books *books = data;
    const struct jobs *jobs = &books->jobs;
    const struct books_row row = {
        .id = job->id,
        .role = job_names_text(&jobs->roles, job->role),
        .user = job_names_text(&jobs->users, job->user),
        .at = (double)(job->at - books->start) / (double)LOOP_SECOND,
        .duration = (double)job->duration / (double)LOOP_SECOND,
        .cpus = (double)job->need[SCALAR_CPUS] / 1000,
        .mem = (double)job->need[SCALAR_MEM] / 1000,
        .disk = (double)job->need[SCALAR_DISK] / 1000,
        .gpus = (double)job->need[SCALAR_GPUS] / 1000,
        .priority = strtod(job_names_text(&jobs->priorities, job->priority), NULL),
        .tasks = job->tasks,
    };
    return books->explain(books->explain_data, &row, text);
}

void books_why(struct books *books,
               bool (*explain)(void *data, const struct books_row *need, struct buffer *text),
               void *data)
{
    books->explain = explain;
    books->explain_data = data;
    books->reasons.explain = explain ? on_explain : NULL;
    books->reasons.data = books;
}

// ---- life ----

static void on_closing(void *data, uint64_t end, uint64_t length)
{
    struct books *books = data;
    (void)end;
    agent_use_sample(&books->agents, length);
}

static void on_look(void *data)
{
    struct books *books = data;
    uint64_t now = books_now(books);
    timer_start(&books->look, wait_reasons_pause(now - books->start));
    wait_reasons_ask(&books->reasons, &books->jobs, LOOP_SECOND, now);
}

static void add_columns(struct books *books)
{
    struct series_column *columns[] = {
        &books->submitted, &books->started,     &books->finished, &books->failed,
        &books->offers,    &books->call_column, &books->waiting,  &books->running,
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        series_add(&books->series, columns[i], books->start);
    for (int i = 0; i < SCALARS; i++)
        series_add(&books->series, &books->offered[i], books->start);
}

struct books *books_create(struct loop *loop, struct master *master)
{
    struct books *books = memory_new(sizeof *books);
    books->loop = loop;
    books->start = books->last_change = loop_now(loop);
    series_init(&books->series, books->start, LOOP_SECOND);
    books->series.closing = on_closing;
    books->series.data = books;
    jobs_init(&books->jobs);
    agent_use_init(&books->agents, &books->series, books->start);
    role_use_init(&books->roles, &books->series, books->start);
    add_columns(books);
    TAILQ_INIT(&books->tasks);
    TAILQ_INIT(&books->spare_tasks);
    timer_init(&books->look, loop, on_look, books);
    timer_start(&books->look, LOOP_SECOND);
    books_observer_start(books, master);
    return books;
}

void books_end(struct books *books)
{
    if (books->ended)
        return;
    uint64_t now = books_now(books);
    wait_reasons_ask_all(&books->reasons, &books->jobs, ASKED_AT_END, now);
    timer_stop(&books->look);
    if (books->observer.master != NULL)
        books_tasks_leave(books);
    history_forget(&books->observer);
    role_use_settle(&books->roles, now);
    series_end(&books->series, now);
    books->ended = true;
    books->stop = now;
}

void books_destroy(struct books *books)
{
    if (books == NULL)
        return;
    books->reasons.explain = NULL;
    books_end(books);
    results_destroy(books->results);
    books_tasks_free(books);
    first_tasks_free(&books->first);
    wait_reasons_free(&books->reasons);
    quantiles_free(&books->held);
    role_use_free(&books->roles);
    agent_use_free(&books->agents);
    jobs_free(&books->jobs);
    free(books);
}
