// SPDX-License-Identifier: Apache-2.0
//
// Why a framework is offered what is free, or gets no offers. The allocator acts on the same answer
// that the log and the cluster's status show. In each round the allocator counts the agents by
// obstacle; what other frameworks hold is known from their offers.

#include "master/master_internal.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The least that is worth an offer, unless the framework's offer_filters say otherwise.
#define SMALLEST_CPUS 0.01
#define SMALLEST_MEM 32.0

#define HELD_LONG (10 * LOOP_SECOND)
#define LOG_AGAIN (60 * LOOP_SECOND)

typedef Mesos__V1__OfferFilters__MinAllocatableResources Least;
typedef Mesos__V1__OfferFilters__ResourceQuantities Quantities;

// ---- obstacles to an offer ----

static const Least *least_of(const struct master_framework *framework, const char *role)
{
    const Mesos__V1__FrameworkInfo *info = framework->info;
    for (size_t i = 0; i < info->n_offer_filters; i++)
        if (info->offer_filters[i]->key != NULL && info->offer_filters[i]->value != NULL &&
            strcmp(info->offer_filters[i]->key, role) == 0)
            return info->offer_filters[i]->value->min_allocatable_resources;
    return NULL;
}

static bool holds_all(const struct resources *resources, const Quantities *quantities)
{
    for (size_t i = 0; i < quantities->n_quantities; i++) {
        const char *name = quantities->quantities[i]->key;
        const Mesos__V1__Value__Scalar *value = quantities->quantities[i]->value;
        if (value != NULL && resources_quantity(resources, name ? name : "") < value->value)
            return false;
    }
    return true;
}

// One of the alternatives is enough, and an empty list asks for nothing.
static bool holds_least(const struct resources *resources, const Least *least)
{
    for (size_t i = 0; i < least->n_quantities; i++)
        if (holds_all(resources, least->quantities[i]))
            return true;
    return least->n_quantities == 0;
}

static bool worth_an_offer(const struct resources *resources)
{
    return resources_scalar(resources, "cpus") >= SMALLEST_CPUS ||
           resources_scalar(resources, "mem") >= SMALLEST_MEM;
}

static enum obstacle why_small(const struct node *node, const struct resources *resources,
                               const Least *least)
{
    if (!worth_an_offer(&node->free))
        return OBSTACLE_NOTHING_FREE;
    return least == NULL || !worth_an_offer(resources) ? OBSTACLE_RESERVED : OBSTACLE_SMALL;
}

enum obstacle offer_obstacles_find(struct master_framework *framework, const struct role *role,
                                   const struct node *node, const struct resources *resources)
{
    const Least *least = least_of(framework, role->name);
    if (resources->count == 0 ||
        !(least ? holds_least(resources, least) : worth_an_offer(resources)))
        return why_small(node, resources, least);
    if (node->gpus && !framework->gpus)
        return OBSTACLE_GPUS;
    if (!constraints_hold(framework->constraints, role->name, node))
        return OBSTACLE_CONSTRAINTS;
    if (offer_filters_cover(framework, node, role->name, resources))
        return OBSTACLE_FILTERED;
    return OBSTACLE_NONE;
}

// ---- a framework without offers ----

enum reason {
    REASON_UNKNOWN, // everything is in use, or offers are short-lived
    REASON_NO_ROLES,
    REASON_SUPPRESSED,
    REASON_GPUS,
    REASON_CONSTRAINTS,
    REASON_SMALL,
    REASON_RESERVED,
    REASON_FILTERED,
    REASON_HELD,
};

// The other framework that holds the oldest offer, and how many offers it holds.
struct agent_holding {
    const struct master_framework *holder;
    size_t offers;
    uint64_t age;
};

struct starvation {
    enum reason reason;
    size_t agents; // that have something free, or are held
    struct agent_holding held;
};

static size_t agents_with(const struct master_framework *framework, enum obstacle obstacle)
{
    size_t most = 0;
    for (size_t i = 0; i < framework->role_count; i++)
        if (framework->roles[i].agents[obstacle] > most)
            most = framework->roles[i].agents[obstacle];
    return most;
}

static bool all_suppressed(const struct master_framework *framework)
{
    for (size_t i = 0; i < framework->role_count; i++)
        if (!framework->roles[i].suppressed)
            return false;
    return framework->role_count > 0;
}

static struct agent_holding find_holding(const struct master_framework *framework)
{
    const struct master *master = framework->master;
    struct agent_holding found = {.holder = NULL};
    const struct master_framework *other;
    const struct master_offer *offer;
    TAILQ_FOREACH(other, &master->frameworks, link)
    {
        const struct master_offer *oldest = TAILQ_FIRST(&other->offers);
        uint64_t age = oldest ? loop_now(master->loop) - oldest->made : 0;
        if (other == framework || age < HELD_LONG || age <= found.age)
            continue;
        found = (struct agent_holding){.holder = other, .age = age};
        TAILQ_FOREACH(offer, &other->offers, of_framework)
        found.offers++;
    }
    return found;
}

// The rows stand in the order in which a reason is chosen if several apply.
static struct starvation find_starvation(const struct master_framework *framework)
{
    static const struct {
        enum obstacle obstacle;
        enum reason reason;
    } rows[] = {{OBSTACLE_FILTERED, REASON_FILTERED},
                {OBSTACLE_GPUS, REASON_GPUS},
                {OBSTACLE_CONSTRAINTS, REASON_CONSTRAINTS},
                {OBSTACLE_SMALL, REASON_SMALL},
                {OBSTACLE_RESERVED, REASON_RESERVED}};
    if (framework->role_count == 0)
        return (struct starvation){.reason = REASON_NO_ROLES};
    if (all_suppressed(framework))
        return (struct starvation){.reason = REASON_SUPPRESSED};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t agents = agents_with(framework, rows[i].obstacle);
        if (agents > 0)
            return (struct starvation){.reason = rows[i].reason, .agents = agents};
    }
    struct starvation starvation = {.held = find_holding(framework)};
    starvation.reason = starvation.held.holder ? REASON_HELD : REASON_UNKNOWN;
    return starvation;
}

// ---- as text ----

// "3 agents that have something free" with the verb in the right number.
static char *about_agents(size_t agents, const char *one, const char *several)
{
    return memory_format("%zu agent%s with free resources %s", agents, agents == 1 ? "" : "s",
                         agents == 1 ? one : several);
}

static char *about_holding(const struct agent_holding *held)
{
    return memory_format("framework '%.100s' (%s) holds %zu offer%s without an answer, the oldest "
                         "for %.0f s; --offer-timeout S rescinds such offers",
                         held->holder->info->name, held->holder->id, held->offers,
                         held->offers == 1 ? "" : "s", (double)held->age / (double)LOOP_SECOND);
}

static char *describe(const struct starvation *starvation)
{
    switch (starvation->reason) {
    case REASON_NO_ROLES:
        return memory_string("it is in no role; 'roles' of its FrameworkInfo is empty");
    case REASON_SUPPRESSED:
        return memory_string("all its roles are suppressed, until it revives one");
    case REASON_GPUS:
        return about_agents(starvation->agents,
                            "has GPUs, and is offered to frameworks with the capability "
                            "GPU_RESOURCES only",
                            "have GPUs, and are offered to frameworks with the capability "
                            "GPU_RESOURCES only");
    case REASON_CONSTRAINTS:
        return about_agents(starvation->agents, "does not meet its offer constraints",
                            "do not meet its offer constraints");
    case REASON_SMALL:
        return about_agents(starvation->agents, "has less than its offer_filters ask for",
                            "have less than its offer_filters ask for");
    case REASON_RESERVED:
        return about_agents(starvation->agents, "has them reserved for other roles",
                            "have them reserved for other roles");
    case REASON_FILTERED:
        return about_agents(starvation->agents,
                            "was declined by it, and its filter has not expired",
                            "were declined by it, and the filters have not expired");
    case REASON_HELD:
        return about_holding(&starvation->held);
    default:
        return memory_string("nothing is free");
    }
}

char *offer_obstacles_text(const struct master_framework *framework)
{
    if (!framework->connected || !TAILQ_EMPTY(&framework->offers))
        return NULL;
    struct starvation starvation = find_starvation(framework);
    return describe(&starvation);
}

// ---- logging ----

// At which level a reason is logged; usual ones (LOG_DEBUG) are not. A framework suppresses its
// roles on purpose, unless it stays so for long.
static const struct reason_log {
    enum log_level level;
    uint64_t after; // the framework has been without offers for that long
} reason_logs[] = {
    [REASON_UNKNOWN] = {.level = LOG_DEBUG},
    [REASON_NO_ROLES] = {.level = LOG_WARNING},
    [REASON_SUPPRESSED] = {.level = LOG_INFO, .after = HELD_LONG},
    [REASON_GPUS] = {.level = LOG_WARNING},
    [REASON_CONSTRAINTS] = {.level = LOG_INFO},
    [REASON_SMALL] = {.level = LOG_INFO},
    [REASON_RESERVED] = {.level = LOG_INFO},
    [REASON_FILTERED] = {.level = LOG_DEBUG},
    [REASON_HELD] = {.level = LOG_WARNING},
};

static void log_reason(struct master_framework *framework, const struct starvation *starvation,
                       uint64_t now)
{
    const struct reason_log *row = &reason_logs[starvation->reason];
    if (row->level == LOG_DEBUG || (framework->logged & 1u << starvation->reason) != 0 ||
        now - framework->starved_since < row->after)
        return;
    char *text = describe(starvation);
    log_write(row->level, "framework '%.100s' (%s) gets no offers: %s", framework->info->name,
              framework->id, text);
    free(text);
    framework->logged |= 1u << starvation->reason;
    framework->logged_at = now;
}

// A reason is logged once, and again after LOG_AGAIN if the framework has had offers since.
void offer_obstacles_log(struct master_framework *framework)
{
    uint64_t now = loop_now(framework->master->loop);
    if (!framework->connected || !TAILQ_EMPTY(&framework->offers)) {
        framework->starved_since = 0;
        if (framework->logged != 0 && now - framework->logged_at > LOG_AGAIN)
            framework->logged = 0;
        return;
    }
    if (framework->starved_since == 0)
        framework->starved_since = now;
    struct starvation starvation = find_starvation(framework);
    log_reason(framework, &starvation, now);
}
