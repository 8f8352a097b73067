// SPDX-License-Identifier: Apache-2.0
//
// The records of the master: which frameworks, agents, offers and tasks there are, and how they
// refer to each other. The rooms above may read them.
//
// Invariants: each resource of an agent is free, or in exactly one offer, or held by exactly one
// task that has not ended (`holds`). `allocated` of a role of a framework is the sum of the scalars
// of its offers and held tasks. Only the functions of master_records.c change any of this.

#ifndef MESOS_LUA_MASTER_MASTER_RECORDS_H
#define MESOS_LUA_MASTER_MASTER_RECORDS_H

#include "agent/agent.h"
#include "base/string_map.h"
#include "base/uuid.h"
#include "master/history.h"
#include "master/inverse_offers.h"
#include "master/maintenance.h"
#include "master/master.h"

#include <sys/queue.h>

// The scalars by which shares are measured.
enum { SHARE_CPUS, SHARE_MEM, SHARE_DISK, SHARE_GPUS, SHARES };

struct shares {
    double amount[SHARES];
};

// Why a role is not offered what is free on an agent.
enum obstacle {
    OBSTACLE_NONE,
    OBSTACLE_NOTHING_FREE,
    OBSTACLE_RESERVED, // for other roles
    OBSTACLE_SMALL,    // less than the framework's offer_filters ask for
    OBSTACLE_GPUS,     // the agent has some, the framework lacks GPU_RESOURCES
    OBSTACLE_CONSTRAINTS,
    OBSTACLE_FILTERED, // the framework refused it a while ago
    OBSTACLES,
};

// A role that a framework is subscribed to.
struct role {
    char *name;
    bool suppressed;
    struct shares allocated;
    uint64_t offers; // made so far: of two with equal shares the one that got fewer comes first
    size_t agents[OBSTACLES]; // how many had that obstacle in the last round
};

// The framework refused these resources of an agent: neither they nor a part of them are offered
// to it before `until`.
struct offer_filter {
    struct offer_filter *next;
    struct resources resources;
    uint64_t until;
};

// All filters of one role and agent.
struct offer_filters {
    struct string_map_entry entry;
    TAILQ_ENTRY(offer_filters) link;
    char *key;
    char *role;
    struct offer_filter *first;
};

struct master_framework {
    struct master *master;
    struct string_map_entry entry;
    TAILQ_ENTRY(master_framework) link;
    char *id;
    Mesos__V1__FrameworkInfo *info; // with `id`
    struct role *roles;
    size_t role_count;
    bool multi_role, reservation_refinement, partition_aware, killing_state, gpus;
    Mesos__V1__Scheduler__OfferConstraints *constraints;

    bool connected;
    char stream_id[UUID_TEXT];
    const struct master_sink *sink;
    void *sink_data;
    struct timer heartbeat, failover;
    struct framework_past past;

    struct string_map task_table, filter_table;
    TAILQ_HEAD(, master_task) tasks;
    TAILQ_HEAD(offers_of_framework, master_offer) offers; // oldest first
    TAILQ_HEAD(, offer_filters) filters;
    uint64_t offers_before; // how many offers it had been made before the allocator's round

    uint64_t starved_since; // it has had no offers since then; 0: it has some
    unsigned logged;        // which reasons for that were logged, as bits
    uint64_t logged_at;
};

// An agent as the master sees it.
struct node {
    struct master *master;
    struct string_map_entry entry;
    TAILQ_ENTRY(node) link, on_machine;
    char *id;
    struct machine *machine; // NULL: it is removed
    unsigned number;         // of all agents that the master has had; from 1
    double registered;       // seconds since the epoch
    struct agent *agent;
    struct agent_description description; // its attributes
    struct resources total, free;
    bool gpus;
    TAILQ_HEAD(, master_offer) offers;
    TAILQ_HEAD(, evacuation) evacuations; // inverse offers
};

struct master_offer {
    struct string_map_entry entry;
    TAILQ_ENTRY(master_offer) of_framework, of_node;
    char *id;
    struct master_framework *framework;
    struct node *node;
    char *role;
    struct resources resources; // allocated to the role
    uint64_t made;              // loop_now()
    struct timer timeout;       // runs if offers have a limit
};

struct master_task {
    struct string_map_entry entry;
    TAILQ_ENTRY(master_task) link;
    struct master_framework *framework;
    struct node *node;
    char *id, *name, *role;
    struct resources resources;     // allocated to the role
    bool holds;                     // its resources are not free yet
    Mesos__V1__TaskState state;     // the last that the agent reported
    Mesos__V1__TaskState forwarded; // the last that was sent to the framework
    // What the last update said; each may be NULL.
    Mesos__V1__ContainerStatus *container;
    Mesos__V1__CheckStatusInfo *check;
    bool has_healthy, healthy;
    struct task_record *record; // see history.h
};

// A framework that was removed.
struct completed {
    TAILQ_ENTRY(completed) link;
    struct string_map_entry entry;
    char *id;
    Mesos__V1__FrameworkInfo *info;
    struct framework_past past;
};

struct master {
    struct loop *loop;
    char *ip, *hostname, *work_dir, *path;
    bool switch_users;
    unsigned port;
    struct runner *runner;
    char id[UUID_TEXT];
    double started; // seconds since the epoch
    struct observers observers;
    struct history_counts counts;

    struct string_map framework_table, node_table, offer_table, completed_table;
    TAILQ_HEAD(, master_framework) frameworks;
    TAILQ_HEAD(, node) nodes, leaving; // the latter are removed, and end their tasks
    TAILQ_HEAD(, completed) completed;
    size_t completed_count;
    struct shares total;
    uint64_t next_framework, next_node, next_offer;
    struct maintenance maintenance;
    struct inverse_offers inverse_offers;

    uint64_t offer_timeout;  // how long an offer may stay unanswered; 0: forever
    struct timer tick, soon; // the allocator's next round, and one before it
    bool stopping;
    size_t running_agents; // those that have not stopped yet
    void (*stopped)(void *data);
    void *stopped_data;
};

struct master_framework *master_records_framework(const struct master *master, const char *id);
struct node *master_records_node(const struct master *master,
                                 const Mesos__V1__AgentID *id); // NULL is fine
struct master_offer *master_records_offer(const struct master *master, const char *id);
struct master_task *master_records_task(const struct master_framework *framework, const char *id);
struct role *master_records_role(const struct master_framework *framework, const char *name);

// Moves resources of the node that are free into an offer, which is not sent yet.
struct master_offer *master_records_make_offer(struct master_framework *framework,
                                               struct node *node, struct role *role,
                                               const struct resources *resources);

// Ends an offer; its resources are free again.
void master_records_remove_offer(struct master_offer *offer);
void master_records_rescind_offer(struct master_offer *offer); // and tells the framework

// Adds a task, which takes its resources out of what is free. `executor_id` is that of the group
// that it belongs to, or NULL.
struct master_task *master_records_add_task(struct master_framework *framework, struct node *node,
                                            const char *role, const Mesos__V1__TaskInfo *info,
                                            const struct resources *resources);
void master_records_release_task(
    struct master_task *task); // frees its resources; a second call does nothing
void master_records_remove_task(struct master_task *task);

void master_records_free_node(struct node *node); // it is in no list any more

// The framework, which is about to be destroyed, is remembered. Its tasks end.
void master_records_add_completed(struct master_framework *framework);
void master_records_forget_completed(struct master *master); // all of them
bool master_records_completed(const struct master *master, const char *id);

struct shares master_records_shares(const struct resources *resources);

#endif
