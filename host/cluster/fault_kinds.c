// SPDX-License-Identifier: Apache-2.0
//
// The table of faults: what each does and what frameworks hear of it.

#include "cluster/faults_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/agent_loss.h"
#include "master/node_drain.h"
#include "master/update_faults.h"

#include <stdlib.h>
#include <string.h>

#define ACTION(function)                                                                           \
    static bool function(struct faults *faults, const struct fault_request *fault,                 \
                         const struct fault_object *object, struct error *err)

// ---- agents ----

ACTION(on_kill)
{
    (void)faults, (void)fault, (void)err;
    agent_loss_kill(object->node);
    return true;
}

ACTION(on_silence)
{
    (void)faults, (void)fault, (void)err;
    agent_loss_silence(object->node);
    return true;
}

ACTION(on_remove)
{
    (void)fault;
    lasting_faults_forget(faults, object->id);
    return agent_loss_remove(object->node, "the agent unregistered", err);
}

ACTION(on_gone)
{
    (void)fault, (void)err;
    agent_loss_mark_gone(object->node);
    lasting_faults_forget(faults, object->id);
    return true;
}

ACTION(on_heal)
{
    (void)fault;
    lasting_faults_forget(faults, object->id);
    return agent_loss_return(object->node, err);
}

static void on_healed(struct faults *faults, const struct fault_object *object)
{
    struct error err = {0};
    (void)faults;
    if (!agent_loss_return(object->node, &err))
        log_debug("%s", err.text);
}

ACTION(on_drain)
{
    (void)faults, (void)err;
    int64_t grace = fault->grace < 0 ? -1 : (int64_t)loop_seconds(fault->grace);
    node_drain_start(object->node, grace, false);
    return true;
}

ACTION(on_activate)
{
    (void)fault, (void)err;
    lasting_faults_forget(faults, object->id);
    node_drain_activate(object->node);
    return true;
}

static void on_activated(struct faults *faults, const struct fault_object *object)
{
    (void)faults;
    node_drain_activate(object->node);
}

ACTION(on_add)
{
    (void)object;
    return faults->cluster.add_agent(faults->cluster.data, fault->text, err);
}

ACTION(on_rescind)
{
    (void)faults, (void)fault, (void)err;
    while (!TAILQ_EMPTY(&object->node->offers))
        master_records_rescind_offer(TAILQ_FIRST(&object->node->offers));
    return true;
}

// ---- executors ----

struct executor_name {
    char *framework_id, *executor_id;
};

// The executors of an agent, or those that have the wanted id.
struct executor_names {
    const char *wanted; // NULL: any
    struct executor_name *items;
    size_t count;
};

static void note_executor(void *data, const char *framework_id, const Mesos__V1__ExecutorInfo *info)
{
    struct executor_names *names = data;
    const char *id = info->executor_id->value;
    if (names->wanted != NULL && strcmp(names->wanted, id) != 0)
        return;
    names->items = memory_resize(names->items, (names->count + 1) * sizeof *names->items);
    names->items[names->count++] = (struct executor_name){
        .framework_id = memory_string(framework_id), .executor_id = memory_string(id)};
}

// They are noted first, since one that ends leaves the agent's list.
ACTION(on_lose_executor)
{
    struct executor_names names = {.wanted = fault->text};
    struct agent *agent = object->node->agent;
    bool all = strcmp(fault->target, "all") == 0;
    (void)faults;
    agent_each_executor(agent, note_executor, &names);
    for (size_t i = 0; i < names.count; i++) {
        agent_destroy_executor(agent, names.items[i].framework_id, names.items[i].executor_id);
        free(names.items[i].framework_id);
        free(names.items[i].executor_id);
    }
    free(names.items);
    return names.count > 0 || all ||
           error_set(err, ERROR_REFUSED, "agent %s runs no executor %s%s", object->id,
                     fault->text ? fault->text : "of a framework",
                     fault->text ? "" : " (commands have none of their own)");
}

// ---- the master ----

ACTION(on_failover)
{
    (void)object;
    return faults->cluster.fail_over(faults->cluster.data, fault->forget, fault->duration, err);
}

// ---- streams and calls ----

static bool check_stream(bool found, const struct fault_object *object, struct error *err)
{
    return found || error_set(err, ERROR_REFUSED, "framework %s is not subscribed at the moment",
                              object->id);
}

ACTION(on_cut)
{
    (void)fault;
    const struct faults_cluster *cluster = &faults->cluster;
    return check_stream(cluster->cut(cluster->data, object->framework->stream_id), object, err);
}

static bool stall(struct faults *faults, const struct fault_object *object, bool stalled)
{
    const struct faults_cluster *cluster = &faults->cluster;
    return cluster->stall(cluster->data, object->framework->stream_id, stalled);
}

ACTION(on_stall)
{
    (void)fault;
    return check_stream(stall(faults, object, true), object, err);
}

ACTION(on_resume)
{
    (void)fault;
    lasting_faults_forget(faults, object->id);
    return check_stream(stall(faults, object, false), object, err);
}

static void on_resumed(struct faults *faults, const struct fault_object *object)
{
    stall(faults, object, false);
}

ACTION(on_refuse)
{
    (void)object, (void)err;
    faults->cluster.refuse(faults->cluster.data, (int)fault->value, fault->times);
    return true;
}

// ---- updates, and everything ----

ACTION(on_delay)
{
    (void)object, (void)err;
    update_faults_delay(faults->cluster.master, loop_seconds(fault->value));
    return true;
}

static void on_delayed(struct faults *faults, const struct fault_object *object)
{
    (void)object;
    update_faults_delay(faults->cluster.master, 0);
}

ACTION(on_double)
{
    (void)object, (void)err;
    update_faults_double(faults->cluster.master, fault->times);
    return true;
}

ACTION(on_drop)
{
    (void)object, (void)err;
    update_faults_drop(faults->cluster.master, fault->times);
    return true;
}

static void set_delay(struct faults *faults, uint64_t delay)
{
    faults->cluster.slow(faults->cluster.data, delay);
    faults->cluster.master->message_delay = delay;
}

ACTION(on_slow)
{
    (void)object, (void)err;
    set_delay(faults, loop_seconds(fault->value));
    return true;
}

static void on_slowed(struct faults *faults, const struct fault_object *object)
{
    (void)object;
    set_delay(faults, 0);
}

// ---- the table ----

#define UNREACHABLE                                                                                \
    "after the time-out its tasks are TASK_UNREACHABLE, or TASK_LOST without PARTITION_AWARE "     \
    "(REASON_AGENT_REMOVED, health check timed out)"
#define DISCONNECTED                                                                               \
    "tasks of frameworks without checkpoint are TASK_LOST "                                        \
    "(REASON_AGENT_DISCONNECTED); " UNREACHABLE

const struct fault_kind fault_kinds[] = {
    {"kill", "AGENT [for T]", "its process dies; tasks of frameworks that checkpoint live on",
     DISCONNECTED, FAULT_OF_AGENT, FAULT_NO_VALUE, FAULT_FOR, 0, on_kill, on_healed},
    {"restart", "AGENT [for T]", "the same, and it is back after T (1s)", DISCONNECTED,
     FAULT_OF_AGENT, FAULT_NO_VALUE, FAULT_FOR, 1, on_kill, on_healed},
    {"freeze", "AGENT [for T]", "it does not answer any more; its tasks go on", UNREACHABLE,
     FAULT_OF_AGENT, FAULT_NO_VALUE, FAULT_FOR, 0, on_silence, on_healed},
    {"partition", "AGENT [for T]", "no message reaches it or comes from it; its tasks go on",
     UNREACHABLE, FAULT_OF_AGENT, FAULT_NO_VALUE, FAULT_FOR, 0, on_silence, on_healed},
    {"heal", "AGENT", "it answers again, and registers if it must",
     "tasks of an agent that was unreachable are TASK_RUNNING (REASON_AGENT_REREGISTERED)",
     FAULT_OF_AGENT, FAULT_NO_VALUE, FAULT_OF_LOST, 0, on_heal, NULL},
    {"remove", "AGENT", "it unregisters, and its tasks end",
     "tasks are TASK_LOST (REASON_AGENT_REMOVED, the agent unregistered)", FAULT_OF_AGENT,
     FAULT_NO_VALUE, 0, 0, on_remove, NULL},
    {"gone", "AGENT", "it is marked gone, and its tasks end",
     "tasks are TASK_GONE_BY_OPERATOR, or TASK_LOST without PARTITION_AWARE "
     "(REASON_AGENT_REMOVED_BY_OPERATOR)",
     FAULT_OF_AGENT, FAULT_NO_VALUE, 0, 0, on_gone, NULL},
    {"drain", "AGENT [grace T] [for T]", "its tasks are killed, and nothing of it is offered",
     "tasks are TASK_KILLED (REASON_AGENT_DRAINING)", FAULT_OF_AGENT, FAULT_NO_VALUE,
     FAULT_FOR | FAULT_GRACE, 0, on_drain, on_activated},
    {"activate", "AGENT", "it is offered again", "offers", FAULT_OF_AGENT, FAULT_NO_VALUE, 0, 0,
     on_activate, NULL},
    {"add", "[TEXT]", "one more agent, as --agent describes it, or like the first", "offers",
     FAULT_OF_CLUSTER, FAULT_TEXT, 0, 0, on_add, NULL},
    {"rescind", "AGENT", "its offers are taken back", "RESCIND", FAULT_OF_AGENT, FAULT_NO_VALUE, 0,
     0, on_rescind, NULL},
    {"lose-executor", "AGENT [EXECUTOR]", "its executors, or the one of that id, are killed",
     "FAILURE of the executor, and its tasks are TASK_FAILED (REASON_EXECUTOR_TERMINATED)",
     FAULT_OF_AGENT, FAULT_TEXT, 0, 0, on_lose_executor, NULL},
    {"failover", "[for T] [--forget]",
     "another master takes over after T (1s), with the registry of agents or without",
     "streams break, requests are answered with 503, then SUBSCRIBED, and offers of agents that "
     "have registered",
     FAULT_OF_CLUSTER, FAULT_NO_VALUE, FAULT_FOR | FAULT_FORGET, 1, on_failover, NULL},
    {"cut", "FRAMEWORK", "its stream breaks", "the stream ends without a last chunk",
     FAULT_OF_FRAMEWORK, FAULT_NO_VALUE, 0, 0, on_cut, NULL},
    {"stall", "FRAMEWORK [for T]", "its stream brings nothing, not even heartbeats",
     "nothing; what was sent meanwhile comes afterwards", FAULT_OF_FRAMEWORK, FAULT_NO_VALUE,
     FAULT_FOR, 0, on_stall, on_resumed},
    {"resume", "FRAMEWORK", "it goes on", "what was sent meanwhile", FAULT_OF_FRAMEWORK,
     FAULT_NO_VALUE, 0, 0, on_resume, NULL},
    {"refuse", "STATUS [times N]", "the next N calls (1) are answered with it, not carried out",
     "the status", FAULT_OF_CLUSTER, FAULT_STATUS, FAULT_TIMES, 0, on_refuse, NULL},
    {"delay-updates", "T [for T]", "updates of tasks come later by T", "updates, later",
     FAULT_OF_CLUSTER, FAULT_TIME, FAULT_FOR, 0, on_delay, on_delayed},
    {"double-updates", "[times N]", "the next N updates (1) come twice",
     "each update twice, with one uuid", FAULT_OF_CLUSTER, FAULT_NO_VALUE, FAULT_TIMES, 0,
     on_double, NULL},
    {"drop-updates", "[times N]", "the next N updates (1) do not come; agents send them again",
     "updates 10 seconds later", FAULT_OF_CLUSTER, FAULT_NO_VALUE, FAULT_TIMES, 0, on_drop, NULL},
    {"slow", "T [for T]", "requests, events, and messages to agents take T longer",
     "answers and events, later", FAULT_OF_CLUSTER, FAULT_TIME, FAULT_FOR, 0, on_slow, on_slowed},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL},
};
