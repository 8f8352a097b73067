// SPDX-License-Identifier: Apache-2.0
//
// Why a framework is offered what is free, or gets no offers. The allocator acts on the same answer
// that the log and the cluster's status show (offering.h).

#include "master/master_internal.h"
#include "master/offering.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_LONG (10 * LOOP_SECOND)
#define LOG_AGAIN (60 * LOOP_SECOND)

// To find the reason all agents are looked at, so that is done the less often the longer it lasts.
#define LOOK_AGAIN ALLOCATOR_INTERVAL
#define LOOK_AGAIN_LONGEST (60 * LOOP_SECOND)
enum { LOOK_AGAIN_PART = 4 }; // of the time that it has lasted

// ---- a framework without offers ----

enum reason {
    REASON_UNKNOWN, // everything is in use, or offers are short-lived
    REASON_NO_ROLES,
    REASON_SUPPRESSED,
    REASON_GPUS,
    REASON_REGION,
    REASON_CONSTRAINTS,
    REASON_SMALL,
    REASON_RESERVED,
    REASON_QUOTA,
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

// How many agents have that obstacle, in the role in which most have it.
struct obstacle_counts {
    size_t agents[OBSTACLES];
};

static void count_role(const struct role_member *member, struct obstacle_counts *most)
{
    struct obstacle_counts counts = {{0}};
    const struct node *node;
    TAILQ_FOREACH(node, &member->framework->master->nodes, link)
    {
        struct offering offering;
        if (!master_records_offerable(node))
            continue;
        counts.agents[offering_find(member, node, OFFERING_REST, &offering)]++;
        offering_free(&offering);
    }
    for (size_t i = 0; i < OBSTACLES; i++)
        if (counts.agents[i] > most->agents[i])
            most->agents[i] = counts.agents[i];
}

static struct obstacle_counts count_obstacles(const struct master_framework *framework)
{
    struct obstacle_counts most = {{0}};
    for (size_t i = 0; i < framework->role_count; i++)
        if (!framework->roles[i].suppressed)
            count_role(framework->roles[i].member, &most);
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

// True if a filter of the framework, which is the first reason, covers what is free on an agent:
// then the other agents need not be looked at.
static bool is_filtered(const struct master_framework *framework)
{
    const struct offer_filter *filter;
    TAILQ_FOREACH(filter, &framework->filters, of_framework)
    {
        struct offering offering;
        enum obstacle obstacle =
            offering_find(filter->member, filter->node, OFFERING_REST, &offering);
        offering_free(&offering);
        if (obstacle == OBSTACLE_FILTERED)
            return true;
    }
    return false;
}

// The rows stand in the order in which a reason is chosen if several apply.
static struct starvation find_starvation(const struct master_framework *framework)
{
    static const struct {
        enum obstacle obstacle;
        enum reason reason;
    } rows[] = {{OBSTACLE_FILTERED, REASON_FILTERED}, {OBSTACLE_GPUS, REASON_GPUS},
                {OBSTACLE_REGION, REASON_REGION},     {OBSTACLE_CONSTRAINTS, REASON_CONSTRAINTS},
                {OBSTACLE_SMALL, REASON_SMALL},       {OBSTACLE_QUOTA, REASON_QUOTA},
                {OBSTACLE_RESERVED, REASON_RESERVED}};
    if (framework->role_count == 0)
        return (struct starvation){.reason = REASON_NO_ROLES};
    if (all_suppressed(framework))
        return (struct starvation){.reason = REASON_SUPPRESSED};
    struct obstacle_counts counts = count_obstacles(framework);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t agents = counts.agents[rows[i].obstacle];
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
    case REASON_REGION:
        return about_agents(starvation->agents,
                            "is in another region than the master, and is offered to frameworks "
                            "with the capability REGION_AWARE only",
                            "are in another region than the master, and are offered to frameworks "
                            "with the capability REGION_AWARE only");
    case REASON_CONSTRAINTS:
        return about_agents(starvation->agents, "does not meet its offer constraints",
                            "do not meet its offer constraints");
    case REASON_SMALL:
        return about_agents(starvation->agents, "has less than its offer_filters ask for",
                            "have less than its offer_filters ask for");
    case REASON_RESERVED:
        return about_agents(starvation->agents, "has them reserved for other roles",
                            "have them reserved for other roles");
    case REASON_QUOTA:
        return about_agents(starvation->agents,
                            "is kept for the quota guarantees of other roles, or its role has "
                            "reached its quota limit",
                            "are kept for the quota guarantees of other roles, or its role has "
                            "reached its quota limit");
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
    [REASON_REGION] = {.level = LOG_WARNING},
    [REASON_CONSTRAINTS] = {.level = LOG_INFO},
    [REASON_SMALL] = {.level = LOG_INFO},
    [REASON_RESERVED] = {.level = LOG_INFO},
    [REASON_QUOTA] = {.level = LOG_INFO},
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

static uint64_t pause_after(uint64_t age)
{
    uint64_t pause = age / LOOK_AGAIN_PART;
    if (pause < LOOK_AGAIN)
        return LOOK_AGAIN;
    return pause < LOOK_AGAIN_LONGEST ? pause : LOOK_AGAIN_LONGEST;
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
    if (framework->starved_since == 0) {
        framework->starved_since = now;
        framework->look_at = 0;
    }
    if (now < framework->look_at)
        return;
    framework->look_at = now + pause_after(now - framework->starved_since);
    if (framework->role_count > 0 && !all_suppressed(framework) && is_filtered(framework))
        return; // its own choice
    struct starvation starvation = find_starvation(framework);
    log_reason(framework, &starvation, now);
}
