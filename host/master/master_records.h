// SPDX-License-Identifier: Apache-2.0
//
// The records of the master: which frameworks, agents, offers and tasks there are, and how they
// refer to each other. The rooms above may read them.
//
// Invariants: each resource of an agent is free, or in exactly one offer, or held by exactly one
// task that has not ended (`holds`), or by one executor. A shared resource stays free while offers,
// tasks and executors have it. What a framework is charged in a role (role_tree.h) is the sum of
// the scalars of its offers and held tasks. Only the functions below change any of this, and of
// them only those of master_records.c what resources are whose.

#ifndef MESOS_LUA_MASTER_MASTER_RECORDS_H
#define MESOS_LUA_MASTER_MASTER_RECORDS_H

#include "agent/agent.h"
#include "base/block_pool.h"
#include "base/string_map.h"
#include "base/uuid.h"
#include "master/history.h"
#include "master/inverse_offers.h"
#include "master/maintenance.h"
#include "master/master.h"
#include "master/node_drain.h"
#include "master/offer_encoding.h"
#include "master/offer_filter_queue.h"
#include "master/offer_numbers.h"
#include "master/role_tree.h"
#include "master/verbosity.h"
#include "offers/resources_packed.h"

#include <sys/queue.h>

// Why a role is not offered what is free on an agent.
enum obstacle {
    OBSTACLE_NONE,
    OBSTACLE_NOTHING_FREE,
    OBSTACLE_RESERVED, // for other roles
    OBSTACLE_SMALL,    // less than the framework's offer_filters ask for
    OBSTACLE_QUOTA,    // what is free is above the role's limit, or kept for guarantees of others
    OBSTACLE_GPUS,     // the agent has some, the framework lacks GPU_RESOURCES
    OBSTACLE_REGION,   // the agent is in another one than the master, the framework lacks
                       // REGION_AWARE
    OBSTACLE_CONSTRAINTS,
    OBSTACLE_FILTERED, // the framework refused it a while ago
    OBSTACLES,
};

// A role that a framework is subscribed to.
struct role {
    const char *name; // that of the role in the tree
    bool suppressed;
    struct role_member *member;
};

// A filter: the framework refused these resources of an agent in a role. Neither they nor a part of
// them are offered to it before it ends. See offer_filters.c.
struct offer_filter {
    TAILQ_ENTRY(offer_filter) of_framework;
    struct role_member *member;
    struct node *node;
    struct bytes *refused; // as offer_encoding.h has them, and shared with it
    bool dropped;          // it is only in the queue any more
    bool open;             // as quantities_charge.h has it; `amounts` are of what was refused then
    int64_t amounts[QUANTITIES_KNOWN];
};

// The filters of an agent, with what the allocator asks them for side by side.
struct offer_filter_slots {
    struct offer_filter_slot {
        const struct role_member *member;
        const struct bytes *refused;
        uint64_t until;
        struct offer_filter *filter;
    } * items;
    uint32_t count, capacity;
};

TAILQ_HEAD(offer_filter_list, offer_filter);

// An operation with an id that its framework has not acknowledged.
struct master_operation {
    struct string_map_entry entry; // of the latest with that id
    TAILQ_ENTRY(master_operation) link;
    struct master_framework *framework;
    struct node *node;
    char *id;
    Mesos__V1__Offer__Operation *info;  // resources as in struct node, but allocated
    Mesos__V1__OperationStatus *status; // the last that the agent reported, or NULL
    Mesos__V1__OperationState state;    // pending until then
};

struct master_framework {
    struct master *master;
    struct string_map_entry entry;
    TAILQ_ENTRY(master_framework) link;
    char *id;
    Mesos__V1__FrameworkInfo *info; // with `id`
    struct role *roles;             // those that it is subscribed to
    size_t role_count;
    struct role_members members; // in these, and in others in which it still holds something
    bool multi_role, reservation_refinement, partition_aware, killing_state, gpus;
    bool revocable, shared, region_aware;
    Mesos__V1__Scheduler__OfferConstraints *constraints;

    bool connected;
    char stream_id[UUID_TEXT];
    const struct master_sink *sink;
    void *sink_data;
    struct timer heartbeat, failover;
    struct framework_past past;

    struct string_map task_table, operation_table, executor_table; // the last by agent and id
    TAILQ_HEAD(, master_task) tasks;
    TAILQ_HEAD(, master_executor) executors;
    TAILQ_HEAD(, master_operation) operations;
    size_t operation_count;
    TAILQ_HEAD(offers_of_framework, master_offer) offers; // oldest first
    struct offer_filter_list filters;
    size_t absent_tasks; // that agents have and the master does not know
    size_t new_offers;   // that were made to it in this round

    uint64_t starved_since, look_at; // it has had no offers since then, 0: it has some; and when to
                                     // look for the reason again
    unsigned logged;                 // which reasons for that were logged, as bits
    uint64_t logged_at;
};

// When the allocator looks at an agent again. What nothing has happened to rests: a round would
// offer as little of it as the last one did.
enum node_turn {
    NODE_RESTS,
    NODE_HELD, // a quota kept something of it back; it takes part if anything was given or returned
    NODE_WAITS,   // for the next round
    NODE_HURRIES, // for a round that comes at once
    NODE_TURNS,
};

// The agents that do not rest, as bits by their numbers: a round looks at them in that order.
struct node_turns {
    struct node **nodes; // by number
    struct node **taken; // by the last round
    struct node_turn_bits {
        uint64_t of[NODE_TURNS];
    } * bits;                 // of 64 agents each; none of those that rest
    size_t capacity;          // in numbers
    size_t count[NODE_TURNS]; // agents
};

// What the master knows of an agent. One that is registered is in `nodes` of the master, any other
// one in `lost`.
enum node_state {
    NODE_REGISTERED,
    NODE_DISCONNECTED, // registered, but its connection broke: it gets no messages
    NODE_UNREACHABLE,  // it did not answer in time; it may come back
    NODE_RECOVERED,    // a master that took over has read of it, and has not heard from it yet
    NODE_FORGOTTEN,    // a master that took over knows nothing of it
    NODE_GONE,         // marked gone by the operator: never comes back
};

// Whether messages between master and agent arrive.
enum node_link { NODE_LINK_UP, NODE_LINK_HELD, NODE_LINK_DOWN };

// An agent as the master sees it. What each turn looks at comes first: of many agents it is not in
// the cache.
struct node {
    enum node_turn turn;
    unsigned number; // of all agents that the master has had; from 1
    enum node_state state;
    bool deactivated; // nothing of it is offered
    bool gpus;
    const struct master_framework *asker; // of its turn: it alone wants more; NULL: any may
    struct resources free;
    struct offer_filter_slots filters;
    struct quantities_charge counted; // of `free`, as it is in the sum of the master
    struct offer_encoding encoding;
    TAILQ_HEAD(, master_offer) offers;
    TAILQ_HEAD(, master_executor) executors;
    struct machine *machine; // NULL: it is removed
    struct master *master;

    struct string_map_entry entry;
    TAILQ_ENTRY(node) link, on_machine;
    char *id, *hostname;
    double registered;   // seconds since the epoch
    double reregistered; // the same; 0: never
    struct agent *agent;
    struct node_drain drain;
    enum node_link messages; // node_link.c
    STAILQ_HEAD(, held_message) held;
    size_t held_count;
    struct timer patience;     // until it is unreachable
    struct timer delivery;     // of what is held, if it is only slow
    int64_t unreachable_since; // nanoseconds since 1970; 0: it is not
    struct string_map absent;  // tasks that the agent has and the master does not, see agent_loss.h
    TAILQ_HEAD(, master_task) absent_tasks;
    struct agent_description description; // its attributes
    struct resources total;
    struct resources shared_offered;      // what of the shared ones is in an offer of this round
    TAILQ_HEAD(, master_task) tasks;      // that the master knows
    TAILQ_HEAD(, evacuation) evacuations; // inverse offers
};

TAILQ_HEAD(nodes, node);

#define MASTER_OFFER_ID (UUID_TEXT + 24) // "<id of the master>-O17", with the zero byte

struct master_offer {
    struct master_offer *next; // in the table of offers
    uint64_t number;           // that of its id
    char id[MASTER_OFFER_ID];
    TAILQ_ENTRY(master_offer) of_framework, of_node;
    struct master_framework *framework;
    struct node *node;
    struct role_member *member;
    char *role;                 // that of the member
    struct resources resources; // for the role, but without an allocation, as those that are free
    struct quantities_charge charge; // of these
    bool whole;                      // they were all that was free
    uint64_t made;                   // loop_now()
    struct timer timeout;            // runs if offers have a limit
};

struct master_task {
    struct string_map_entry entry;
    TAILQ_ENTRY(master_task) link; // of the framework, or the absent ones of the node
    TAILQ_ENTRY(master_task) of_node;
    struct master_framework *framework; // also while the master does not know the task
    struct node *node;
    struct role_member *member; // NULL: the master does not know the task
    char *id, *name;
    char *role;                         // that of the member
    char *absent_role;                  // the same while there is no member
    struct resources_packed *resources; // allocated to the role
    bool holds;                         // its resources are not free yet
    char *key;                          // in node->absent; NULL: the master knows the task
    Mesos__V1__TaskState reported;  // the last of the agent; the master may not have heard of it
    Mesos__V1__TaskState state;     // the last that the master has heard of
    bool delivered;                 // its launch has reached the agent
    bool kill_wanted;               // by a KILL that did not reach its agent
    Mesos__V1__TaskState forwarded; // the last that was sent to the framework
    // What the last update said.
    Mesos__V1__CheckStatusInfo *check; // or NULL
    bool has_healthy, healthy;
    struct bytes *container;    // the first ContainerStatus that it had, or NULL
    struct task_record *record; // see history.h
    void *followed;             // of the observer of history.h that follows tasks, or NULL
};

// An executor of a framework, or a default executor; those of commands are the agent's affair. It
// holds its resources until the agent says that it has ended.
struct master_executor {
    struct string_map_entry entry;
    TAILQ_ENTRY(master_executor) of_framework, of_node;
    struct master_framework *framework;
    struct node *node;
    struct role_member *member;
    char *key;
    Mesos__V1__ExecutorInfo *info;
    struct resources resources; // allocated to the role
};

// A framework that was removed.
struct completed {
    TAILQ_ENTRY(completed) link;
    struct string_map_entry entry;
    char *id;
    Mesos__V1__FrameworkInfo *info;
    struct framework_past past;
};

// What happens to updates on their way to frameworks, see update_faults.h.
struct update_faults {
    uint64_t delay;
    unsigned doubled, dropped; // so many of the next ones
    STAILQ_HEAD(, late_update) late;
    size_t late_count;
    struct timer timer;
};

// What the records report of what they do, so that what other files have about it follows. The
// creator of the master provides them; each of the functions is set.
struct master_records_events {
    void (*offer_rescinded)(struct master_offer *offer); // it is removed next
    // It is not subscribed to the role any more.
    void (*role_left)(struct master_framework *framework, const char *role);
    // It was registered, and is not any more; it has no offers and tasks.
    void (*node_lost)(struct node *node);
    void (*node_freed)(struct node *node); // it is in no list any more
};

struct master {
    struct loop *loop;
    const struct master_records_events *events;
    char *ip, *hostname, *work_dir, *path;
    char *region, *zone; // its fault domain, or NULL
    bool switch_users, containers, secret;
    unsigned port;
    struct runner *runner;
    char id[UUID_TEXT];
    double started; // seconds since the epoch
    struct observers observers;
    struct history_counts counts;
    struct verbosity verbosity;

    struct string_map framework_table, node_table, lost_table, completed_table;
    struct offer_numbers offers;
    TAILQ_HEAD(, master_framework) frameworks, remembered; // see master_failover.h
    bool headless;                                         // a failover goes on: none leads
    struct timer registration;                             // of agents with a new master
    size_t registering;                                    // how many at a time
    struct nodes nodes;                                    // all that are registered
    struct nodes lost;                                     // that are not registered
    struct nodes leaving;                                  // they are removed, and end their tasks
    struct node_turns turns;
    TAILQ_HEAD(, completed) completed;
    size_t completed_count;
    struct role_tree roles;
    struct quantities free; // what is neither in use, nor reserved, nor revocable
    bool quota_moved;       // something was given or returned since the last round
    struct offer_filter_queue filters;
    struct block_pool offer_blocks;
    uint64_t next_framework, next_agent_id, next_offer;
    uint64_t next_node; // agents so far, also of the masters before it
    struct maintenance maintenance;
    struct inverse_offers inverse_offers;

    uint64_t agent_timeout;        // until an agent that does not answer is unreachable
    uint64_t registration_timeout; // of executors
    uint64_t message_delay;        // of each message to an agent, and of requests and events
    struct update_faults update_faults;
    uint64_t offer_timeout;  // how long an offer may stay unanswered; 0: forever
    struct timer tick, soon; // the allocator's next round, and one before it
    bool stopping;
    size_t running_agents; // those that have not stopped yet
    void (*stopped)(void *data);
    void *stopped_data;
};

struct master_framework *master_records_framework(const struct master *master, const char *id);
struct node *master_records_node(const struct master *master,
                                 const Mesos__V1__AgentID *id); // registered; NULL is fine
struct node *master_records_any_node(const struct master *master,
                                     const Mesos__V1__AgentID *id); // registered or not
struct master_offer *master_records_offer(const struct master *master, const char *id);
struct master_task *master_records_task(const struct master_framework *framework, const char *id);
struct role *master_records_role(const struct master_framework *framework, const char *name);

// Sets the roles that a framework is subscribed to; `suppressed` says which of them are.
void master_records_set_roles(struct master_framework *framework, char **names, size_t count,
                              const bool *suppressed);

// To be called when the framework was connected or disconnected, or a role suppressed or revived.
void master_records_activate(struct master_framework *framework);

// The resources of a new agent are the master's from now on; or no longer.
void master_records_add_node(struct node *node);
void master_records_remove_node(struct node *node); // it has no offers and tasks

// What the agent has became something else, for example reserved. `free` of the node, if it was
// changed, is counted anew.
void master_records_convert(struct node *node, const struct resources *from,
                            const struct resources *to);

// Moves resources of the node that are free into an offer, which is not sent yet. NULL: all that is
// free.
struct master_offer *master_records_make_offer(struct role_member *member, struct node *node,
                                               const struct resources *resources);

// Ends an offer; its resources are free again.
void master_records_remove_offer(struct master_offer *offer, enum offer_end end);
void master_records_rescind_offer(struct master_offer *offer); // and tells the framework

// Adds a task, which takes its resources, allocated to the role, out of what is free.
struct master_task *master_records_add_task(struct master_framework *framework, struct node *node,
                                            const char *role, const Mesos__V1__TaskInfo *info,
                                            const struct resources *resources);
void master_records_remove_task(struct master_task *task);
void master_records_take_state(struct master_task *task); // the one that its agent reported last

// The master forgets a task that its agent keeps, and learns of it again. It keeps the record of a
// task that is only unreachable.
void master_records_detach_task(struct master_task *task);
void master_records_attach_task(struct master_task *task);

// An agent of that state moves between `nodes` and `lost`. Its offers and tasks must be gone.
void master_records_lose_node(struct node *node, enum node_state state);
void master_records_register_node(struct node *node);
bool master_records_offerable(const struct node *node);

struct master_executor *master_records_executor(const struct master_framework *framework,
                                                const struct node *node, const char *id);

// Adds an executor, which takes its resources out of what is free; the info is copied.
struct master_executor *master_records_add_executor(struct master_framework *framework,
                                                    struct node *node, const char *role,
                                                    const Mesos__V1__ExecutorInfo *info,
                                                    const struct resources *resources);
void master_records_remove_executor(struct master_executor *executor); // its resources are free

void master_records_free_node(struct node *node); // it is in no list any more

// ---- operation_records.c ----

// Adds an operation that is pending. A second with the same id takes the name over.
struct master_operation *operation_records_add(struct master_framework *framework,
                                               struct node *node,
                                               const Mesos__V1__Offer__Operation *info);
struct master_operation *operation_records_find(const struct master_framework *framework,
                                                const char *id);
void operation_records_remove(struct master_operation *operation);

// ---- past_frameworks.c ----

// The framework, which is about to be destroyed, is remembered. Its tasks end.
void past_frameworks_add(struct master_framework *framework);
void past_frameworks_forget(struct master *master); // all of them
bool past_frameworks_has(const struct master *master, const char *id);

// The framework of that id that only agents remember (master_failover.h), now known to the master;
// or NULL.
struct master_framework *past_frameworks_recall(struct master *master, const char *id);

#endif
