// SPDX-License-Identifier: Apache-2.0
//
// Inverse offers: they ask a framework to leave an agent that will be away (maintenance.h). A
// framework has at most one for each agent that it uses or has offers of; when it has answered, the
// next one follows after the time that its answer names, 5 seconds if it names none. The last
// answer of each framework can be read until the plan for the agent changes.

#ifndef MESOS_LUA_MASTER_INVERSE_OFFERS_H
#define MESOS_LUA_MASTER_INVERSE_OFFERS_H

#include "base/string_map.h"
#include "loop/loop.h"

#include "mesos/v1/mesos.pb-c.h"

#include <sys/queue.h>

struct master;
struct master_framework;
struct node;

enum inverse_answer { INVERSE_UNANSWERED, INVERSE_ACCEPTED, INVERSE_DECLINED };

// What a framework is asked about one agent, and what it has said.
struct evacuation {
    struct string_map_entry by_pair, by_id;
    TAILQ_ENTRY(evacuation) link, of_node;
    struct master_framework *framework; // NULL: it is gone, its answer stays
    struct node *node;
    char *framework_id;
    char *pair; // of both ids
    char *id;   // of the inverse offer that waits for an answer; NULL: none does
    enum inverse_answer answer;
    double answered;         // seconds since the Unix epoch
    uint64_t filtered_until; // loop_now(): no inverse offer before
    struct timer timeout;
};

struct inverse_offers {
    struct string_map pairs, ids;
    TAILQ_HEAD(evacuations, evacuation) all;
    size_t abandoned; // those of frameworks that are gone
};

void inverse_offers_init(struct inverse_offers *offers);
void inverse_offers_free(struct inverse_offers *offers);

// Sends what is due. To be called after each round of the allocator.
void inverse_offers_send(struct master *master);

// Takes an answer to inverse offers; NULL filters are the usual ones.
void inverse_offers_answer(struct master_framework *framework, enum inverse_answer answer,
                           Mesos__V1__OfferID **ids, size_t count,
                           const Mesos__V1__Filters *filters);

// REVIVE: the framework may be asked again at once.
void inverse_offers_clear_filters(struct master_framework *framework);

void inverse_offers_disconnected(struct master_framework *framework); // its inverse offers are void
void inverse_offers_forget_framework(struct master_framework *framework);
void inverse_offers_forget_node(struct node *node); // rescinds what is open

#endif
