// SPDX-License-Identifier: Apache-2.0
//
// Who is offered what. Once a second, and soon after somebody subscribes or revives, all that is
// free on each agent goes to the role with the smallest share of the cluster that wants it (its
// largest share of cpus, mem, disk or gpus counts), and of equals to the one that was offered
// least. What a framework refused is not offered to it again until the filter is over, unless there
// is more of it than it refused.

#include "cluster/ledger.h"

#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL LOOP_SECOND
#define SOON (LOOP_SECOND / 1000) // calls that come together are seen by one round
#define DEFAULT_REFUSAL 5.0
#define LONGEST_REFUSAL (365.0 * 24 * 3600)
#define FILTERS_LIMIT 32 // of one role and agent

struct candidate {
    struct master_framework *framework;
    struct role *role;
    double share;
};

// One round: the candidates, and what they were given in it.
struct round {
    struct master *master;
    struct candidate *candidates;
    size_t count;
};

// ---- filters ----

static char *key_of(const char *role, const struct node *node)
{
    return memory_format("%s/%s", node->id, role);
}

static void free_filter(struct offer_filter *filter)
{
    resources_free(&filter->resources);
    free(filter);
}

static void remove_filters(struct master_framework *framework, struct filters *filters)
{
    string_map_remove(&framework->filter_table, &filters->entry);
    TAILQ_REMOVE(&framework->filters, filters, link);
    for (struct offer_filter *filter = filters->first, *next; filter != NULL; filter = next) {
        next = filter->next;
        free_filter(filter);
    }
    free(filters->role);
    free(filters->key);
    free(filters);
}

// Drops what is over; then: does one of them cover these resources?
bool allocator_filtered(struct master_framework *framework, const struct node *node,
                        const char *role, const struct resources *resources)
{
    char *key = key_of(role, node);
    struct filters *filters = string_map_find(&framework->filter_table, key);
    free(key);
    if (filters == NULL)
        return false;
    uint64_t now = loop_now(framework->master->loop);
    bool covered = false;
    for (struct offer_filter **link = &filters->first; *link != NULL;) {
        struct offer_filter *filter = *link;
        if (filter->until <= now) {
            *link = filter->next;
            free_filter(filter);
            continue;
        }
        covered = covered || resources_contain(&filter->resources, resources);
        link = &filter->next;
    }
    if (filters->first == NULL)
        remove_filters(framework, filters);
    return covered;
}

static struct filters *filters_for(struct master_framework *framework, const struct node *node,
                                   const char *role)
{
    char *key = key_of(role, node);
    struct filters *filters = string_map_find(&framework->filter_table, key);
    if (filters != NULL) {
        free(key);
        return filters;
    }
    filters = memory_new(sizeof *filters);
    filters->key = key;
    filters->role = memory_string(role);
    string_map_put(&framework->filter_table, &filters->entry, filters->key, filters);
    TAILQ_INSERT_TAIL(&framework->filters, filters, link);
    return filters;
}

// The oldest goes when there are too many.
static void put_filter(struct filters *filters, struct offer_filter *filter)
{
    filter->next = filters->first;
    filters->first = filter;
    struct offer_filter **link = &filters->first;
    for (size_t i = 0; i < FILTERS_LIMIT && *link != NULL; i++)
        link = &(*link)->next;
    if (*link != NULL) {
        free_filter(*link);
        *link = NULL;
    }
}

static double refusal(const Mesos__V1__Filters *filters)
{
    double seconds =
        filters && filters->has_refuse_seconds ? filters->refuse_seconds : DEFAULT_REFUSAL;
    if (!(seconds >= 0))
        return DEFAULT_REFUSAL;
    return seconds < LONGEST_REFUSAL ? seconds : LONGEST_REFUSAL;
}

// A filter lasts over the next round at least.
void allocator_refuse(struct master_framework *framework, struct node *node, const char *role,
                      const struct resources *resources, const Mesos__V1__Filters *filters)
{
    double seconds = refusal(filters);
    if (seconds == 0 || resources->count == 0 || ledger_role(framework, role) == NULL)
        return;
    uint64_t length = loop_seconds(seconds);
    struct offer_filter *filter = memory_new(sizeof *filter);
    filter->until = loop_now(framework->master->loop) + (length > INTERVAL ? length : INTERVAL);
    resources_copy(&filter->resources, resources);
    resources_allocate(&filter->resources, NULL);
    put_filter(filters_for(framework, node, role), filter);
}

void allocator_clear_filters(struct master_framework *framework, const char *role)
{
    for (struct filters *filters = TAILQ_FIRST(&framework->filters), *next; filters != NULL;
         filters = next) {
        next = TAILQ_NEXT(filters, link);
        if (role == NULL || strcmp(filters->role, role) == 0)
            remove_filters(framework, filters);
    }
}

// ---- candidates ----

static double share_of(const struct master *master, const struct role *role)
{
    double largest = 0;
    for (size_t i = 0; i < SHARES; i++)
        if (master->total.amount[i] > 0)
            largest = fmax(largest, role->allocated.amount[i] / master->total.amount[i]);
    return largest;
}

static void add_candidates(struct round *round, struct master_framework *framework)
{
    round->candidates = memory_resize(round->candidates, (round->count + framework->role_count) *
                                                             sizeof *round->candidates);
    for (size_t i = 0; i < framework->role_count; i++) {
        struct role *role = &framework->roles[i];
        memset(role->agents, 0, sizeof role->agents);
        if (!role->suppressed)
            round->candidates[round->count++] =
                (struct candidate){framework, role, share_of(round->master, role)};
    }
}

// The shares of a role are those of all frameworks in it.
static double role_share(const struct round *round, const struct candidate *candidate)
{
    double sum = 0;
    for (size_t i = 0; i < round->count; i++)
        if (strcmp(round->candidates[i].role->name, candidate->role->name) == 0)
            sum += round->candidates[i].share;
    return sum;
}

static bool goes_before(const struct round *round, const struct candidate *a,
                        const struct candidate *b)
{
    double left = role_share(round, a), right = role_share(round, b);
    if (left != right)
        return left < right;
    if (a->share != b->share)
        return a->share < b->share;
    return a->role->offers < b->role->offers;
}

// They are few, and nearly in order from the agent before: insertion sort.
static void sort_candidates(struct round *round)
{
    for (size_t i = 1; i < round->count; i++) {
        struct candidate moving = round->candidates[i];
        size_t slot = i;
        for (; slot > 0 && goes_before(round, &moving, &round->candidates[slot - 1]); slot--)
            round->candidates[slot] = round->candidates[slot - 1];
        round->candidates[slot] = moving;
    }
}

// ---- giving ----

// Reservations that an older framework cannot read are kept from it.
static void drop_unreadable(const struct master_framework *framework, struct resources *resources)
{
    if (framework->reservation_refinement)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < resources->count; i++) {
        if (resources->items[i]->n_reservations > 1)
            resource_free(resources->items[i]);
        else
            resources->items[kept++] = resources->items[i];
    }
    resources->count = kept;
}

static void give(struct candidate *candidate, struct node *node)
{
    struct resources resources = {0};
    resources_add_for_role(&resources, &node->free, candidate->role->name);
    drop_unreadable(candidate->framework, &resources);
    enum obstacle obstacle =
        obstacles_find(candidate->framework, candidate->role, node, &resources);
    candidate->role->agents[obstacle]++;
    if (obstacle == OBSTACLE_NONE) {
        ledger_make_offer(candidate->framework, node, candidate->role, &resources);
        candidate->share = share_of(node->master, candidate->role);
    }
    resources_free(&resources);
}

static void give_node(struct round *round, struct node *node)
{
    if (node->free.count == 0)
        return;
    sort_candidates(round);
    for (size_t i = 0; i < round->count && node->free.count > 0; i++)
        give(&round->candidates[i], node);
}

// ---- telling ----

// An offer as a message; what it points to is the offer's and the node's.
struct message {
    Mesos__V1__Offer offer;
    Mesos__V1__OfferID id;
    Mesos__V1__AgentID agent_id;
    Mesos__V1__Resource__AllocationInfo allocation;
    Mesos__V1__URL url;
    Mesos__V1__Address address;
    struct resources resources;
};

// Without MULTI_ROLE a framework does not see allocations, without RESERVATION_REFINEMENT it sees
// the older format.
static void fill_resources(struct message *message, const struct master_offer *offer)
{
    const struct master_framework *framework = offer->framework;
    resources_copy(&message->resources, &offer->resources);
    if (!framework->multi_role)
        resources_allocate(&message->resources, NULL);
    for (size_t i = 0; !framework->reservation_refinement && i < message->resources.count; i++)
        resource_downgrade(message->resources.items[i]);
    message->offer.n_resources = message->resources.count;
    message->offer.resources = message->resources.items;
}

static void fill_message(struct message *message, const struct master_offer *offer)
{
    struct master *master = offer->framework->master;
    mesos__v1__offer__init(&message->offer);
    mesos__v1__offer_id__init(&message->id);
    mesos__v1__agent_id__init(&message->agent_id);
    mesos__v1__resource__allocation_info__init(&message->allocation);
    mesos__v1__url__init(&message->url);
    mesos__v1__address__init(&message->address);
    message->id.value = offer->id;
    message->agent_id.value = offer->node->id;
    message->allocation.role = offer->role;
    message->address.hostname = master->hostname;
    message->address.ip = master->ip;
    message->address.port = (int32_t)master->port;
    message->url.scheme = "http";
    message->url.address = &message->address;
    message->url.path = "/slave(1)";
    message->offer.id = &message->id;
    message->offer.framework_id = offer->framework->info->id;
    message->offer.agent_id = &message->agent_id;
    message->offer.hostname = master->hostname;
    message->offer.url = &message->url;
    if (offer->framework->multi_role)
        message->offer.allocation_info = &message->allocation;
    fill_resources(message, offer);
}

static void send_offers(struct master_framework *framework, size_t count)
{
    struct message *messages = memory_new(count * sizeof *messages);
    Mesos__V1__Offer **list = memory_new(count * sizeof *list);
    struct master_offer *offer = TAILQ_LAST(&framework->offers, offers_of_framework);
    for (size_t i = count; i-- > 0; offer = TAILQ_PREV(offer, offers_of_framework, of_framework)) {
        fill_message(&messages[i], offer);
        list[i] = &messages[i].offer;
    }
    Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
    Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
    offers.n_offers = count;
    offers.offers = list;
    event.has_type = true;
    event.type = MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS;
    event.offers = &offers;
    log_debug("framework %s gets %zu offers", framework->id, count);
    master_framework_send(framework, &event);
    for (size_t i = 0; i < count; i++)
        resources_free(&messages[i].resources);
    free(messages);
    free(list);
}

// ---- rounds ----

static uint64_t offers_made(const struct master_framework *framework)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < framework->role_count; i++)
        sum += framework->roles[i].offers;
    return sum;
}

static void run(struct master *master)
{
    struct round round = {.master = master};
    struct master_framework *framework;
    struct node *node;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        framework->offers_told = offers_made(framework);
        if (framework->connected)
            add_candidates(&round, framework);
    }
    TAILQ_FOREACH(node, &master->nodes, link)
    give_node(&round, node);
    free(round.candidates);
    TAILQ_FOREACH(framework, &master->frameworks, link)
    {
        size_t count = (size_t)(offers_made(framework) - framework->offers_told);
        if (count > 0)
            send_offers(framework, count);
        obstacles_tell(framework);
    }
}

static void on_tick(void *data)
{
    struct master *master = data;
    timer_start(&master->tick, INTERVAL);
    run(master);
}

static void on_soon(void *data)
{
    run(data);
}

void allocator_start(struct master *master)
{
    timer_init(&master->tick, master->loop, on_tick, master);
    timer_init(&master->soon, master->loop, on_soon, master);
    timer_start(&master->tick, INTERVAL);
}

void allocator_stop(struct master *master)
{
    timer_stop(&master->tick);
    timer_stop(&master->soon);
}

void allocator_hurry(struct master *master)
{
    if (!master->stopping && !timer_active(&master->soon))
        timer_start(&master->soon, SOON);
}
