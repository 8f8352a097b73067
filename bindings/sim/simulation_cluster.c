// SPDX-License-Identifier: Apache-2.0
//
// What is behind the driver of a simulated run: the master with its agents, whose tasks only last,
// the transport that calls it directly, and its faults. See simulation_internal.h.

#include "bindings/sim/simulation_internal.h"

#include "base/memory.h"
#include "leader/detector.h"
#include "master/master_failover.h"

#include <math.h>
#include <stdlib.h>

enum {
    AGENTS_ADDED = 10000, // by faults
    OFFER_WARN = 60,      // seconds, as --offer-warn has it
};

// ---- how long tasks last ----

static void ask_fate(struct simulation *simulation, const struct books_task_facts *task,
                     struct simulation_fate *fate)
{
    const struct simulation_events *events = simulation->events;
    struct error err = {0};
    if (task->job != NULL)
        fate->seconds = books_job_duration(simulation->books, task->job);
    const char *job_id = task->job ? books_job_id(simulation->books, task->job) : NULL;
    if (events->last != NULL && !events->last(events->data, task, job_id, fate, &err))
        simulation_break(simulation, &err);
}

static void on_fate(void *data, const struct runner_command *command, const char *task_id,
                    struct runner_virtual_fate *fate)
{
    struct simulation *simulation = data;
    struct simulation_fate chosen = {.seconds = HUGE_VAL};
    struct books_task_facts task;
    (void)command;
    if (task_id != NULL && books_task(simulation->books, task_id, &task))
        ask_fate(simulation, &task, &chosen);
    fate->end.status = chosen.status;
    if (!(chosen.seconds < HUGE_VAL))
        return;
    fate->duration = loop_seconds(chosen.seconds);
    uint64_t end = loop_now(simulation->loop) + fate->duration;
    if (end > simulation->latest_end)
        simulation->latest_end = end;
}

static void on_task_updated(void *data, const char *framework_id, const struct task_record *record,
                            const struct status_update *update)
{
    struct simulation *simulation = data;
    const struct simulation_events *events = simulation->events;
    struct books_task_facts task;
    (void)framework_id;
    if (update->state == MESOS__V1__TASK_STATE__TASK_FINISHED &&
        books_task(simulation->books, record->id, &task) && task.job != NULL)
        events->finished(events->data, books_job_id(simulation->books, task.job));
}

// ---- the connection ----

bool simulation_cluster_connect(void *data, const char *master,
                                const struct credentials_options *credential,
                                struct driver_options *options, struct error *err)
{
    struct simulation *simulation = data;
    (void)master, (void)credential;
    if (simulation->transport != NULL)
        return error_set(err, ERROR_LIMIT,
                         "a simulated run has one driver, that of the scheduler which the script "
                         "returns");
    options->detector = detector_create("127.0.0.1:5050", simulation->loop, err);
    if (options->detector == NULL)
        return false;
    simulation->transport =
        transport_direct_create(simulation->loop, &scheduler_direct_peer, simulation->direct);
    options->transport = simulation->transport;
    options->subscription = subscription_defaults;
    options->subscription.seed = simulation->settings.seed;
    options->log_failures = true;
    options->offer_warn = OFFER_WARN;
    return true;
}

// ---- faults ----

static bool on_cut(void *data, const char *stream_id)
{
    struct simulation *simulation = data;
    return scheduler_direct_cut(simulation->direct, stream_id);
}

static bool on_stall(void *data, const char *stream_id, bool stalled)
{
    struct simulation *simulation = data;
    return scheduler_direct_stall(simulation->direct, stream_id, stalled);
}

static void on_slow(void *data, uint64_t delay)
{
    struct simulation *simulation = data;
    scheduler_direct_slow(simulation->direct, delay);
}

static void on_refuse(void *data, int status, unsigned calls)
{
    struct simulation *simulation = data;
    scheduler_direct_refuse(simulation->direct, status, calls);
}

// Like the first one, unless there is a text.
static bool on_add_agent(void *data, const char *text, struct error *err)
{
    struct simulation *simulation = data;
    struct cluster_plan plan = {.most = 1};
    if (simulation->added == AGENTS_ADDED)
        return error_set(err, ERROR_LIMIT, "%u agents were added already", simulation->added);
    bool good = text == NULL || cluster_plan_add(&plan, text, 1, err);
    const struct cluster_plan_group *group = text ? plan.groups : simulation->plan.groups;
    if (good) {
        simulation->added++;
        virtual_cluster_add(&simulation->cluster, group,
                            group->count + (text ? 0 : simulation->added));
    }
    cluster_plan_free(&plan);
    return good;
}

static void on_takeover(void *data)
{
    struct simulation *simulation = data;
    simulation->headless = false;
    master_failover_end(simulation->cluster.master, NULL, VIRTUAL_CLUSTER_PORT);
    scheduler_direct_lead(simulation->direct, true);
}

static bool on_fail_over(void *data, bool forget, double seconds, struct error *err)
{
    struct simulation *simulation = data;
    if (simulation->headless)
        return error_set(err, ERROR_REFUSED, "failover: no master leads at the moment");
    simulation->headless = true;
    scheduler_direct_lead(simulation->direct, false);
    master_failover_begin(simulation->cluster.master, forget);
    timer_start(&simulation->takeover, loop_seconds(seconds));
    return true;
}

static void on_told(void *data, const char *text)
{
    struct simulation *simulation = data;
    log_ring_add(&simulation->told, loop_now(simulation->loop), text);
}

static void create_faults(struct simulation *simulation)
{
    const struct faults_cluster parts = {.loop = simulation->loop,
                                         .master = simulation->cluster.master,
                                         .cut = on_cut,
                                         .stall = on_stall,
                                         .slow = on_slow,
                                         .refuse = on_refuse,
                                         .add_agent = on_add_agent,
                                         .fail_over = on_fail_over,
                                         .told = on_told,
                                         .data = simulation};
    simulation->faults = faults_create(&parts, simulation->settings.seed);
}

// Those of a scenario's own file are in the plan.
static bool read_faults(struct simulation *simulation, struct error *err)
{
    struct slice text = simulation->settings.faults;
    return text.data == NULL || fault_plan_read(&simulation->fault_plan, text, err) ||
           error_context(err, "faults");
}

void simulation_cluster_start(struct simulation *simulation)
{
    simulation->course = fault_course_start(simulation->loop, &simulation->fault_plan,
                                            simulation->settings.seed, simulation->faults);
}

// ---- life ----

bool simulation_cluster_create(struct simulation *simulation, struct error *err)
{
    static const struct observer_events events = {.task_updated = on_task_updated};
    struct virtual_cluster *cluster = &simulation->cluster;
    timer_init(&simulation->takeover, simulation->loop, on_takeover, simulation);
    if (!cluster_plan_read(&simulation->plan, simulation->settings.plan,
                           CLUSTER_PLAN_AGENTS_SIMULATED, err) ||
        !read_faults(simulation, err))
        return false;
    virtual_cluster_create(cluster, simulation->loop, &simulation->plan, on_fate, simulation);
    cluster->named = true;
    simulation->books = books_create(simulation->loop, cluster->master);
    if (simulation->events->finished != NULL) {
        simulation->observer = (struct observer){.events = &events, .data = simulation};
        history_observe(cluster->master, &simulation->observer);
    }
    simulation->direct = scheduler_direct_create(cluster->master, "sim");
    if (simulation->settings.wire)
        scheduler_direct_use_wire(simulation->direct);
    create_faults(simulation);
    return virtual_cluster_fill(cluster, &simulation->plan, err);
}

// When the driver is gone.
void simulation_cluster_free(struct simulation *simulation)
{
    fault_course_stop(simulation->course);
    faults_destroy(simulation->faults);
    timer_stop(&simulation->takeover);
    if (simulation->direct != NULL && simulation->transport == NULL) // which would have freed it
        scheduler_direct_peer.destroyed(simulation->direct);
    if (simulation->observer.master != NULL)
        history_forget(&simulation->observer);
    virtual_cluster_destroy(&simulation->cluster);
    books_destroy(simulation->books);
    fault_plan_free(&simulation->fault_plan);
    cluster_plan_free(&simulation->plan);
}
