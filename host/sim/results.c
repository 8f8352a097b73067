// SPDX-License-Identifier: Apache-2.0
//
// What the books say at the end; see the header.

#include "sim/results.h"

#include "base/memory.h"
#include "sim/books_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / (double)LOOP_SECOND;
}

// ---- numbers ----

static void add(struct results *results, struct results_number number)
{
    if (isnan(number.value))
        return;
    if (results->number_count == results->number_capacity) {
        results->number_capacity = results->number_capacity * 2 + 64;
        results->numbers =
            memory_resize(results->numbers, results->number_capacity * sizeof *results->numbers);
    }
    results->numbers[results->number_count++] = number;
}

static void add_count(struct results *results, const char *group, const char *name, uint64_t count)
{
    add(results, (struct results_number){group, name, (double)count, true});
}

static void add_number(struct results *results, const char *group, const char *name, double value)
{
    add(results, (struct results_number){group, name, value, false});
}

// NAN if there is nothing below.
static double ratio(wide_sum above, wide_sum below)
{
    return below > 0 ? (double)above / (double)below : NAN;
}

static void add_tasks(struct results *results, const struct books *books)
{
    uint64_t repeated = 0;
    for (size_t i = 0; i < books->jobs.count; i++) {
        const struct books_job *job = jobs_get(&books->jobs, i);
        repeated += job->launched > job->tasks ? job->launched - job->tasks : 0;
    }
    add_count(results, "tasks", "launched", books->launched);
    add_count(results, "tasks", "finished", books->by_phase[PHASE_FINISHED]);
    add_count(results, "tasks", "failed", books->by_phase[PHASE_FAILED]);
    add_count(results, "tasks", "killed", books->by_phase[PHASE_KILLED]);
    add_count(results, "tasks", "lost", books->by_phase[PHASE_LOST]);
    add_count(results, "tasks", "repeated", repeated);
    add_count(results, NULL, "lost", books->by_phase[PHASE_LOST]);
    add_number(results, "work", "useful", (double)books->useful / 1000 / (double)LOOP_SECOND);
    add_number(results, "work", "wasted", (double)books->wasted / 1000 / (double)LOOP_SECOND);
}

static uint64_t last_end(const struct books *books)
{
    uint64_t last = books->first_at;
    if (books->by_state[JOB_WAITING] + books->by_state[JOB_RUNNING] > 0)
        return books->stop;
    for (size_t i = 0; i < books->jobs.count; i++) {
        const struct books_job *job = jobs_get(&books->jobs, i);
        last = job->state != JOB_REFUSED && job->ended > last ? job->ended : last;
    }
    return last;
}

static void add_speed(struct results *results, const struct books *books)
{
    add_number(results, NULL, "duration", seconds(books->stop - books->start));
    if (books->jobs.count == 0)
        return;
    double makespan = seconds(last_end(books) - books->first_at);
    add_number(results, NULL, "makespan", makespan);
    if (makespan > 0)
        add_number(results, NULL, "throughput",
                   (double)books->by_state[JOB_FINISHED] * HOUR / makespan);
}

static void add_use(struct results *results, const struct books *books)
{
    const struct series *series = &books->series;
    const struct agent_use *agents = &books->agents;
    for (int i = 0; i < SCALARS; i++) {
        wide_sum used = series_total(&agents->used[i], series);
        wide_sum total = series_total(&agents->total[i], series);
        wide_sum offered = series_total(&books->offered[i], series);
        add_number(results, "utilisation", scalars_names[i], ratio(used, total));
        add_number(results, "allocation", scalars_names[i], ratio(used + offered, total));
    }
    for (int i = 0; i < FRAGMENTED; i++)
        add_number(results, "fragmentation", scalars_names[i],
                   ratio(series_total(&agents->stuck[i], series),
                         series_total(&agents->loose[i], series)));
    add_count(results, "agents", "count", agents->came);
    add_count(results, "agents", "lost", agents->lost);
}

static double maxmin_of(const struct role_use *roles)
{
    double least = NAN, most = NAN;
    size_t count = 0;
    for (size_t i = 0; i < roles->count; i++) {
        const struct role_entry *entry = &roles->entries[i];
        if (entry->busy == 0)
            continue;
        double share = ratio(entry->busy_sum, (wide_sum)entry->busy);
        least = count == 0 ? share : fmin(least, share);
        most = count == 0 ? share : fmax(most, share);
        count++;
    }
    return count > 1 && most > 0 ? least / most : NAN;
}

static void add_fairness(struct results *results, const struct books *books)
{
    const struct role_use *roles = &books->roles;
    add_number(results, "fairness", "jain",
               ratio(roles->jain, (wide_sum)roles->jain_time * ROLE_SHARE_ONE));
    add_number(results, "fairness", "maxmin", maxmin_of(roles));
}

static void add_offers(struct results *results, const struct books *books)
{
    const struct quantiles *held = &books->held;
    add_count(results, "offers", "made", books->made);
    add_count(results, "offers", "accepted", books->by_end[OFFER_END_ACCEPTED]);
    add_count(results, "offers", "declined", books->by_end[OFFER_END_DECLINED]);
    add_count(results, "offers", "rescinded",
              books->by_end[OFFER_END_RESCINDED] + books->by_end[OFFER_END_VOID]);
    if (held->count > 0) {
        add_number(results, "offers.held", "mean", quantiles_mean(held) / (double)LOOP_SECOND);
        add_number(results, "offers.held", "p95", quantiles_at(held, 0.95) / (double)LOOP_SECOND);
        add_number(results, "offers.held", "max", seconds(held->most));
    }
}

static void add_calls(struct results *results, const struct books *books)
{
    for (int i = 0; i < BOOKS_CALLS; i++) {
        const ProtobufCEnumValue *type =
            protobuf_c_enum_descriptor_get_value(&mesos__v1__scheduler__call__type__descriptor, i);
        if (type != NULL && books->calls[i] > 0)
            add_count(results, "calls", type->name, books->calls[i]);
    }
    add_count(results, NULL, "updates", books->updates);
    add_count(results, NULL, "events", books_counts(books).events);
}

static void add_numbers(struct results *results, const struct books *books)
{
    add_tasks(results, books);
    add_speed(results, books);
    add_use(results, books);
    add_fairness(results, books);
    add_offers(results, books);
    add_calls(results, books);
}

// ---- series ----

// What the sum of a step is divided by.
enum measure { MEASURE_COUNT, MEASURE_MEAN, MEASURE_MEAN_THOUSANDTHS, MEASURE_SHARE };

static double step_value(const struct series *series, const struct series_column *column,
                         unsigned step, enum measure measure)
{
    static const double units[] = {[MEASURE_MEAN] = 1,
                                   [MEASURE_MEAN_THOUSANDTHS] = 1000,
                                   [MEASURE_SHARE] = (double)ROLE_SHARE_ONE};
    double sum = (double)column->steps[step];
    return measure == MEASURE_COUNT ? sum
                                    : sum / ((double)series_length(series, step) * units[measure]);
}

// The name is taken.
static double *add_column(struct results *results, char *name)
{
    if (results->column_count == results->column_capacity) {
        results->column_capacity = results->column_capacity * 2 + 32;
        results->columns =
            memory_resize(results->columns, results->column_capacity * sizeof *results->columns);
    }
    struct results_column *column = &results->columns[results->column_count++];
    column->name = name;
    column->values = memory_new((results->steps + 1) * sizeof *column->values);
    return column->values;
}

static void measure(struct results *results, const struct series *series, const char *name,
                    const struct series_column *from, enum measure measure)
{
    double *values = add_column(results, memory_string(name));
    for (unsigned i = 0; i < series->count; i++)
        values[i] = step_value(series, from, i, measure);
}

static void add_times(struct results *results)
{
    double *values = add_column(results, memory_string("time"));
    for (size_t i = 0; i < results->steps; i++)
        values[i] = (double)i * results->width;
}

static void add_fragmentation(struct results *results, const struct books *books, int scalar)
{
    double *values = add_column(results, memory_format("fragmentation_%s", scalars_names[scalar]));
    for (unsigned i = 0; i < books->series.count; i++) {
        double share =
            ratio(books->agents.stuck[scalar].steps[i], books->agents.loose[scalar].steps[i]);
        values[i] = isnan(share) ? 0 : share;
    }
}

static void add_role_columns(struct results *results, const struct books *books)
{
    for (size_t i = 0; i < books->roles.count && i < ROLE_SERIES; i++) {
        const struct role_columns *columns = books->roles.entries[i].columns;
        char *share = memory_format("share:%s", job_names_text(&books->jobs.roles, (uint16_t)i));
        char *waiting =
            memory_format("waiting:%s", job_names_text(&books->jobs.roles, (uint16_t)i));
        measure(results, &books->series, share, &columns->share, MEASURE_SHARE);
        measure(results, &books->series, waiting, &columns->waiting, MEASURE_MEAN);
        free(share);
        free(waiting);
    }
}

static void add_series(struct results *results, const struct books *books)
{
    const struct agent_use *agents = &books->agents;
    const struct {
        const char *name;
        const struct series_column *column;
        enum measure measure;
    } rows[] = {
        {"submitted", &books->submitted, MEASURE_COUNT},
        {"started", &books->started, MEASURE_COUNT},
        {"finished", &books->finished, MEASURE_COUNT},
        {"failed", &books->failed, MEASURE_COUNT},
        {"waiting", &books->waiting, MEASURE_MEAN},
        {"running", &books->running, MEASURE_MEAN},
        {"cpus_used", &agents->used[SCALAR_CPUS], MEASURE_MEAN_THOUSANDTHS},
        {"mem_used", &agents->used[SCALAR_MEM], MEASURE_MEAN_THOUSANDTHS},
        {"disk_used", &agents->used[SCALAR_DISK], MEASURE_MEAN_THOUSANDTHS},
        {"gpus_used", &agents->used[SCALAR_GPUS], MEASURE_MEAN_THOUSANDTHS},
        {"cpus_offered", &books->offered[SCALAR_CPUS], MEASURE_MEAN_THOUSANDTHS},
        {"mem_offered", &books->offered[SCALAR_MEM], MEASURE_MEAN_THOUSANDTHS},
        {"cpus_total", &agents->total[SCALAR_CPUS], MEASURE_MEAN_THOUSANDTHS},
        {"mem_total", &agents->total[SCALAR_MEM], MEASURE_MEAN_THOUSANDTHS},
        {"agents", &agents->count, MEASURE_MEAN},
        {"offers", &books->offers, MEASURE_COUNT},
        {"calls", &books->call_column, MEASURE_COUNT},
    };
    results->steps = books->series.count;
    results->width = seconds(books->series.width);
    add_times(results);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        measure(results, &books->series, rows[i].name, rows[i].column, rows[i].measure);
    for (int i = 0; i < FRAGMENTED; i++)
        add_fragmentation(results, books, i);
    add_role_columns(results, books);
}

// ---- the heat map and the first tasks ----

static void add_rows(struct results *results, const struct books *books)
{
    const struct agent_use *agents = &books->agents;
    results->rows = memory_new((agents->row_count + 1) * sizeof *results->rows);
    for (unsigned i = 0; i < agents->row_count; i++) {
        const struct heat_row *row = agents->rows[i];
        struct results_row *to = &results->rows[results->row_count++];
        bool one = row->agents < 2 || strcmp(row->first, row->last) == 0;
        to->label =
            one ? memory_string(row->first) : memory_format("%s ... %s", row->first, row->last);
        to->agents = row->agents;
        to->cpus = memory_new((results->steps + 1) * sizeof *to->cpus);
        for (unsigned step = 0; step < results->steps; step++)
            if (row->total.steps[step] > 0)
                to->cpus[step] = ratio(row->used.steps[step], row->total.steps[step]);
    }
}

static const char *state_name(Mesos__V1__TaskState state)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)state);
    return value ? value->name : "TASK_UNKNOWN";
}

static void add_first(struct results *results, const struct books *books)
{
    const struct first_tasks *first = &books->first;
    results->tasks = memory_new((first->count + 1) * sizeof *results->tasks);
    for (size_t i = 0; i < first->count; i++) {
        const struct first_task *task = &first->items[i];
        uint64_t start = task->has_started ? task->started : task->launched;
        results->tasks[results->task_count++] = (struct results_task){
            .task = task->task,
            .job = task->job,
            .agent = task->agent,
            .role = task->role,
            .state = state_name(task->state),
            .start = seconds(start - books->start),
            .stop = task->has_ended ? seconds(task->ended - books->start) : -1,
        };
    }
}

// ---- all ----

const struct results *results_of(struct books *books)
{
    if (books->results != NULL)
        return books->results;
    struct results *results = memory_new(sizeof *results);
    books->results = results;
    results_group_jobs(results, books);
    add_numbers(results, books);
    add_series(results, books);
    add_rows(results, books);
    add_first(results, books);
    return results;
}

void results_destroy(struct results *results)
{
    if (results == NULL)
        return;
    for (size_t i = 0; i < results->column_count; i++) {
        free(results->columns[i].name);
        free(results->columns[i].values);
    }
    for (size_t i = 0; i < results->row_count; i++) {
        free(results->rows[i].label);
        free(results->rows[i].cpus);
    }
    results_free_groups(results);
    free(results->columns);
    free(results->rows);
    free(results->tasks);
    free(results->numbers);
    free(results);
}
