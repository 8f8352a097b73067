// SPDX-License-Identifier: Apache-2.0
//
// Metrics; see the header.

#include "operator/metrics_snapshot.h"

#include "base/memory.h"
#include "operator/usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define CALL(NAME) MESOS__V1__SCHEDULER__CALL__TYPE__##NAME
#define STATE(NAME) MESOS__V1__TASK_STATE__TASK_##NAME

static void add(struct metrics_snapshot *snapshot, double value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct metrics_snapshot *snapshot, double value, const char *format, ...)
{
    va_list list;
    if (snapshot->count == snapshot->capacity) {
        snapshot->capacity = snapshot->capacity * 2 + 128;
        snapshot->items =
            memory_resize(snapshot->items, snapshot->capacity * sizeof *snapshot->items);
    }
    struct metric_value *metric = &snapshot->items[snapshot->count++];
    metric->value = value;
    va_start(list, format);
    vsnprintf(metric->name, sizeof metric->name, format, list);
    va_end(list);
}

// ---- counts ----

static void add_calls(struct metrics_snapshot *snapshot, const struct history_counts *counts)
{
    static const struct {
        const char *name;
        Mesos__V1__Scheduler__Call__Type call;
    } rows[] = {
        {"unregister_framework", CALL(TEARDOWN)},
        {"kill_task", CALL(KILL)},
        {"status_update_acknowledgement", CALL(ACKNOWLEDGE)},
        {"operation_status_update_acknowledgement", CALL(ACKNOWLEDGE_OPERATION_STATUS)},
        {"resource_request", CALL(REQUEST)},
        {"decline_offers", CALL(DECLINE)},
        {"revive_offers", CALL(REVIVE)},
        {"suppress_offers", CALL(SUPPRESS)},
        {"reconcile_operations", CALL(RECONCILE_OPERATIONS)},
        {"reconcile_tasks", CALL(RECONCILE)},
        {"framework_to_executor", CALL(MESSAGE)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add(snapshot, (double)counts->calls[rows[i].call], "master/messages_%s", rows[i].name);
    add(snapshot, (double)counts->launches, "master/messages_launch_tasks");
    add(snapshot, (double)counts->updates, "master/messages_status_update");
    add(snapshot, (double)counts->updates, "master/valid_status_updates");
}

static void add_ends(struct metrics_snapshot *snapshot, const struct history_counts *counts)
{
    static const struct {
        const char *name;
        Mesos__V1__TaskState state;
    } rows[] = {
        {"finished", STATE(FINISHED)}, {"failed", STATE(FAILED)},
        {"killed", STATE(KILLED)},     {"lost", STATE(LOST)},
        {"error", STATE(ERROR)},       {"dropped", STATE(DROPPED)},
        {"gone", STATE(GONE)},         {"gone_by_operator", STATE(GONE_BY_OPERATOR)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        add(snapshot, (double)counts->ends[rows[i].state], "master/tasks_%s", rows[i].name);
}

// ---- what there is ----

struct state_tally {
    size_t states[HISTORY_STATES], unreachable, offers, connected, disconnected;
};

static void tally_framework(struct state_tally *tally, const struct master_framework *framework)
{
    const struct master_task *task;
    const struct master_offer *offer;
    TAILQ_FOREACH(task, &framework->tasks, link)
    if ((size_t)task->state < HISTORY_STATES)
        tally->states[task->state]++;
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    tally->offers++;
    tally->unreachable += framework->past.unreachable.count;
    *(framework->connected ? &tally->connected : &tally->disconnected) += 1;
}

static void add_frameworks(struct metrics_snapshot *snapshot, const struct master *master)
{
    struct state_tally tally = {0};
    const struct master_framework *framework;
    const struct observer *observer;
    size_t observers = 0;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    tally_framework(&tally, framework);
    TAILQ_FOREACH(observer, &master->observers, link)
    observers++;
    add(snapshot, (double)tally.connected, "master/frameworks_active");
    add(snapshot, (double)tally.connected, "master/frameworks_connected");
    add(snapshot, (double)tally.disconnected, "master/frameworks_disconnected");
    add(snapshot, (double)tally.disconnected, "master/frameworks_inactive");
    add(snapshot, (double)tally.offers, "master/outstanding_offers");
    add(snapshot, (double)observers, "master/operator_event_stream_subscribers");
    add(snapshot, (double)tally.states[STATE(STAGING)], "master/tasks_staging");
    add(snapshot, (double)tally.states[STATE(STARTING)], "master/tasks_starting");
    add(snapshot, (double)tally.states[STATE(RUNNING)], "master/tasks_running");
    add(snapshot, (double)tally.states[STATE(KILLING)], "master/tasks_killing");
    add(snapshot, (double)tally.unreachable, "master/tasks_unreachable");
}

static void add_nodes(struct metrics_snapshot *snapshot, const struct master *master)
{
    const struct node *node;
    size_t connected = 0, disconnected = 0, active = 0, unreachable = 0;
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        *(node->state == NODE_REGISTERED ? &connected : &disconnected) += 1;
        active += master_records_offerable(node);
    }
    TAILQ_FOREACH(node, &master->lost, link)
    unreachable += node->state == NODE_UNREACHABLE;
    add(snapshot, (double)active, "master/slaves_active");
    add(snapshot, (double)connected, "master/slaves_connected");
    add(snapshot, (double)disconnected, "master/slaves_disconnected");
    add(snapshot, (double)(connected + disconnected - active), "master/slaves_inactive");
    add(snapshot, (double)unreachable, "master/slaves_unreachable");
    add(snapshot, (double)master->counts.agents, "master/slave_registrations");
    add(snapshot, (double)master->counts.agents_removed, "master/slave_removals");
}

// ---- resources ----

static double sum(const struct resources *list, const char *name, bool revocable)
{
    double amount = 0;
    for (size_t i = 0; i < list->count; i++) {
        const Mesos__V1__Resource *resource = list->items[i];
        if (resource->scalar != NULL && strcmp(resource->name, name) == 0 &&
            (resource->revocable != NULL) == revocable)
            amount += resource->scalar->value;
    }
    return amount;
}

static void add_resource(struct metrics_snapshot *snapshot, const struct master *master,
                         const struct node_usages *usages, const char *name, bool revocable)
{
    const char *suffix = revocable ? "_revocable" : "";
    const struct node *node;
    double total = 0, used = 0, offered = 0;
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        const struct usage *usage = usage_of_node(usages, node);
        total += sum(&node->total, name, revocable);
        used += sum(&usage->used, name, revocable);
        offered += sum(&usage->offered, name, revocable);
    }
    add(snapshot, total, "master/%s%s_total", name, suffix);
    add(snapshot, used, "master/%s%s_used", name, suffix);
    add(snapshot, total > 0 ? used / total : 0, "master/%s%s_percent", name, suffix);
    if (revocable)
        return;
    add(snapshot, total, "allocator/mesos/resources/%s/total", name);
    add(snapshot, used + offered, "allocator/mesos/resources/%s/offered_or_allocated", name);
}

static void add_resources(struct metrics_snapshot *snapshot, const struct master *master)
{
    static const char *const names[] = {"cpus", "gpus", "mem", "disk"};
    struct node_usages usages;
    usage_of_nodes(&usages, master);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        add_resource(snapshot, master, &usages, names[i], false);
        add_resource(snapshot, master, &usages, names[i], true);
    }
    usage_free_nodes(&usages);
}

// ---- the machine ----

static void add_system(struct metrics_snapshot *snapshot)
{
    struct sysinfo info;
    double load[3] = {0};
    if (sysinfo(&info) == 0) {
        add(snapshot, (double)info.totalram * info.mem_unit, "system/mem_total_bytes");
        add(snapshot, (double)info.freeram * info.mem_unit, "system/mem_free_bytes");
    }
    if (getloadavg(load, 3) == 3) {
        add(snapshot, load[0], "system/load_1min");
        add(snapshot, load[1], "system/load_5min");
        add(snapshot, load[2], "system/load_15min");
    }
    add(snapshot, (double)sysconf(_SC_NPROCESSORS_ONLN), "system/cpus_total");
}

// ---- the whole ----

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct metric_value *)a)->name, ((const struct metric_value *)b)->name);
}

void metrics_snapshot_take(struct metrics_snapshot *snapshot, const struct master *master)
{
    *snapshot = (struct metrics_snapshot){0};
    add(snapshot, 1, "master/elected");
    add(snapshot, loop_wall(master->loop) - master->started, "master/uptime_secs");
    add_calls(snapshot, &master->counts);
    add_ends(snapshot, &master->counts);
    add_frameworks(snapshot, master);
    add_nodes(snapshot, master);
    add_resources(snapshot, master);
    add_system(snapshot);
    qsort(snapshot->items, snapshot->count, sizeof *snapshot->items, by_name);
}

void metrics_snapshot_free(struct metrics_snapshot *snapshot)
{
    free(snapshot->items);
    *snapshot = (struct metrics_snapshot){0};
}

void metrics_snapshot_document(struct json_writer *writer, const struct master *master,
                               const struct document_query *query)
{
    struct metrics_snapshot snapshot;
    (void)query;
    metrics_snapshot_take(&snapshot, master);
    json_writer_open(writer, NULL);
    for (size_t i = 0; i < snapshot.count; i++)
        json_writer_double(writer, snapshot.items[i].name, snapshot.items[i].value);
    json_writer_close(writer);
    metrics_snapshot_free(&snapshot);
}
