// SPDX-License-Identifier: Apache-2.0
//
// The life, the time and the end of a simulated run: see simulation.h.

#include "bindings/sim/simulation.h"

#include "base/memory.h"
#include "base/stopwatch.h"
#include "base/uuid.h"
#include "bindings/sim/interruption.h"
#include "bindings/sim/simulation_internal.h"
#include "loop/loop_virtual.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOG_LINES = 100,
    FAULT_LINES = 1000,
    TURNS_OF_A_LOOK = 64,       // between two looks at the clock of real time
    TURNS_OF_A_MOMENT = 200000, // without a row: work at one moment does not come to an end
};

#define IDLE_LOOK (60 * LOOP_SECOND)

static const double progress_pause = 0.2; // seconds

// ---- the end ----

void simulation_finish(struct simulation *simulation, enum simulation_end end, const char *problem)
{
    if (simulation->end != SIMULATION_RUNS)
        return;
    simulation->end = end;
    simulation->problem = memory_string(problem);
}

void simulation_break(struct simulation *simulation, const struct error *err)
{
    if (simulation->end != SIMULATION_RUNS)
        return;
    simulation->raised = *err;
    simulation_finish(simulation, SIMULATION_BROKEN, NULL);
}

static bool is_fed(const struct simulation *simulation)
{
    const struct simulation_feed *feed = &simulation->feed;
    return feed->exhausted && feed->row.job == NULL && feed->in_flight == 0;
}

static bool has_ended_jobs(const struct simulation *simulation)
{
    return simulation->settings.workload && simulation->settings.duration == 0 &&
           is_fed(simulation) && books_unfinished(simulation->books) == 0;
}

// The last error that was logged is that of the driver, or why it made one.
static void note_driver_end(struct simulation *simulation)
{
    enum driver_status status = driver_status(scheduler_driver(simulation->scheduler));
    size_t kept = log_ring_kept(&simulation->log);
    const char *last = kept > 0 ? log_ring_line(&simulation->log, kept - 1)->text : "";
    if (status == DRIVER_ABORTED) {
        char *problem = memory_format("the driver was aborted%s%s", *last ? ": " : "", last);
        simulation_finish(simulation, SIMULATION_FAILED, problem);
        free(problem);
        return;
    }
    simulation_finish(simulation, SIMULATION_STOPPED, NULL);
}

// ---- that nothing happens any more ----

// Since anything has happened to jobs and tasks.
static uint64_t quiet_time(struct simulation *simulation)
{
    uint64_t change = books_last_change(simulation->books), answer = simulation->feed.answered;
    return loop_now(simulation->loop) - (answer > change ? answer : change);
}

// Jobs that have failed have ended, unless the policy tries them again soon.
static bool is_through(struct simulation *simulation)
{
    struct books_counts counts = books_counts(simulation->books);
    return simulation->settings.workload && is_fed(simulation) && counts.waiting == 0 &&
           counts.live_tasks == 0 && quiet_time(simulation) >= SIMULATION_RETRY_TIME;
}

static bool is_idle(struct simulation *simulation)
{
    struct books_counts counts = books_counts(simulation->books);
    uint64_t now = loop_now(simulation->loop);
    const struct fault_plan *faults = &simulation->fault_plan;
    if (!is_fed(simulation) || quiet_time(simulation) < SIMULATION_IDLE_TIME)
        return false;
    if (counts.live_tasks > 0 && now <= simulation->latest_end)
        return false;
    for (size_t i = 0; i < faults->count; i++)
        if (faults->rows[i].every == 0 &&
            now < loop_seconds(faults->rows[i].at) + SIMULATION_IDLE_TIME)
            return false;
    return true;
}

static void write_idle(const struct books_counts *counts, struct buffer *text)
{
    buffer_append_text(text, "nothing happens any more");
    if (counts->waiting > 0)
        buffer_format(text, ": %llu job%s wait%s", (unsigned long long)counts->waiting,
                      counts->waiting == 1 ? "" : "s", counts->waiting == 1 ? "s" : "");
    if (counts->live_tasks > 0)
        buffer_format(text, "%s %llu task%s without end",
                      counts->waiting > 0 ? ", beside" : ": there are",
                      (unsigned long long)counts->live_tasks, counts->live_tasks == 1 ? "" : "s");
}

static void on_idle_look(void *data)
{
    struct simulation *simulation = data;
    if (is_through(simulation)) {
        simulation_finish(simulation, SIMULATION_JOBS_ENDED, NULL);
    } else if (is_idle(simulation)) {
        struct books_counts counts = books_counts(simulation->books);
        struct buffer text;
        buffer_init(&text, 4096);
        write_idle(&counts, &text);
        simulation_finish(simulation, SIMULATION_IDLE, buffer_string(&text));
        buffer_free(&text);
    }
    timer_start(&simulation->idle, IDLE_LOOK);
}

// ---- the loop ----

// What only real time tells.
static void look_around(struct simulation *simulation)
{
    const struct simulation_events *events = simulation->events;
    double now = stopwatch_seconds();
    if (interruption_seen())
        simulation_finish(simulation, SIMULATION_INTERRUPTED, NULL);
    if (simulation->settings.limit > 0 && now - simulation->began > simulation->settings.limit)
        simulation_finish(simulation, SIMULATION_LIMIT, NULL);
    if (now - simulation->looked < progress_pause)
        return;
    simulation->looked = now;
    if (events->progress != NULL && events->progress(events->data))
        simulation_finish(simulation, SIMULATION_INTERRUPTED, NULL);
}

static void check_turn(struct simulation *simulation)
{
    if (has_ended_jobs(simulation))
        simulation_finish(simulation, SIMULATION_JOBS_ENDED, NULL);
    else if (driver_finished(scheduler_driver(simulation->scheduler)))
        note_driver_end(simulation);
}

// A policy may make work for ever at one moment.
static void check_rest(struct simulation *simulation)
{
    uint64_t now = loop_now(simulation->loop), rows = simulation->feed.rows;
    bool same = now == simulation->moment && rows == simulation->moment_rows;
    simulation->turns = same ? simulation->turns + 1 : 0;
    simulation->moment = now;
    simulation->moment_rows = rows;
    if (simulation->turns == TURNS_OF_A_MOMENT)
        simulation_finish(simulation, SIMULATION_FAILED,
                          "the policy does not come to rest: it makes work without end at one "
                          "moment, such as timers of 0 seconds or calls in answer to calls");
}

static void run_loop(struct simulation *simulation)
{
    double duration = simulation->settings.duration;
    uint64_t end = duration > 0 ? loop_seconds(duration) : LOOP_NEVER - 1;
    for (uint64_t turn = 1; simulation->end == SIMULATION_RUNS; turn++) {
        if (!loop_virtual_turn(simulation->loop, end))
            simulation_finish(simulation, SIMULATION_DURATION, NULL);
        check_rest(simulation);
        check_turn(simulation);
        if (turn % TURNS_OF_A_LOOK == 0)
            look_around(simulation);
    }
}

// The last job has ended, but the policy is yet to hear of it, in the same moment.
static void run_moment(struct simulation *simulation)
{
    uint64_t now = loop_now(simulation->loop);
    for (unsigned turns = 0; turns < TURNS_OF_A_MOMENT; turns++)
        if (!loop_virtual_turn(simulation->loop, now))
            return;
}

bool simulation_run(struct simulation *simulation, struct error *err)
{
    simulation->began = simulation->looked = stopwatch_seconds();
    books_why(simulation->books, simulation_policy_explain, simulation);
    simulation_cluster_start(simulation);
    simulation_policy_start(simulation);
    if (simulation->settings.duration == 0)
        timer_start(&simulation->idle, IDLE_LOOK);
    run_loop(simulation);
    if (simulation->end == SIMULATION_JOBS_ENDED)
        run_moment(simulation);
    books_end(simulation->books);
    if (simulation->end != SIMULATION_BROKEN)
        return true;
    *err = simulation->raised;
    return false;
}

// ---- the log ----

static void on_line(void *data, enum log_level level, const char *text)
{
    struct simulation *simulation = data;
    uint64_t now = loop_now(simulation->loop);
    if (level >= LOG_WARNING)
        log_ring_add(&simulation->log, now, text);
    if (!simulation->settings.show_log)
        return;
    char *line = memory_format("%.3f s: %s: %s", (double)now / (double)LOOP_SECOND,
                               log_level_name(level), text);
    const struct log_output *output = log_get_output();
    size_t length = strlen(line);
    line[length] = '\n'; // in place of the zero byte
    output->write(line, length + 1);
    free(line);
}

static void take_log(struct simulation *simulation)
{
    simulation->outer_sink = log_get_sink(&simulation->outer_data);
    log_set_sink(on_line, simulation);
}

// ---- life ----

struct simulation *simulation_create(const struct simulation_settings *settings, struct error *err)
{
    struct simulation *simulation = memory_new(sizeof *simulation);
    simulation->settings = *settings;
    simulation->events = settings->events;
    simulation->loop = loop_virtual_create(settings->time);
    call_times_init(&simulation->calls);
    log_ring_init(&simulation->log, LOG_LINES);
    log_ring_init(&simulation->told, FAULT_LINES);
    simulation_feed_init(simulation);
    timer_init(&simulation->idle, simulation->loop, on_idle_look, simulation);
    uuid_seed(settings->seed);
    take_log(simulation);
    if (simulation_cluster_create(simulation, err) && simulation_policy_load(simulation, err))
        return simulation;
    simulation_destroy(simulation);
    return NULL;
}

void simulation_destroy(struct simulation *simulation)
{
    if (simulation == NULL)
        return;
    simulation_finish(simulation, SIMULATION_INTERRUPTED, NULL); // if it was not run
    simulation_policy_free(simulation);
    simulation_feed_free(simulation);
    simulation_cluster_free(simulation);
    timer_stop(&simulation->idle);
    log_set_sink(simulation->outer_sink, simulation->outer_data);
    uuid_seed(0);
    call_times_free(&simulation->calls);
    log_ring_free(&simulation->log);
    log_ring_free(&simulation->told);
    loop_destroy(simulation->loop);
    free(simulation->problem);
    free(simulation);
}

// ---- what it was ----

enum simulation_end simulation_how(const struct simulation *simulation)
{
    return simulation->end;
}

const char *simulation_problem(const struct simulation *simulation)
{
    return simulation->problem;
}

double simulation_seconds(const struct simulation *simulation)
{
    return (double)loop_now(simulation->loop) / (double)LOOP_SECOND;
}

double simulation_duration(const struct simulation *simulation)
{
    return simulation->settings.duration;
}

struct books *simulation_books(const struct simulation *simulation)
{
    return simulation->books;
}

const struct call_times *simulation_calls(const struct simulation *simulation)
{
    return &simulation->calls;
}

const struct log_ring *simulation_log(const struct simulation *simulation)
{
    return &simulation->log;
}

const struct log_ring *simulation_faults(const struct simulation *simulation)
{
    return &simulation->told;
}
