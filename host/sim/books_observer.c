// SPDX-License-Identifier: Apache-2.0
//
// What the master tells the books.

#include "sim/books_internal.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

uint64_t books_now(struct books *books)
{
    uint64_t now = loop_now(books->loop);
    series_reach(&books->series, now);
    return now;
}

// ---- tasks ----

static void on_task_launched(void *data, struct master_task *task, const Mesos__V1__TaskInfo *info,
                             const struct resources *resources)
{
    books_tasks_launched(data, task, info, resources);
}

static void on_task_refused(void *data, const Mesos__V1__TaskInfo *info, Mesos__V1__TaskState state)
{
    books_tasks_refused(data, info, state);
}

static void on_task_entered(void *data, struct master_task *task)
{
    books_tasks_entered(data, task);
}

static void on_task_forgotten(void *data, struct master_task *task)
{
    books_tasks_forgotten(data, task);
}

// ---- offers ----

static void change_offered(struct books *books, const struct master_offer *offer, int sign,
                           uint64_t now)
{
    struct scalars amounts = scalars_of(&offer->resources);
    for (int i = 0; i < SCALARS; i++)
        if (amounts.amount[i] != 0)
            series_change(&books->offered[i], now, sign * amounts.amount[i]);
}

static void on_offer_made(void *data, const struct master_offer *offer)
{
    struct books *books = data;
    uint64_t now = books_now(books);
    books->made++;
    series_count(&books->offers, 1);
    change_offered(books, offer, 1, now);
}

static void on_offer_ended(void *data, const struct master_offer *offer, enum offer_end end)
{
    struct books *books = data;
    uint64_t now = books_now(books);
    if (offer->made < books->start)
        return; // it was not counted
    books->by_end[end]++;
    quantiles_add(&books->held, now - offer->made);
    change_offered(books, offer, -1, now);
}

// ---- calls and updates ----

static void on_call_made(void *data, Mesos__V1__Scheduler__Call__Type type)
{
    struct books *books = data;
    books_now(books);
    books->call_count++;
    series_count(&books->call_column, 1);
    if ((size_t)type < BOOKS_CALLS)
        books->calls[type]++;
}

static void on_update_sent(void *data, const struct status_update *update)
{
    struct books *books = data;
    (void)update;
    books->updates++;
}

// ---- agents ----

// By its host name; where it has none of its own, by its number.
char *books_observer_label(const struct node *node)
{
    const char *hostname = node->hostname;
    bool own = hostname != NULL && strcmp(hostname, node->master->hostname) != 0;
    return own ? memory_string(hostname) : memory_format("agent %u", node->number);
}

static void on_agent_added(void *data, const struct node *node)
{
    struct books *books = data;
    uint64_t now = books_now(books);
    struct scalars total = scalars_of(&node->total);
    char *label = books_observer_label(node);
    agent_use_add(&books->agents, node->number, label, &total, now);
    role_use_set_total(&books->roles, books->agents.total, now);
    free(label);
}

static void on_agent_gone(void *data, const struct node *node)
{
    struct books *books = data;
    uint64_t now = books_now(books);
    agent_use_remove(&books->agents, node->number, now);
    role_use_set_total(&books->roles, books->agents.total, now);
}

void books_observer_start(struct books *books, struct master *master)
{
    static const struct observer_events events = {
        .agent_added = on_agent_added,
        .agent_removed = on_agent_gone,
        .agent_missed = on_agent_gone,
        .task_launched = on_task_launched,
        .task_refused = on_task_refused,
        .task_entered = on_task_entered,
        .task_forgotten = on_task_forgotten,
        .offer_made = on_offer_made,
        .offer_ended = on_offer_ended,
        .call_made = on_call_made,
        .update_sent = on_update_sent,
    };
    const struct node *node;
    books->observer = (struct observer){.events = &events, .data = books};
    TAILQ_FOREACH(node, &master->nodes, link)
    on_agent_added(books, node);
    history_observe(master, &books->observer);
}
