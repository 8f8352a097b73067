// SPDX-License-Identifier: Apache-2.0
//
// The workload: one row is in hand, and goes to the policy's callback submit when its time has
// come. See simulation_internal.h. Rows are not read ahead, so that a workload may be longer than
// memory; and not handed over faster than the policy answers.

#include "bindings/sim/simulation_internal.h"

#include "base/memory.h"
#include "bindings/scheduler/submissions.h"

#include <stdlib.h>

enum {
    IN_FLIGHT_MOST = 1024,
    ROWS_OF_A_TURN = 256,
};

void simulation_row_free(struct simulation_row *row)
{
    free((char *)(uintptr_t)row->row.id);
    free((char *)(uintptr_t)row->row.role);
    free((char *)(uintptr_t)row->row.user);
    free((char *)(uintptr_t)row->row.name);
    bytes_unref(row->job);
    *row = (struct simulation_row){.job = NULL};
}

// ---- answers ----

struct feed_job {
    struct simulation *simulation;
    char *id;
};

static bool is_held_up(const struct simulation_feed *feed)
{
    return feed->begun && feed->row.job != NULL && !timer_active(&feed->timer);
}

static void on_answer(void *data, const struct submission_end *end)
{
    struct feed_job *job = data;
    struct simulation *simulation = job->simulation;
    struct simulation_feed *feed = &simulation->feed;
    feed->in_flight--;
    feed->answered = loop_now(simulation->loop);
    bool runs = simulation->end == SIMULATION_RUNS &&
                driver_status(scheduler_driver(simulation->scheduler)) == DRIVER_RUNNING;
    if (!end->ok && runs) {
        log_warning("the job %s was refused: %.*s", job->id, SLICE_ARGS(end->text));
        books_refused(simulation->books, job->id);
    }
    if (is_held_up(feed))
        timer_start(&feed->timer, 0);
    free(job->id);
    free(job);
}

// ---- handing over ----

static bool hand_over(struct simulation *simulation, struct error *err)
{
    struct simulation_feed *feed = &simulation->feed;
    struct feed_job *job = memory_new(sizeof *job);
    *job = (struct feed_job){.simulation = simulation, .id = memory_string(feed->row.row.id)};
    struct bytes *bytes = feed->row.job;
    feed->row.job = NULL;
    feed->rows++;
    feed->in_flight++;
    bool good = books_submit(simulation->books, &feed->row.row, err) ||
                error_context(err, "the workload's row %llu", (unsigned long long)feed->rows);
    simulation_row_free(&feed->row);
    if (!good) {
        bytes_unref(bytes);
    } else if (scheduler_submit(simulation->scheduler, bytes, on_answer, job, err)) {
        return true;
    }
    feed->in_flight--;
    free(job->id);
    free(job);
    return good; // a driver that does not run ends the run by itself
}

// Puts the next row into the hand. False: there is none.
static bool fetch(struct simulation *simulation)
{
    struct simulation_feed *feed = &simulation->feed;
    const struct simulation_events *events = simulation->events;
    struct error err = {0};
    if (feed->row.job != NULL)
        return true;
    if (feed->exhausted)
        return false;
    if (!events->next(events->data, &feed->row, &err))
        simulation_break(simulation, &err);
    feed->exhausted = feed->row.job == NULL;
    return !feed->exhausted;
}

static void on_due(void *data)
{
    struct simulation *simulation = data;
    struct simulation_feed *feed = &simulation->feed;
    struct error err = {0};
    for (int i = 0; i < ROWS_OF_A_TURN; i++) {
        if (simulation->end != SIMULATION_RUNS || !fetch(simulation))
            return;
        uint64_t due = loop_seconds(feed->row.row.at);
        if (due > loop_now(simulation->loop)) {
            timer_start_at(&feed->timer, due);
            return;
        }
        if (feed->in_flight >= IN_FLIGHT_MOST)
            return;
        if (!hand_over(simulation, &err))
            simulation_break(simulation, &err);
    }
    timer_start(&feed->timer, 0);
}

// ---- life ----

void simulation_feed_init(struct simulation *simulation)
{
    timer_init(&simulation->feed.timer, simulation->loop, on_due, simulation);
    simulation->feed.exhausted = !simulation->settings.workload;
}

void simulation_feed_begin(struct simulation *simulation)
{
    struct simulation_feed *feed = &simulation->feed;
    if (feed->begun)
        return;
    feed->begun = true;
    timer_start(&feed->timer, 0);
}

void simulation_feed_free(struct simulation *simulation)
{
    timer_stop(&simulation->feed.timer);
    simulation_row_free(&simulation->feed.row);
}
