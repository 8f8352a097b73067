// SPDX-License-Identifier: Apache-2.0
//
// The books of inverse offers; see the header. As with a real allocator, it is the framework that
// is asked, whatever its roles, and any master's answer counts for the framework that was asked.

#include "master/inverse_offers.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/machines.h"
#include "master/master_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ABANDONED_MOST = 1000 }; // answers of frameworks that are gone

// ---- evacuations ----

static char *pair_of(const struct master_framework *framework, const struct node *node)
{
    return memory_format("%s/%s", node->id, framework->id);
}

// The inverse offer ends, in whatever way.
static void close_offer(struct inverse_offers *offers, struct evacuation *evacuation)
{
    timer_stop(&evacuation->timeout);
    if (evacuation->id == NULL)
        return;
    string_map_remove(&offers->ids, &evacuation->by_id);
    free(evacuation->id);
    evacuation->id = NULL;
}

static void rescind(struct inverse_offers *offers, struct evacuation *evacuation)
{
    if (evacuation->id != NULL)
        master_events_send_inverse_rescind(evacuation->framework, evacuation->id);
    close_offer(offers, evacuation);
}

static void on_timeout(void *data)
{
    struct evacuation *evacuation = data;
    log_debug("inverse offer %s of framework %s was not answered in time", evacuation->id,
              evacuation->framework_id);
    rescind(&evacuation->node->master->inverse_offers, evacuation);
}

static struct evacuation *obtain(struct master_framework *framework, struct node *node)
{
    struct inverse_offers *offers = &framework->master->inverse_offers;
    char *pair = pair_of(framework, node);
    struct evacuation *evacuation = string_map_find(&offers->pairs, pair);
    if (evacuation != NULL) {
        offers->abandoned -= evacuation->framework == NULL;
        evacuation->framework = framework; // which may have come back with its id
        free(pair);
        return evacuation;
    }
    evacuation = memory_new(sizeof *evacuation);
    evacuation->framework = framework;
    evacuation->framework_id = memory_string(framework->id);
    evacuation->node = node;
    evacuation->pair = pair;
    timer_init(&evacuation->timeout, framework->master->loop, on_timeout, evacuation);
    string_map_put(&offers->pairs, &evacuation->by_pair, pair, evacuation);
    TAILQ_INSERT_TAIL(&offers->all, evacuation, link);
    TAILQ_INSERT_TAIL(&node->evacuations, evacuation, of_node);
    return evacuation;
}

static void destroy(struct inverse_offers *offers, struct evacuation *evacuation)
{
    close_offer(offers, evacuation);
    offers->abandoned -= evacuation->framework == NULL;
    string_map_remove(&offers->pairs, &evacuation->by_pair);
    TAILQ_REMOVE(&offers->all, evacuation, link);
    TAILQ_REMOVE(&evacuation->node->evacuations, evacuation, of_node);
    free(evacuation->framework_id);
    free(evacuation->pair);
    free(evacuation);
}

// ---- sending ----

// The evacuations that a framework is asked about in one event.
struct questions {
    struct evacuation **items;
    size_t count;
};

static void open_offer(struct evacuation *evacuation)
{
    struct master *master = evacuation->node->master;
    evacuation->id = memory_format("%s-O%" PRIu64, master->id, master->next_offer++);
    string_map_put(&master->inverse_offers.ids, &evacuation->by_id, evacuation->id, evacuation);
    if (master->offer_timeout > 0)
        timer_start(&evacuation->timeout, master->offer_timeout);
}

static void ask(struct questions *questions, struct master_framework *framework, struct node *node)
{
    if (machines_plan(node) == NULL)
        return;
    struct evacuation *evacuation = obtain(framework, node);
    if (evacuation->id != NULL || evacuation->filtered_until > loop_now(node->master->loop))
        return;
    open_offer(evacuation);
    questions->items =
        memory_resize(questions->items, (questions->count + 1) * sizeof *questions->items);
    questions->items[questions->count++] = evacuation;
}

// About the agents that it would lose something on.
static void ask_framework(struct master_framework *framework)
{
    struct questions questions = {NULL, 0};
    struct master_offer *offer;
    struct master_task *task;
    TAILQ_FOREACH(offer, &framework->offers, of_framework)
    ask(&questions, framework, offer->node);
    TAILQ_FOREACH(task, &framework->tasks, link)
    if (task->holds)
        ask(&questions, framework, task->node);
    if (questions.count > 0)
        master_events_send_inverse_offers(framework, questions.items, questions.count);
    free(questions.items);
}

void inverse_offers_send(struct master *master)
{
    struct master_framework *framework;
    if (master->maintenance.scheduled == 0)
        return;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    if (framework->connected)
        ask_framework(framework);
}

// ---- answers ----

void inverse_offers_answer(struct master_framework *framework, enum inverse_answer answer,
                           Mesos__V1__OfferID **ids, size_t count,
                           const Mesos__V1__Filters *filters)
{
    struct master *master = framework->master;
    for (size_t i = 0; i < count; i++) {
        struct evacuation *evacuation = string_map_find(&master->inverse_offers.ids, ids[i]->value);
        if (evacuation == NULL) {
            log_debug("framework %s answers inverse offer %s, which is no longer valid",
                      framework->id, ids[i]->value);
            continue;
        }
        uint64_t until = loop_now(master->loop) + loop_seconds(offer_filters_seconds(filters));
        if (until > evacuation->filtered_until)
            evacuation->filtered_until = until;
        evacuation->answer = answer;
        evacuation->answered = loop_wall(master->loop);
        close_offer(&master->inverse_offers, evacuation);
    }
}

void inverse_offers_clear_filters(struct master_framework *framework)
{
    struct evacuation *evacuation;
    TAILQ_FOREACH(evacuation, &framework->master->inverse_offers.all, link)
    if (evacuation->framework == framework)
        evacuation->filtered_until = 0;
}

// ---- frameworks and agents that go ----

void inverse_offers_disconnected(struct master_framework *framework)
{
    struct inverse_offers *offers = &framework->master->inverse_offers;
    struct evacuation *evacuation;
    TAILQ_FOREACH(evacuation, &offers->all, link)
    {
        if (evacuation->framework == framework)
            close_offer(offers, evacuation);
    }
    inverse_offers_clear_filters(framework);
}

// It keeps the answer, for the operator, but not more than so many.
static void abandon(struct inverse_offers *offers, struct evacuation *evacuation)
{
    if (evacuation->answer == INVERSE_UNANSWERED || offers->abandoned >= ABANDONED_MOST) {
        destroy(offers, evacuation);
        return;
    }
    close_offer(offers, evacuation);
    evacuation->framework = NULL;
    offers->abandoned++;
}

void inverse_offers_forget_framework(struct master_framework *framework)
{
    struct inverse_offers *offers = &framework->master->inverse_offers;
    for (struct evacuation *evacuation = TAILQ_FIRST(&offers->all), *next; evacuation != NULL;
         evacuation = next) {
        next = TAILQ_NEXT(evacuation, link);
        if (evacuation->framework == framework)
            abandon(offers, evacuation);
    }
}

void inverse_offers_forget_node(struct node *node)
{
    struct inverse_offers *offers = &node->master->inverse_offers;
    while (!TAILQ_EMPTY(&node->evacuations)) {
        struct evacuation *evacuation = TAILQ_FIRST(&node->evacuations);
        rescind(offers, evacuation);
        destroy(offers, evacuation);
    }
}

// ---- life ----

void inverse_offers_init(struct inverse_offers *offers)
{
    TAILQ_INIT(&offers->all);
}

void inverse_offers_free(struct inverse_offers *offers)
{
    while (!TAILQ_EMPTY(&offers->all))
        destroy(offers, TAILQ_FIRST(&offers->all));
    string_map_free(&offers->pairs);
    string_map_free(&offers->ids);
}
