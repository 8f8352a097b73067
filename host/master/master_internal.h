// SPDX-License-Identifier: Apache-2.0
//
// What the files of the master share and no other room includes: the functions of each file.

#ifndef MESOS_LUA_MASTER_MASTER_INTERNAL_H
#define MESOS_LUA_MASTER_MASTER_INTERNAL_H

#include "master/master_records.h"
#include "master/offer_obstacles.h"

enum { RESOURCE_LIST_MOST = 1000 }; // resources of a task, an executor or an operation
#include "offers/resource_conversions.h"

// ---- master_events.c: what is sent to frameworks; nothing to one that is not connected ----

#define MASTER_HEARTBEAT_SECONDS 15

void master_events_send_subscribed(struct master_framework *framework);
void master_events_send_heartbeat(struct master_framework *framework);
void master_events_send_offers(struct master_framework *framework, size_t count); // its newest
void master_events_send_rescind(struct master_offer *offer);
void master_events_send_inverse_offers(struct master_framework *framework,
                                       struct evacuation *const *list, size_t count);
void master_events_send_inverse_rescind(struct master_framework *framework, const char *id);
void master_events_send_agent_failure(struct master_framework *framework, const char *agent_id);
void master_events_send_executor_failure(struct master_framework *framework, char *agent_id,
                                         const char *executor_id, int status);
void master_events_send_message(struct master_framework *framework, char *agent_id,
                                const char *executor_id, const ProtobufCBinaryData *bytes);
void master_events_send_update(struct master_framework *framework,
                               const struct status_update *update);
void master_events_send_operation_update(struct master_framework *framework,
                                         const Mesos__V1__OperationStatus *status);

// To a sink, as it may be of no framework yet.
void master_events_send_error(const struct master_sink *sink, void *data, const char *message);

// ---- master_framework.c: the subscription of a framework, and what it said about itself ----

// A new framework with that id, or with a new one for NULL. It is to be subscribed next.
struct master_framework *master_framework_create(struct master *master, const char *id);

// Carries out a SUBSCRIBE that was found valid; a former subscription ends.
void master_framework_subscribe(struct master_framework *framework,
                                const Mesos__V1__Scheduler__Call *call, const char *stream_id,
                                const struct master_sink *sink, void *data);

// The client is gone: the failover timeout runs, or, if there is none, the framework is removed.
void master_framework_disconnected(struct master_framework *framework);

struct master_answer master_framework_update(struct master_framework *framework,
                                             const Mesos__V1__Scheduler__Call *call);

void master_framework_remove(struct master_framework *framework); // kills its tasks, completes its
                                                                  // id, and frees it
void master_framework_destroy(struct master_framework *framework);

// It is not subscribed any more, and its sink is not called: no offers, filters and timers.
void master_framework_leave(struct master_framework *framework);

// ---- master_updates.c: updates that the master itself makes ----

struct master_updates_text {
    Mesos__V1__TaskState state;
    Mesos__V1__TaskStatus__Reason reason;
    const char *message;
    int64_t unreachable_since; // of its agent, nanoseconds since 1970; 0: left out
};

void master_updates_send(struct master_framework *framework, const char *task_id,
                         const Mesos__V1__AgentID *agent_id, const struct master_updates_text *text,
                         const struct master_task *task); // NULL: it is not known
void master_updates_reconcile(struct master_framework *framework, const char *task_id,
                              const Mesos__V1__AgentID *agent_id);
void master_updates_reconcile_all(struct master_framework *framework);

// ---- operations.c: operations on resources, and what frameworks hear of them ----

// What an ACCEPT can use.
struct acceptance {
    struct master_framework *framework;
    struct node *node;
    char *role;
    struct resources offered; // by its offers; allocated to the role. Of launches alone: nothing
    struct resources left;    // of that, as converted so far
    struct resources resized; // volumes, which later operations of the ACCEPT do not see
    Mesos__V1__Resource__AllocationInfo allocation; // to the role
};

const char *operations_type_name(const Mesos__V1__Offer__Operation *operation);

// A copy whose resources are in the newer format, and allocated to the role where they were not to
// any. With NULL allocations stay as they are.
Mesos__V1__Offer__Operation *operations_normal_form(const Mesos__V1__Offer__Operation *operation,
                                                    const char *role);

// Rescinds the offers that have a volume which the operation destroys.
void operations_rescind_destroyed(struct node *node, const Mesos__V1__Offer__Operation *operation);

// Turns free resources of the node into others. NULL, or what is wrong, in Mesos's words, and
// nothing has changed; free() it.
char *operations_convert(struct node *node, const struct resource_conversions *conversions);

// A refusal: OPERATION_ERROR if the operation has an id, else a line in the log.
void operations_refuse(struct master_framework *framework,
                       const Mesos__V1__Offer__Operation *operation, const char *message);

// False, and it is refused, if the operation is malformed by itself. Of any type but a launch.
bool operations_admit(struct master_framework *framework,
                      const Mesos__V1__Offer__Operation *operation);

// Carries out an operation that was admitted, or refuses it.
void operations_carry_out(struct acceptance *acceptance,
                          const Mesos__V1__Offer__Operation *operation);

// What agents report; `node` is a struct node.
void operations_updated(void *node, const char *framework_id,
                        const Mesos__V1__OperationStatus *status);

// The agent is lost: frameworks hear that their operations there are in this state, unless there is
// no message, and the master forgets them.
void operations_lose(struct node *node, Mesos__V1__OperationState state, const char *message);

void operations_acknowledge(
    struct master_framework *framework,
    const Mesos__V1__Scheduler__Call__AcknowledgeOperationStatus *acknowledge);
void operations_reconcile(struct master_framework *framework,
                          const Mesos__V1__Scheduler__Call__ReconcileOperations *reconcile);

// ---- agent_removal.c: agents that leave while the cluster runs ----

// Frameworks lose its tasks and offers at once, for that cause, which the updates name. The node is
// not to be used any more; it is freed when its tasks have ended.
void agent_removal_start(struct node *node, const char *cause);

// ---- accept.c: the calls ACCEPT and DECLINE ----

void accept_offers(struct master_framework *framework,
                   const Mesos__V1__Scheduler__Call__Accept *accept);
void accept_decline(struct master_framework *framework,
                    const Mesos__V1__Scheduler__Call__Decline *decline);

// ---- allocator.c: who is offered what ----

#define ALLOCATOR_INTERVAL LOOP_SECOND // from round to round

void allocator_init(struct master *master);  // no round comes before the start
void allocator_start(struct master *master); // also after a stop
void allocator_stop(struct master *master);

// ---- node_turns.c: when the allocator looks at an agent again ----

// The node takes part in the next round, which comes at once for NODE_HURRIES. `asker` is the only
// framework that may be offered more of it than in the last round; NULL: any may.
void node_turns_wake(struct node *node, enum node_turn turn, const struct master_framework *asker);
void node_turns_wait_all(struct master *master);  // all nodes, in the next round
void node_turns_hurry_all(struct master *master); // all nodes, at once

// The same for one framework, which wants more than before.
void node_turns_hurry_for(struct master_framework *framework);

void node_turns_forget_framework(const struct master_framework *framework); // it leaves
void node_turns_forget(struct node *node);                                  // it leaves

void node_turns_hold(struct node *node); // a quota kept something of it back; unless it has a turn

// The nodes that have this turn or one that comes earlier, in the order of their numbers; they rest
// then. The list is valid until the next call.
struct node **node_turns_take(struct master *master, enum node_turn turn, size_t *count);

void node_turns_free(struct master *master); // there are no nodes any more

// ---- offer_filters.c: what frameworks refused ----

// The framework refused these resources of the node in a role, for as long as `filters` says; NULL:
// for the default time.
void offer_filters_add(struct master_framework *framework, struct node *node, const char *role,
                       const struct resources *resources, const Mesos__V1__Filters *filters);
void offer_filters_clear(struct master_framework *framework,
                         const char *role); // NULL: of all roles
void offer_filters_clear_node(struct node *node);

// How long the filters of a call, which may be NULL, last.
double offer_filters_seconds(const Mesos__V1__Filters *filters);

// As offer_filters_add() for the resources of an offer, which ends next.
void offer_filters_decline(struct master_offer *offer, const Mesos__V1__Filters *filters);

// Drops the filters that have ended, and wakes their nodes for the next round.
void offer_filters_expire(struct master *master);

// True if one filter covers all of these resources.
bool offer_filters_cover(const struct role_member *member, const struct node *node,
                         const struct resources *resources);

// ---- validation.c: what is wrong with calls, frameworks and offers, in the words of a master ----

bool validation_call(const Mesos__V1__Scheduler__Call *call, struct error *err);
bool validation_id(const char *id, struct error *err);

bool validation_framework_info(const Mesos__V1__FrameworkInfo *info, struct error *err);
bool validation_principal(const Mesos__V1__FrameworkInfo *old, const Mesos__V1__FrameworkInfo *new,
                          struct error *err); // it must not change
bool validation_roles(const Mesos__V1__FrameworkInfo *info, char **suppressed,
                      size_t suppressed_count,
                      const Mesos__V1__Scheduler__OfferConstraints *constraints, struct error *err);
bool validation_has_capability(const Mesos__V1__FrameworkInfo *info,
                               Mesos__V1__FrameworkInfo__Capability__Type type);

// The text, which may be long, or NULL if nothing is wrong with the offers of these ids, of which
// those that do not exist are NULL. free() it.
char *validation_offers(const struct master_framework *framework, Mesos__V1__OfferID **ids,
                        struct master_offer **offers, size_t count);

// ---- resource_validation.c: what is wrong with resources, in the words of a master ----

bool resource_validation_check(Mesos__V1__Resource *const *items, size_t count, struct error *err);

// True if all are persistent volumes.
bool resource_validation_volumes(Mesos__V1__Resource *const *items, size_t count,
                                 struct error *err);

// True if the ids of the volumes in `more` are unique within their roles, also beside those that
// are there.
bool resource_validation_unique_volumes(const struct resources *there, const struct resources *more,
                                        struct error *err);

// True if all are allocated to one role; those that do not say are allocated to `role`.
bool resource_validation_single_role(Mesos__V1__Resource *const *items, size_t count,
                                     const char *role, struct error *err);

// True if no name is of a revocable one and of another one.
bool resource_validation_unmixed(Mesos__V1__Resource *const *items, size_t count,
                                 struct error *err);

// True if two of the lists have the same port, or the same item of a set.
bool resource_validation_overlap(const struct resources *lists, size_t count);

// ---- task_validation.c: what is wrong with a task, in the words of a master ----

struct task_launch {
    const struct master_framework *framework;
    const struct node *node;
    const char *role; // of the offers
    const Mesos__V1__TaskInfo *task;
};

char *task_validation_fault(const struct task_launch *launch); // as validation_offers()

// The rules for tasks of groups, too.
bool task_validation_any(const struct task_launch *launch, struct error *err);

// ---- executor_validation.c: the same of an executor ----

// The rules for all; `launch` has the task that it is for, or one of its group.
char *executor_validation_fault(const struct task_launch *launch,
                                const Mesos__V1__ExecutorInfo *executor);

// Those for the executor of a task that was launched by itself. The task has an executor.
char *executor_validation_custom(const struct task_launch *launch);

bool executor_validation_same(const Mesos__V1__ExecutorInfo *a, const Mesos__V1__ExecutorInfo *b);

// ---- group_validation.c: the same of a group of tasks ----

// All tasks have the executor. `role` is that of the offers.
char *group_validation_fault(const struct master_framework *framework, const struct node *node,
                             const char *role,
                             const Mesos__V1__Offer__Operation__LaunchGroup *group);

// ---- task_launches.c: the operations LAUNCH and LAUNCH_GROUP ----

struct acceptance;

void task_launches_refuse(struct master_framework *framework,
                          const Mesos__V1__Offer__Operation *operation,
                          const struct master_updates_text *text);

// False, and all its tasks are refused, if the operation is malformed by itself.
bool task_launches_admit(struct acceptance *acceptance,
                         const Mesos__V1__Offer__Operation *operation);
void task_launches_carry_out(struct acceptance *acceptance,
                             const Mesos__V1__Offer__Operation *operation);

// Takes what was added when the operation was admitted away again: the call only borrows it.
void task_launches_restore(const struct acceptance *acceptance,
                           const Mesos__V1__Offer__Operation *operation);

// ---- constraints.c: offer constraints ----

bool constraints_check(const Mesos__V1__Scheduler__OfferConstraints *constraints,
                       struct error *err);
bool constraints_hold(const Mesos__V1__Scheduler__OfferConstraints *constraints, const char *role,
                      const struct node *node);

#endif
