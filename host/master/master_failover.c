// SPDX-License-Identifier: Apache-2.0
//
// The failover of the master: see master_failover.h.

#include "master/master_failover.h"
#include "agent/agent_drain.h"

#include "base/log.h"
#include "master/agent_loss.h"
#include "master/machines.h"
#include "master/master_internal.h"
#include "master/node_link.h"
#include "master/update_faults.h"

#include <stdio.h>
#include <stdlib.h>

#define REGISTRATION_PAUSE (LOOP_SECOND / 10)
#define REGISTRATION_STEPS 10 // all agents register within so many pauses

// ---- what the old master knew ----

static void remember(struct master_framework *framework)
{
    struct master *master = framework->master;
    while (!TAILQ_EMPTY(&framework->tasks))
        master_records_detach_task(TAILQ_FIRST(&framework->tasks));
    while (!TAILQ_EMPTY(&framework->operations))
        operation_records_remove(TAILQ_FIRST(&framework->operations));
    master_framework_leave(framework);
    framework->past.registered = 0; // to the new one it is new
    if (framework->absent_tasks == 0) {
        master_framework_destroy(framework);
        return;
    }
    string_map_remove(&master->framework_table, &framework->entry);
    TAILQ_REMOVE(&master->frameworks, framework, link);
    TAILQ_INSERT_TAIL(&master->remembered, framework, link);
}

static void forget_node(struct node *node, bool forget)
{
    if (node->state <= NODE_DISCONNECTED) {
        inverse_offers_forget_node(node);
        machines_leave(node);
        master_records_lose_node(node, NODE_RECOVERED);
    }
    if (forget)
        node->state = NODE_FORGOTTEN;
    node->deactivated = node->deactivated && !forget;
    node->drain.started = 0; // no registry has it
    if (forget) {
        node_drain_forget(node);
        agent_drain_end(node->agent); // or it would refuse what the new master launches
    }
    node_link_drop(node);
    timer_stop(&node->patience);
}

// Of two failovers in a row, the first one's frameworks may have lost their tasks meanwhile.
static void forget_taskless(struct master *master)
{
    for (struct master_framework *framework = TAILQ_FIRST(&master->remembered), *next;
         framework != NULL; framework = next) {
        next = TAILQ_NEXT(framework, link);
        if (framework->absent_tasks > 0)
            continue;
        past_frameworks_recall(master, framework->id);
        master_framework_destroy(framework);
    }
}

void master_failover_begin(struct master *master, bool forget)
{
    struct maintenance_schedule no_schedule = {0};
    struct node *node;
    log_info("the master %s fails over%s", master->id, forget ? ", without its registry" : "");
    master->headless = true;
    allocator_stop(master);
    timer_stop(&master->registration);
    update_faults_stop(master);
    while (!TAILQ_EMPTY(&master->frameworks))
        remember(TAILQ_FIRST(&master->frameworks));
    forget_taskless(master);
    while ((node = TAILQ_FIRST(&master->nodes)) != NULL)
        forget_node(node, forget);
    TAILQ_FOREACH(node, &master->lost, link)
    forget_node(node, forget);
    if (forget)
        maintenance_update(master, &no_schedule, NULL);
    past_frameworks_forget(master);
    master->next_framework = master->next_offer = master->next_agent_id = 0;
}

// ---- what the new one learns ----

static bool may_register(const struct node *node)
{
    return (node->state == NODE_RECOVERED || node->state == NODE_FORGOTTEN) &&
           node->messages == NODE_LINK_UP;
}

static void on_registration(void *data)
{
    struct master *master = data;
    struct error err = {0};
    size_t most = master->registering;
    for (struct node *node = TAILQ_FIRST(&master->lost), *next; node != NULL && most > 0;
         node = next) {
        next = TAILQ_NEXT(node, link);
        if (!may_register(node))
            continue;
        agent_loss_return(node, &err);
        most--;
    }
    if (most == 0)
        timer_start(&master->registration, REGISTRATION_PAUSE);
}

void master_failover_end(struct master *master, const char *id, unsigned port)
{
    struct node *node;
    size_t count = 0;
    master->headless = false;
    master->port = port;
    if (id != NULL)
        snprintf(master->id, sizeof master->id, "%s", id);
    else
        uuid_random_text(master->id);
    log_info("the master %s leads at %s:%u", master->id, master->ip, port);
    TAILQ_FOREACH(node, &master->lost, link)
    {
        if (node->state == NODE_RECOVERED)
            timer_start(&node->patience, master->agent_timeout);
        count++;
    }
    master->registering = count / REGISTRATION_STEPS + 1;
    timer_start(&master->registration, REGISTRATION_PAUSE);
    allocator_start(master);
}

// ---- life ----

void master_failover_init(struct master *master)
{
    TAILQ_INIT(&master->remembered);
    timer_init(&master->registration, master->loop, on_registration, master);
}

void master_failover_stop(struct master *master)
{
    timer_stop(&master->registration);
    for (struct master_framework *framework; (framework = TAILQ_FIRST(&master->remembered));) {
        past_frameworks_recall(master, framework->id);
        master_framework_destroy(framework);
    }
}
