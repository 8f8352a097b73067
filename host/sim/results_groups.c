// SPDX-License-Identifier: Apache-2.0
//
// Jobs by role, user, priority and size: how long they waited, how much they were slowed down, how
// they ended. Waiting times are sorted once, for all groups.

#include "sim/results.h"

#include "base/memory.h"
#include "sim/books_internal.h"

#include <stdlib.h>

const char *const results_kind_names[RESULTS_KINDS] = {"roles", "users", "priorities", "sizes"};

static const char *const size_names[] = {"small", "medium", "large"};

enum { SIZES = 3 };

struct sample {
    double value;
    uint32_t job;
};

struct group_samples {
    struct sample *items;
    size_t count;
};

// How jobs are divided.
struct division {
    const struct jobs *jobs;
    enum results_kind kind;
    int64_t small, medium; // the most cpus of these sizes
};

// ---- samples ----

// Of equal values the later job is in front, so that the end of a sorted list is in order.
static int compare_samples(const void *a, const void *b)
{
    const struct sample *left = a, *right = b;
    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    return left->job > right->job ? -1 : left->job < right->job;
}

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / (double)LOOP_SECOND;
}

static double wait_of(const struct books *books, const struct books_job *job)
{
    return seconds(wait_reasons_waited(job, books->stop));
}

static struct group_samples collect_waits(const struct books *books)
{
    const struct jobs *jobs = &books->jobs;
    struct group_samples samples = {memory_new(jobs->count * sizeof(struct sample) + 1), 0};
    for (size_t i = 0; i < jobs->count; i++) {
        const struct books_job *job = jobs_get(jobs, i);
        if (job->has_started || jobs_waits_still(job))
            samples.items[samples.count++] = (struct sample){wait_of(books, job), job->number};
    }
    qsort(samples.items, samples.count, sizeof(struct sample), compare_samples);
    return samples;
}

static struct group_samples collect_slowdowns(const struct books *books)
{
    const struct jobs *jobs = &books->jobs;
    struct group_samples samples = {memory_new(jobs->count * sizeof(struct sample) + 1), 0};
    for (size_t i = 0; i < jobs->count; i++) {
        const struct books_job *job = jobs_get(jobs, i);
        uint64_t run = jobs_run_time(job);
        if (job->has_started && run > 0)
            samples.items[samples.count++] = (struct sample){
                jobs_slowdown(wait_reasons_waited(job, books->stop), run), job->number};
    }
    qsort(samples.items, samples.count, sizeof(struct sample), compare_samples);
    return samples;
}

// ---- distributions ----

static struct results_distribution describe(const double *sorted, size_t count)
{
    double sum = 0;
    if (count == 0)
        return (struct results_distribution){.count = 0};
    for (size_t i = 0; i < count; i++)
        sum += sorted[i];
    return (struct results_distribution){
        .count = count,
        .mean = sum / (double)count,
        .p50 = quantiles_of_sorted(sorted, count, 0.5),
        .p95 = quantiles_of_sorted(sorted, count, 0.95),
        .p99 = quantiles_of_sorted(sorted, count, 0.99),
        .max = sorted[count - 1],
    };
}

static double *all_quantiles(const double *sorted, size_t count)
{
    if (count == 0)
        return NULL;
    double *list = memory_new(RESULTS_WAITS * sizeof *list);
    for (int i = 0; i < RESULTS_WAITS; i++)
        list[i] = quantiles_of_sorted(sorted, count, (double)i / (RESULTS_WAITS - 1));
    return list;
}

// ---- groups ----

static uint16_t size_of(const struct division *division, const struct books_job *job)
{
    int64_t cpus = job->need[SCALAR_CPUS];
    return cpus <= division->small ? 0 : cpus <= division->medium ? 1 : 2;
}

// JOB_NAMES_NONE: it is in no group.
static uint16_t group_of(const struct division *division, uint32_t number)
{
    const struct books_job *job = jobs_get(division->jobs, number);
    switch (division->kind) {
    case RESULTS_ROLES:
        return job->role;
    case RESULTS_USERS:
        return job->user;
    case RESULTS_PRIORITIES:
        return job->priority;
    default:
        return size_of(division, job);
    }
}

// The values of each group, in order: those of group i are from starts[i] to starts[i + 1].
struct grouped {
    double *values;
    size_t *starts;
};

static struct grouped divide(const struct division *division, const struct group_samples *samples,
                             size_t groups)
{
    struct grouped grouped = {memory_new((samples->count + 1) * sizeof(double)),
                              memory_new((groups + 2) * sizeof(size_t))};
    size_t *next = grouped.starts + 1; // where the next value of a group goes
    for (size_t i = 0; i < samples->count; i++) {
        uint16_t group = group_of(division, samples->items[i].job);
        if (group < groups)
            next[group + 1]++;
    }
    for (size_t i = 1; i <= groups; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < samples->count; i++) {
        uint16_t group = group_of(division, samples->items[i].job);
        if (group < groups)
            grouped.values[next[group]++] = samples->items[i].value;
    }
    return grouped;
}

static void free_grouped(struct grouped *grouped)
{
    free(grouped->values);
    free(grouped->starts);
}

static void fill_waits(struct results_groups *groups, const struct division *division,
                       const struct group_samples *waits)
{
    struct grouped grouped = divide(division, waits, groups->count);
    for (size_t i = 0; i < groups->count; i++) {
        const double *values = grouped.values + grouped.starts[i];
        size_t count = grouped.starts[i + 1] - grouped.starts[i];
        groups->items[i].wait = describe(values, count);
        if (division->kind == RESULTS_ROLES)
            groups->items[i].waits = all_quantiles(values, count);
    }
    free_grouped(&grouped);
}

static void fill_slowdowns(struct results_groups *groups, const struct division *division,
                           const struct group_samples *slowdowns)
{
    struct grouped grouped = divide(division, slowdowns, groups->count);
    for (size_t i = 0; i < groups->count; i++)
        groups->items[i].slowdown =
            describe(grouped.values + grouped.starts[i], grouped.starts[i + 1] - grouped.starts[i]);
    free_grouped(&grouped);
}

static void count_job(struct results_group *group, const struct books_job *job)
{
    uint64_t *const counts[JOB_STATES] = {
        [JOB_WAITING] = &group->waiting,   [JOB_RUNNING] = &group->running,
        [JOB_FINISHED] = &group->finished, [JOB_FAILED] = &group->failed,
        [JOB_REFUSED] = &group->refused,
    };
    group->submitted++;
    ++*counts[job->state];
    group->censored += jobs_waits_still(job);
}

static void count_jobs(struct results_groups *groups, const struct division *division)
{
    for (size_t i = 0; i < division->jobs->count; i++) {
        uint16_t group = group_of(division, (uint32_t)i);
        if (group < groups->count)
            count_job(&groups->items[group], jobs_get(division->jobs, i));
    }
}

// ---- the kinds of groups ----

static const struct job_names *names_of(const struct jobs *jobs, enum results_kind kind)
{
    const struct job_names *const names[RESULTS_KINDS] = {
        [RESULTS_ROLES] = &jobs->roles,
        [RESULTS_USERS] = &jobs->users,
        [RESULTS_PRIORITIES] = &jobs->priorities,
    };
    return names[kind];
}

static struct results_groups make_groups(const struct jobs *jobs, enum results_kind kind)
{
    const struct job_names *names = names_of(jobs, kind);
    struct results_groups groups = {.count = names ? names->count : SIZES};
    groups.items = memory_new((groups.count + 1) * sizeof *groups.items);
    for (size_t i = 0; i < groups.count; i++) {
        groups.items[i].name = names ? job_names_text(names, (uint16_t)i) : size_names[i];
        groups.items[i].share = -1;
    }
    return groups;
}

static void fill_shares(struct results_groups *groups, const struct books *books)
{
    double duration = (double)(books->stop - books->start);
    for (size_t i = 0; i < groups->count && i < books->roles.count && duration > 0; i++)
        groups->items[i].share =
            (double)books->roles.entries[i].sum / duration / (double)ROLE_SHARE_ONE;
}

static int compare_cpus(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

// Jobs of the same cpus are of the same size.
static void find_sizes(struct division *division)
{
    size_t count = division->jobs->count;
    if (count == 0)
        return;
    int64_t *cpus = memory_new(count * sizeof *cpus);
    for (size_t i = 0; i < count; i++)
        cpus[i] = jobs_get(division->jobs, i)->need[SCALAR_CPUS];
    qsort(cpus, count, sizeof *cpus, compare_cpus);
    division->small = cpus[(count - 1) / 3];
    division->medium = cpus[(count - 1) * 2 / 3];
    free(cpus);
}

// ---- all jobs ----

static void fill_all(struct results_group *all, const struct jobs *jobs,
                     const struct group_samples *waits, const struct group_samples *slowdowns)
{
    double *values = memory_new((waits->count + slowdowns->count + 1) * sizeof *values);
    for (size_t i = 0; i < waits->count; i++)
        values[i] = waits->items[i].value;
    all->wait = describe(values, waits->count);
    all->waits = all_quantiles(values, waits->count);
    for (size_t i = 0; i < slowdowns->count; i++)
        values[i] = slowdowns->items[i].value;
    all->slowdown = describe(values, slowdowns->count);
    all->share = -1;
    for (size_t i = 0; i < jobs->count; i++)
        count_job(all, jobs_get(jobs, i));
    free(values);
}

static void fill_longest(struct results *results, const struct books *books,
                         const struct group_samples *waits)
{
    const struct jobs *jobs = &books->jobs;
    for (size_t i = waits->count; i > 0 && results->longest_count < RESULTS_LONGEST; i--) {
        const struct sample *sample = &waits->items[i - 1];
        const struct books_job *job = jobs_get(jobs, sample->job);
        results->longest[results->longest_count++] = (struct results_wait){
            .id = job->id,
            .role = job_names_text(&jobs->roles, job->role),
            .user = job_names_text(&jobs->users, job->user),
            .state = job_state_names[job->state],
            .why = wait_reasons_text(&books->reasons, job),
            .at = seconds(job->at - books->start),
            .wait = sample->value,
        };
    }
}

void results_group_jobs(struct results *results, const struct books *books)
{
    struct group_samples waits = collect_waits(books), slowdowns = collect_slowdowns(books);
    fill_all(&results->all, &books->jobs, &waits, &slowdowns);
    fill_longest(results, books, &waits);
    for (int kind = 0; kind < RESULTS_KINDS; kind++) {
        struct results_groups *groups = &results->kinds[kind];
        struct division division = {.jobs = &books->jobs, .kind = (enum results_kind)kind};
        *groups = make_groups(&books->jobs, division.kind);
        if (kind == RESULTS_SIZES)
            find_sizes(&division);
        if (kind == RESULTS_ROLES)
            fill_shares(groups, books);
        count_jobs(groups, &division);
        fill_waits(groups, &division, &waits);
        fill_slowdowns(groups, &division, &slowdowns);
    }
    free(waits.items);
    free(slowdowns.items);
}

void results_free_groups(struct results *results)
{
    for (int kind = 0; kind < RESULTS_KINDS; kind++) {
        for (size_t i = 0; i < results->kinds[kind].count; i++)
            free(results->kinds[kind].items[i].waits);
        free(results->kinds[kind].items);
    }
    free(results->all.waits);
}
