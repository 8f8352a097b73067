// SPDX-License-Identifier: Apache-2.0
//
// The states of jobs. What happens to a job's tasks is counted in the job, and its state follows
// from these counts: set_state() alone changes it, and with it all that is counted by state.

#include "sim/books_internal.h"

static enum job_state state_of(const struct books_job *job)
{
    if (job->finished >= job->tasks)
        return JOB_FINISHED;
    if (job->runs > 0)
        return JOB_RUNNING;
    if (job->refused && job->launched == 0)
        return JOB_REFUSED;
    return job->bad && job->live == 0 ? JOB_FAILED : JOB_WAITING;
}

static bool is_busy(enum job_state state)
{
    return state == JOB_WAITING || state == JOB_RUNNING;
}

static void set_state(struct books *books, struct books_job *job, enum job_state state,
                      uint64_t now)
{
    enum job_state old = (enum job_state)job->state;
    int waits = (state == JOB_WAITING) - (old == JOB_WAITING);
    if (state == old)
        return;
    job->state = (uint8_t)state;
    books->by_state[old]--;
    books->by_state[state]++;
    series_change(&books->waiting, now, waits);
    series_change(&books->running, now, (state == JOB_RUNNING) - (old == JOB_RUNNING));
    role_use_count_jobs(&books->roles, job->role, is_busy(state) - is_busy(old), waits, now);
    if (state == JOB_FINISHED)
        series_count(&books->finished, 1);
    if (state == JOB_FAILED)
        series_count(&books->failed, 1);
    if (state == JOB_FINISHED || state == JOB_FAILED)
        job->ended = now;
    if (job->listed)
        jobs_unlist(&books->jobs, job);
}

static void update(struct books *books, struct books_job *job, uint64_t now)
{
    set_state(books, job, state_of(job), now);
    books->last_change = now;
}

void books_jobs_submitted(struct books *books, struct books_job *job, uint64_t now)
{
    books->submitted_jobs++;
    books->by_state[JOB_WAITING]++;
    series_count(&books->submitted, 1);
    series_change(&books->waiting, now, 1);
    role_use_count_jobs(&books->roles, job->role, 1, 1, now);
    update(books, job, now);
}

void books_jobs_refused(struct books *books, struct books_job *job, uint64_t now)
{
    job->refused = true;
    update(books, job, now);
}

void books_jobs_launched(struct books *books, struct books_job *job, uint64_t now)
{
    if (job->launched == 1)
        job->launch = now;
    job->live++;
    job->bad = false;
    update(books, job, now);
}

void books_jobs_runs(struct books *books, struct books_job *job, uint64_t now)
{
    job->runs++;
    if (!job->has_started) {
        job->has_started = true;
        job->started = now;
        series_count(&books->started, 1);
    }
    update(books, job, now);
}

void books_jobs_ended(struct books *books, struct books_job *job, const struct followed_task *task,
                      uint64_t now)
{
    uint64_t ran = task->has_run ? now - task->since : 0;
    job->live--;
    if (task->has_run)
        job->runs--;
    job->bad = task->phase != PHASE_FINISHED;
    job->failed += job->bad;
    if (!job->bad) {
        job->finished++;
        job->ran = ran > job->ran ? ran : job->ran;
    }
    update(books, job, now);
}

void books_jobs_regained(struct books *books, struct books_job *job,
                         const struct followed_task *task, uint64_t now)
{
    job->live++;
    job->failed--;
    if (task->has_run)
        job->runs++;
    job->bad = false;
    update(books, job, now);
}
