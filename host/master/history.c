// SPDX-License-Identifier: Apache-2.0
//
// Records, counts and observers; see the header.

#include "master/history.h"

#include "base/memory.h"
#include "master/master_records.h"

#include <stdlib.h>

typedef Mesos__V1__Scheduler__Call Call;

// ---- observers ----

void history_observe(struct master *master, struct observer *observer)
{
    observer->master = master;
    TAILQ_INSERT_TAIL(&master->observers, observer, link);
}

void history_forget(struct observer *observer)
{
    if (observer->master != NULL)
        TAILQ_REMOVE(&observer->master->observers, observer, link);
    observer->master = NULL;
}

void history_forget_all(struct master *master)
{
    while (!TAILQ_EMPTY(&master->observers))
        history_forget(TAILQ_FIRST(&master->observers));
}

// An observer may remove itself, and no other.
#define TELL(master, event, ...)                                                                   \
    for (struct observer *observer = TAILQ_FIRST(&(master)->observers), *next; observer != NULL;   \
         observer = next) {                                                                        \
        next = TAILQ_NEXT(observer, link);                                                         \
        if (observer->events->event != NULL)                                                       \
            observer->events->event(observer->data, __VA_ARGS__);                                  \
    }

// ---- tasks ----

void history_task_added(struct master_task *task, const Mesos__V1__TaskInfo *info,
                        const struct resources *resources)
{
    const struct task_origin origin = {
        .framework_id = task->framework->id,
        .node = task->node->number,
        .resources = resources,
    };
    task->record = task_record_create(info, &origin);
    TELL(task->framework->master, task_added, task->record)
}

static void count_end(struct master *master, Mesos__V1__TaskState state)
{
    if (agent_terminal(state) && (size_t)state < HISTORY_STATES)
        master->counts.ends[state]++;
}

// As a master does, from the state that is known: the update may be behind it.
static void note_status(struct master *master, const char *framework_id, struct task_record *record,
                        const struct status_update *update)
{
    bool news = record->shown != record->state;
    task_record_add_status(record, update);
    if (news)
        count_end(master, record->state);
    record->shown = record->state;
    if (news || update->of_check)
        TELL(master, task_updated, framework_id, record, update)
}

void history_task_status(struct master_task *task, const struct status_update *update)
{
    task->record->state = task->state;
    task->framework->master->counts.updates++;
    note_status(task->framework->master, task->framework->id, task->record, update);
}

void history_task_launched(struct master_task *task, const Mesos__V1__TaskInfo *info,
                           const struct resources *resources)
{
    TELL(task->node->master, task_launched, task, info, resources)
}

void history_task_entered(struct master_task *task)
{
    TELL(task->node->master, task_entered, task)
}

void history_task_forgotten(struct master_task *task)
{
    TELL(task->node->master, task_forgotten, task)
}

static void end_task(struct master_framework *framework, struct task_record *record,
                     Mesos__V1__TaskStatus *status)
{
    Mesos__V1__Task *task = task_record_message(record);
    status->task_id = task->task_id;
    status->agent_id = task->agent_id;
    status->executor_id = task->executor_id;
    status->has_source = status->has_timestamp = status->has_reason = true;
    status->source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_MASTER;
    status->timestamp = loop_wall(framework->master->loop);
    record->state = status->state;
    struct status_update *update = status_update_create(status);
    note_status(framework->master, framework->id, record, update);
    status_update_unref(update);
    mesos__v1__task__free_unpacked(task, NULL);
}

void history_task_ended(struct master_task *task, Mesos__V1__TaskState state,
                        Mesos__V1__TaskStatus__Reason reason, const char *message)
{
    Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
    status.state = task->state = state;
    status.reason = reason;
    status.message = (char *)(uintptr_t)message;
    end_task(task->framework, task->record, &status);
    history_task_entered(task);
}

static void leave(struct master_task *task, struct past_tasks *to)
{
    task->record->state = task->state;
    framework_past_add(to, task->record);
    task->record = NULL;
}

void history_task_removed(struct master_task *task)
{
    if (task->record != NULL)
        leave(task, &task->framework->past.completed);
}

void history_task_unreachable(struct master_task *task)
{
    leave(task, &task->framework->past.unreachable);
}

void history_task_refused(struct master *master, const Mesos__V1__TaskInfo *info,
                          Mesos__V1__TaskState state)
{
    count_end(master, state);
    TELL(master, task_refused, info, state)
}

void history_update_sent(struct master *master, const struct status_update *update)
{
    TELL(master, update_sent, update)
}

// ---- offers ----

void history_offer_made(const struct master_offer *offer)
{
    TELL(offer->framework->master, offer_made, offer)
}

void history_offer_ended(const struct master_offer *offer, enum offer_end end)
{
    TELL(offer->framework->master, offer_ended, offer, end)
}

// ---- agents ----

void history_agent_added(struct node *node)
{
    node->registered = loop_wall(node->master->loop);
    node->master->counts.agents++;
    TELL(node->master, agent_added, node)
}

void history_agent_removed(struct node *node)
{
    node->master->counts.agents_removed++;
    TELL(node->master, agent_removed, node)
}

void history_agent_missed(struct node *node)
{
    struct master_task *task;
    TAILQ_FOREACH(task, &node->absent_tasks, link)
    {
        if (agent_terminal(task->state))
            continue;
        task->state = MESOS__V1__TASK_STATE__TASK_UNREACHABLE;
        history_task_entered(task);
    }
    TELL(node->master, agent_missed, node)
}

// ---- frameworks ----

void history_framework_subscribed(struct master_framework *framework)
{
    struct framework_past *past = &framework->past;
    bool first = past->registered == 0;
    past->reregistered = loop_wall(framework->master->loop);
    TELL(framework->master, call_made, MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
    if (first) {
        past->registered = past->reregistered;
        TELL(framework->master, framework_added, framework)
    } else {
        TELL(framework->master, framework_updated, framework)
    }
}

void history_framework_updated(struct master_framework *framework)
{
    TELL(framework->master, framework_updated, framework)
}

void history_framework_killed(struct master_framework *framework)
{
    struct past_tasks *unreachable = &framework->past.unreachable;
    Mesos__V1__TaskStatus__Reason reason = MESOS__V1__TASK_STATUS__REASON__REASON_FRAMEWORK_REMOVED;
    char *message = memory_format("Framework %s removed", framework->id);
    struct master_task *task;
    TAILQ_FOREACH(task, &framework->tasks, link)
    if (!agent_terminal(task->state))
        history_task_ended(task, MESOS__V1__TASK_STATE__TASK_KILLED, reason, message);
    while (!TAILQ_EMPTY(&unreachable->list)) {
        struct task_record *record =
            framework_past_take(unreachable, TAILQ_FIRST(&unreachable->list)->id);
        Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
        status.state = MESOS__V1__TASK_STATE__TASK_KILLED;
        status.reason = reason;
        status.message = message;
        end_task(framework, record, &status);
        framework_past_add(&framework->past.completed, record);
    }
    free(message);
}

void history_framework_removed(struct master_framework *framework)
{
    TELL(framework->master, framework_removed, framework)
}

// ---- counts ----

static bool launches(const Call *call)
{
    const Mesos__V1__Scheduler__Call__Accept *accept = call->accept;
    for (size_t i = 0; accept != NULL && i < accept->n_operations; i++)
        if (accept->operations[i]->launch != NULL || accept->operations[i]->launch_group != NULL)
            return true;
    return false;
}

void history_call(struct master *master, const Call *call)
{
    if ((size_t)call->type < HISTORY_CALLS)
        master->counts.calls[call->type]++;
    if (call->type == MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT && launches(call))
        master->counts.launches++;
    TELL(master, call_made, call->type)
}
