// SPDX-License-Identifier: Apache-2.0
//
// The parts of a simulated run, for the files of this folder only: simulation.c (its life, its time
// and its end), simulation_policy.c (the script), simulation_cluster.c (what is behind the driver),
// simulation_feed.c (the workload).

#ifndef MESOS_LUA_BINDINGS_SIM_SIMULATION_INTERNAL_H
#define MESOS_LUA_BINDINGS_SIM_SIMULATION_INTERNAL_H

#include "base/log.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/sim/simulation.h"
#include "bindings/testing/policy_world.h"
#include "bindings/testing/virtual_cluster.h"
#include "cluster/fault_plan.h"
#include "cluster/scheduler_direct.h"
#include "loop/loop.h"
#include "master/history.h"

// Without any change of jobs and tasks, until the run is over: while jobs wait, and when there are
// only failed ones, which the policy may try again.
#define SIMULATION_IDLE_TIME (3600 * LOOP_SECOND)
#define SIMULATION_RETRY_TIME (600 * LOOP_SECOND)

// Where rows come from and go to.
struct simulation_feed {
    struct timer timer;        // when the row in hand is due
    struct simulation_row row; // in hand
    bool begun, exhausted;
    uint64_t rows;     // that were handed over
    size_t in_flight;  // those that the policy has not answered
    uint64_t answered; // loop_now() of the last answer
};

struct simulation {
    struct simulation_settings settings;
    const struct simulation_events *events;
    struct loop *loop;
    struct policy_world world;

    struct cluster_plan plan;
    struct fault_plan fault_plan;
    struct virtual_cluster cluster;
    struct scheduler_direct *direct;
    struct transport *transport; // the driver's, which frees `direct` with it; NULL: none yet
    struct faults *faults;
    struct fault_course *course;
    struct timer takeover; // the end of a failover
    bool headless;
    unsigned added;      // agents, by faults
    uint64_t latest_end; // of the tasks that end by themselves
    struct books *books;
    struct observer observer;

    struct script *script;
    struct scheduler *scheduler;
    struct scheduler_services services;
    struct scheduler_environment environment;
    struct call_times calls;
    bool cut_short; // the last slice of the script was stopped

    struct simulation_feed feed;

    enum simulation_end end;
    char *problem;
    struct error raised;          // by what is outside
    struct timer idle;            // looks whether anything happens
    uint64_t moment, moment_rows; // loop_now() of the last turn, and the rows until then
    unsigned turns;               // that had the same ones
    double began, looked; // seconds of real time: the start, and the last look at that clock
    struct log_ring log, told;
    log_sink outer_sink;
    void *outer_data;
};

// ---- simulation.c ----

// Ends it after this turn. `problem` may be NULL, and is copied; the first end counts.
void simulation_finish(struct simulation *simulation, enum simulation_end end, const char *problem);
void simulation_break(struct simulation *simulation, const struct error *err);

// ---- simulation_policy.c ----

bool simulation_policy_load(struct simulation *simulation, struct error *err);
void simulation_policy_start(struct simulation *simulation);
void simulation_policy_free(struct simulation *simulation);

// For books_why().
bool simulation_policy_explain(void *data, const struct books_row *need, struct buffer *text);

// ---- simulation_cluster.c ----

bool simulation_cluster_create(struct simulation *simulation, struct error *err);
void simulation_cluster_start(struct simulation *simulation); // its faults
void simulation_cluster_free(struct simulation *simulation);

// For scheduler_services.connect.
bool simulation_cluster_connect(void *data, const char *master,
                                const struct credentials_options *credential,
                                struct driver_options *options, struct error *err);

// ---- simulation_feed.c ----

void simulation_feed_init(struct simulation *simulation);
void simulation_feed_begin(struct simulation *simulation); // the policy is registered
void simulation_feed_free(struct simulation *simulation);

#endif
