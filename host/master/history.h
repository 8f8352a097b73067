// SPDX-License-Identifier: Apache-2.0
//
// What happens in a master, as operators see it: the files of the master report it here, which
// keeps the records and counts, and tells the observers. An observer is told after the records have
// changed, and may not change them.

#ifndef MESOS_LUA_MASTER_HISTORY_H
#define MESOS_LUA_MASTER_HISTORY_H

#include "master/framework_past.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "offers/offer_history.h"

#include <stdint.h>

struct master;
struct master_framework;
struct master_offer;
struct master_task;
struct node;

// How often things have happened, by the number of the call or the state.
enum { HISTORY_CALLS = 32, HISTORY_STATES = 16 };

struct history_counts {
    uint64_t calls[HISTORY_CALLS];   // of schedulers, by type
    uint64_t launches;               // of those calls, ACCEPT with LAUNCH or LAUNCH_GROUP
    uint64_t ends[HISTORY_STATES];   // of tasks, by the state that they ended in
    uint64_t updates;                // of tasks, that agents have sent
    uint64_t agents, agents_removed; // that were registered, and removed
};

// A function may be NULL.
struct observer_events {
    void (*task_added)(void *data, const struct task_record *record);
    // Its state is new, or a check has a result.
    void (*task_updated)(void *data, const char *framework_id, const struct task_record *record,
                         const struct status_update *update);
    void (*agent_added)(void *data, const struct node *node);
    void (*agent_removed)(void *data, const struct node *node);
    void (*framework_added)(void *data, const struct master_framework *framework);
    void (*framework_updated)(void *data, const struct master_framework *framework);
    void (*framework_removed)(void *data, const struct master_framework *framework);

    // What only measures need, as it happens: there is one observer of these at most, whose
    // `followed` of a task is.

    // A task takes these resources. `followed` is NULL.
    void (*task_launched)(void *data, struct master_task *task, const Mesos__V1__TaskInfo *info,
                          const struct resources *resources);
    // The master refuses to launch it: it ends in that state before it was one.
    void (*task_refused)(void *data, const Mesos__V1__TaskInfo *info, Mesos__V1__TaskState state);
    // task->state may be a new one. A task that was lost may come back so, with its agent.
    void (*task_entered)(void *data, struct master_task *task);
    void (*task_forgotten)(void *data, struct master_task *task); // it is freed next
    void (*offer_made)(void *data, const struct master_offer *offer);
    void (*offer_ended)(void *data, const struct master_offer *offer, enum offer_end end);
    void (*call_made)(void *data, Mesos__V1__Scheduler__Call__Type type); // taken or not
    void (*update_sent)(void *data, const struct status_update *update);  // to a framework
    // It did not register with the master that took over. Its tasks have entered UNREACHABLE.
    void (*agent_missed)(void *data, const struct node *node);
};

// The owner's; it removes the observer before it frees it. It may remove it when it is told.
struct observer {
    TAILQ_ENTRY(observer) link;
    struct master *master; // NULL: it observes none any more
    const struct observer_events *events;
    void *data;
};

TAILQ_HEAD(observers, observer);

void history_observe(struct master *master, struct observer *observer);
void history_forget(struct observer *observer);
void history_forget_all(struct master *master); // which is destroyed

// ---- what the files of the master report ----

// A task is launched with these resources; its record is made.
void history_task_added(struct master_task *task, const Mesos__V1__TaskInfo *info,
                        const struct resources *resources);
void history_task_status(struct master_task *task, const struct status_update *update);
// The master itself ends the task, which no update of an agent does any more.
void history_task_ended(struct master_task *task, Mesos__V1__TaskState state,
                        Mesos__V1__TaskStatus__Reason reason, const char *message);
void history_task_removed(struct master_task *task);     // its record goes to the completed ones
void history_task_unreachable(struct master_task *task); // the same, to the unreachable ones
void history_task_refused(struct master *master, const Mesos__V1__TaskInfo *info,
                          Mesos__V1__TaskState state); // it never ran
void history_task_launched(struct master_task *task, const Mesos__V1__TaskInfo *info,
                           const struct resources *resources);
void history_task_entered(struct master_task *task);   // the state of its agent is the master's
void history_task_forgotten(struct master_task *task); // by master and agent

void history_offer_made(const struct master_offer *offer);
void history_offer_ended(const struct master_offer *offer, enum offer_end end);
void history_update_sent(struct master *master, const struct status_update *update);

void history_agent_added(struct node *node);
void history_agent_removed(struct node *node);
void history_agent_missed(struct node *node);

void history_framework_subscribed(
    struct master_framework *framework);                            // for the first time or again
void history_framework_updated(struct master_framework *framework); // its info
void history_framework_killed(struct master_framework *framework);  // its tasks count as killed
void history_framework_removed(struct master_framework *framework);

void history_call(struct master *master, const Mesos__V1__Scheduler__Call *call);

#endif
