// SPDX-License-Identifier: Apache-2.0
//
// The tasks of a framework, as far as the driver knows them: from the launches it sent and the
// updates it received, answers to reconciliation included. The registry outlives masters and
// versions of the script, and ends with the framework.
//
// Updates count in the order of their arrival, each once: one that comes again, with the same uuid,
// changes nothing. An end that the task itself reported (finished, failed, killed) is final. What a
// master reports of a task that it cannot see (lost, unreachable, gone, unknown), or did not
// launch, a later update may change.
//
// A task is active until an update says that it has ended, or that the master does not know it
// (TASK_UNKNOWN). In a state that this version of Mesos's protocol does not have it is active.
//
// A launch under the id of an active task is refused by the master, with a TASK_ERROR under that
// id, which the registry does not take for the end of the task that runs: see tasks_update(). Of
// the tasks that ended the last TASKS_ENDED_MOST are remembered. At the cap of `most` tasks a new
// one replaces the one that ended first; if none has ended, the new one is left out, which is
// counted, and logged once.

#ifndef MESOS_LUA_TASKS_TASKS_H
#define MESOS_LUA_TASKS_TASKS_H

#include "base/buffer.h"
#include "loop/loop.h"
#include "tasks/task_status.h"

#include "mesos/v1/mesos.pb-c.h"

enum {
    TASK_STATES = 14,               // those that Mesos has
    TASK_STATE_OTHER = TASK_STATES, // the slot of all others
    TASK_SLOTS,
};

enum {
    TASKS_MOST = 1000000, // known at the same time, by default
    TASKS_ENDED_MOST = 4096,
    TASK_TEXT_MOST = 1024, // bytes of an id; names are cut. Mesos takes no id above 255
};

// The slot in which a state is counted: its own, or that of the others.
static inline unsigned task_slot(int32_t state)
{
    return state >= 0 && state < TASK_STATES ? (unsigned)state : TASK_STATE_OTHER;
}

#define TASK_STATE_BIT(slot) (1u << (slot))
#define TASK_STATES_ALL (TASK_STATE_BIT(TASK_SLOTS) - 1)
extern const uint32_t task_states_ended; // one bit each; all others are active

#define TASK_NO_REASON INT32_MIN

// What is known of a task; its texts: task_id() and the functions below it. Read only, and valid
// until the registry changes.
struct task {
    struct task_text *text;
    struct task_executor *executor; // NULL: not known, or the same as the task's
    double launched;                // seconds since the Unix epoch; 0: not by this driver
    double updated;                 // the timestamp of the last update, or when it came; 0: none
    struct {
        uint32_t next, previous;
    } links[2];               // in the list of its state, in the list of its agent
    uint32_t agent;           // HASH_INDEX_NONE: not known
    uint32_t hash;            // of the id
    uint32_t uuid;            // of the last update, a hash; 0: it had none
    int32_t state;            // a TaskState, or a number that is none of those known here
    int32_t reason;           // likewise a TaskStatus.Reason, or TASK_NO_REASON
    uint32_t generation : 22; // of the place, see struct task_handle
    uint32_t relaunches : 4;  // launches while it was active that have no answer yet
    bool used : 1;
    bool heard : 1;        // an update came, or will come from the driver itself
    bool killing : 1;      // a KILL was sent
    bool health_known : 1; // an update has reported it
    bool healthy : 1;
    bool own_executor : 1; // its id is the task's
};

struct tasks;

struct tasks *tasks_create(struct loop *loop, size_t most); // 0: TASKS_MOST
void tasks_destroy(struct tasks *tasks);
void tasks_clear(struct tasks *tasks); // the framework was removed

// ---- launches, updates and kills ----

// The tasks of a Call.Accept, which are TASK_STAGING from now on. `sent`: to a master; otherwise
// the driver makes an update for each. A task that is active does not change: no master launches
// its id again, and the refusal will come. Returns how many tasks the call has.
size_t tasks_launch(struct tasks *tasks, struct slice accept, bool sent);

// How many launches there were of tasks that were active.
uint64_t tasks_relaunched(const struct tasks *tasks);

// Calls `each` with those tasks of a Call.Accept that were launched again and have no answer yet.
void tasks_each_relaunched(const struct tasks *tasks, struct slice accept,
                           void (*each)(void *data, const struct task *task), void *data);

// A TaskStatus that is about to be delivered to the framework. If the task was launched again while
// it was active, a status that refuses a launch answers the later launch and changes nothing: it is
// TASK_ERROR, TASK_LOST or TASK_DROPPED, has no uuid, and a reason that only launches get
// (REASON_TASK_INVALID, REASON_TASK_UNAUTHORIZED, the same two of a group, REASON_INVALID_OFFERS,
// REASON_MASTER_DISCONNECTED).
// False if it repeats what was known: the same uuid, or without one the same state.
bool tasks_update(struct tasks *tasks, const struct task_status *status);

// A Call.Kill that was sent.
void tasks_kill(struct tasks *tasks, struct slice kill);

// ---- what is known ----

const struct task *tasks_find(const struct tasks *tasks, struct slice id); // NULL: not known

static inline bool task_is_active(const struct task *task)
{
    return (TASK_STATE_BIT(task_slot(task->state)) & task_states_ended) == 0;
}

struct slice task_id(const struct task *task);
struct slice task_name(const struct task *task);        // empty: not launched by this driver
struct slice task_executor_id(const struct task *task); // empty: not known
struct slice task_agent_id(const struct tasks *tasks, const struct task *task); // likewise

size_t tasks_in_slot(const struct tasks *tasks, unsigned slot);
uint64_t tasks_left_out(const struct tasks *tasks); // for lack of room

enum { TASK_OTHERS_MOST = 16 };

struct task_filter {
    uint32_t states;                  // one bit for each slot
    int32_t others[TASK_OTHERS_MOST]; // with the bit of TASK_STATE_OTHER: only these; none: all
    size_t other_count;
    struct slice agent_id; // data NULL: any
    bool uncertain;        // only those whose launch or kill may not have reached a master
};

bool tasks_match(const struct tasks *tasks, const struct task *task,
                 const struct task_filter *filter);

// How many match: in constant time without an agent, else linear in that agent's tasks.
size_t tasks_count(const struct tasks *tasks, const struct task_filter *filter);

// A reference to a task that may have been dropped meanwhile.
struct task_handle {
    uint32_t place, generation;
};

// The tasks that match, those of one state in the order in which they entered it; free() the list.
// Tasks in other states are not visited, but for those that ended.
struct task_handle *tasks_select(const struct tasks *tasks, const struct task_filter *filter,
                                 size_t *count);

const struct task *tasks_at(const struct tasks *tasks, struct task_handle handle); // or NULL

// Appends a Call.Reconcile that names those that match. Returns how many; with none the call
// would ask for all tasks. Tasks beyond the cap of `call` are left out.
size_t tasks_reconcile(const struct tasks *tasks, const struct task_filter *filter,
                       struct buffer *call);

#endif
