// SPDX-License-Identifier: Apache-2.0
//
// What a framework may be offered of an agent; see the header.

#include "master/offering.h"

#include "base/memory.h"
#include "master/master_internal.h"
#include "offers/role_name.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;
typedef Mesos__V1__OfferFilters__MinAllocatableResources Least;
typedef Mesos__V1__OfferFilters__ResourceQuantities Quantities;

// The least that is worth an offer, unless the framework's offer_filters say otherwise.
#define SMALLEST_CPUS 0.01
#define SMALLEST_MEM 32.0

// ---- which resources ----

static bool is_for_role(const Resource *resource, const char *role)
{
    const char *reserved = resource_reserved_role(resource);
    return reserved == NULL || strcmp(role, reserved) == 0 || role_name_below(role, reserved);
}

// Refined reservations cannot be read by frameworks without RESERVATION_REFINEMENT.
static bool is_capable(const struct master_framework *framework, const Resource *resource)
{
    return (framework->shared || resource->shared == NULL) &&
           (framework->revocable || resource->revocable == NULL) &&
           (framework->reservation_refinement || resource->n_reservations < 2);
}

static bool may_have(const struct role_member *member, const Resource *resource)
{
    return is_for_role(resource, member->role->name) && is_capable(member->framework, resource);
}

// Quota is about scalars that are neither reserved nor revocable.
static bool is_of_quota(const Resource *resource)
{
    return resource->type == MESOS__V1__VALUE__TYPE__SCALAR && resource->n_reservations == 0 &&
           resource->revocable == NULL;
}

// ---- quota ----

// How much of each scalar may still be given.
struct room {
    struct quantities missing; // of the guarantee
    struct quantities limit;   // to the limits, of the numbers that have one
    uint32_t limited;
    bool spare_counts;       // there are guarantees
    struct quantities spare; // of the cluster, when all guarantees are kept
};

static struct quantities spare_of(const struct master *master)
{
    struct quantities required = {{0}};
    const struct role_node *role;
    TAILQ_FOREACH(role, &master->roles.guaranteed, of_guaranteed)
    {
        struct quantities consumed = role_tree_consumed(role);
        struct quantities missing = quantities_rest(&role->quota.guarantees, &consumed);
        quantities_add(&required, &missing);
    }
    return quantities_rest(&master->free, &required);
}

static struct room room_for(const struct role_member *member)
{
    const struct master *master = member->framework->master;
    const struct quota *quota = &member->role->quota;
    struct quantities consumed = role_tree_consumed(member->role);
    struct room room = {
        .missing = quantities_rest(&quota->guarantees, &consumed),
        .limit = quantities_rest(&quota->limits, &consumed),
        .limited = quota->limited,
        .spare_counts = !TAILQ_EMPTY(&master->roles.guaranteed),
    };
    if (room.spare_counts)
        room.spare = spare_of(master);
    return room;
}

static int64_t take(int64_t wanted, int64_t *from)
{
    int64_t amount = wanted < *from ? wanted : *from;
    *from -= amount;
    return amount;
}

// How much of `wanted` thousandths may be given; what is given leaves the room. Towards a guarantee
// it is given in any case, also if the cluster has less than all guarantees together.
static int64_t give(struct room *room, enum offering_pass pass, int number, int64_t wanted)
{
    int64_t due = pass == OFFERING_GUARANTEES ? take(wanted, &room->missing.amount[number]) : 0;
    int64_t more = wanted - due;
    if ((room->limited & 1u << number) != 0) {
        take(due, &room->limit.amount[number]);
        more = take(more, &room->limit.amount[number]);
    }
    if (room->spare_counts)
        more = take(more, &room->spare.amount[number]);
    return due + more;
}

// A disk that is a device of its own is given whole or not at all.
static bool is_divisible(const Resource *resource)
{
    return resource->disk == NULL;
}

static void add_part(struct offering *offering, const Resource *resource, int64_t thousandths)
{
    Resource *list[] = {(Resource *)(uintptr_t)resource};
    const struct resources one = {list, 1};
    struct resources part;
    resources_copy(&part, &one);
    part.items[0]->scalar->value = (double)thousandths / 1000;
    resources_add(&offering->resources, &part);
    resources_free(&part);
}

static void add_of_quota(struct offering *offering, struct room *room, enum offering_pass pass,
                         int number, const Resource *resource)
{
    int64_t wanted = quantities_thousandths(resource->scalar->value);
    struct room before = *room;
    int64_t amount = number < 0 ? wanted : give(room, pass, number, wanted);
    if (amount < wanted && !is_divisible(resource)) {
        *room = before;
        amount = 0;
    }
    offering->held_back = offering->held_back || amount < wanted;
    if (amount > 0)
        add_part(offering, resource, amount);
}

// In the first pass a role is given its own reservations only, not those of roles it lies in.
static bool is_beside_quota(const struct role_member *member, const Resource *resource,
                            enum offering_pass pass)
{
    const char *reserved = resource_reserved_role(resource);
    return !is_of_quota(resource) &&
           (pass == OFFERING_REST || reserved == NULL || strcmp(reserved, member->role->name) == 0);
}

static void collect(const struct role_member *member, const struct node *node,
                    enum offering_pass pass, struct offering *offering)
{
    const struct quantity_names *names = &node->master->roles.names;
    struct room room = room_for(member);
    for (size_t i = 0; i < node->free.count; i++) {
        Resource *resource = node->free.items[i];
        const struct resources one = {&resource, 1};
        if (!may_have(member, resource) || resources_copies(&node->shared_offered, resource) > 0)
            continue;
        if (is_of_quota(resource))
            add_of_quota(offering, &room, pass, quantities_number(names, resource->name), resource);
        else if (is_beside_quota(member, resource, pass))
            resources_add(&offering->resources, &one);
    }
}

// True if any framework may have all that is free in any role.
static bool is_open(const struct node *node)
{
    return node->counted.closed == NULL;
}

// Everything that is free, as in most clusters: nothing has to be copied. What is shared stays
// free, so it has to be.
bool offering_is_whole(const struct role_member *member, const struct node *node)
{
    if (member->role->quota.limited != 0 || !TAILQ_EMPTY(&node->master->roles.guaranteed))
        return false;
    if (is_open(node))
        return true;
    for (size_t i = 0; i < node->free.count; i++)
        if (!may_have(member, node->free.items[i]) || node->free.items[i]->shared != NULL)
            return false;
    return true;
}

// True if the role would come nearer to its guarantee.
static bool is_due(const struct role_member *member, const struct node *node)
{
    struct quantities consumed = role_tree_consumed(member->role);
    struct quantities missing = quantities_rest(&member->role->quota.guarantees, &consumed);
    for (size_t i = 0; i < QUANTITIES_NAMES; i++)
        if (missing.amount[i] > 0 &&
            quantities_charge_amount(&node->counted, i, QUANTITIES_FREE) > 0)
            return true;
    return false;
}

// ---- is it worth an offer ----

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

static bool free_is_worth_an_offer(const struct node *node)
{
    const int64_t *amounts = node->counted.open;
    if (!is_open(node))
        return worth_an_offer(&node->free);
    return (double)amounts[QUANTITIES_CPUS] / 1000 >= SMALLEST_CPUS ||
           (double)amounts[QUANTITIES_MEM] / 1000 >= SMALLEST_MEM;
}

static enum obstacle why_small(const struct node *node, const struct offering *offering,
                               const Least *least)
{
    if (!free_is_worth_an_offer(node))
        return OBSTACLE_NOTHING_FREE;
    if (offering->held_back)
        return OBSTACLE_QUOTA;
    return least == NULL || !worth_an_offer(&offering->resources) ? OBSTACLE_RESERVED
                                                                  : OBSTACLE_SMALL;
}

static bool is_enough(const struct node *node, const struct offering *offering, const Least *least)
{
    const struct resources *resources = offering->whole ? &node->free : &offering->resources;
    if (resources->count == 0)
        return false;
    if (least != NULL)
        return holds_least(resources, least);
    return offering->whole ? free_is_worth_an_offer(node) : worth_an_offer(resources);
}

// In another region than the master.
static bool is_remote(const struct node *node)
{
    const char *region = node->description.region, *own = node->master->region;
    return region != NULL && own != NULL && strcmp(region, own) != 0;
}

static enum obstacle find_obstacle(const struct role_member *member, const struct node *node,
                                   const struct offering *offering)
{
    struct master_framework *framework = member->framework;
    const char *role = member->role->name;
    const struct resources *resources = offering->whole ? &node->free : &offering->resources;
    const Least *least = least_of(framework, role);
    if (!is_enough(node, offering, least))
        return offering->whole && free_is_worth_an_offer(node) ? OBSTACLE_SMALL
                                                               : why_small(node, offering, least);
    if (node->gpus && !framework->gpus)
        return OBSTACLE_GPUS;
    if (!framework->region_aware && is_remote(node))
        return OBSTACLE_REGION;
    if (!constraints_hold(framework->constraints, role, node))
        return OBSTACLE_CONSTRAINTS;
    if (offer_filters_cover(member, node, resources))
        return OBSTACLE_FILTERED;
    return OBSTACLE_NONE;
}

enum obstacle offering_find(const struct role_member *member, const struct node *node,
                            enum offering_pass pass, struct offering *offering)
{
    *offering =
        (struct offering){.whole = pass == OFFERING_REST && offering_is_whole(member, node)};
    if (node->free.count == 0)
        return OBSTACLE_NOTHING_FREE;
    if (pass == OFFERING_GUARANTEES && !is_due(member, node))
        return OBSTACLE_QUOTA;
    if (!offering->whole)
        collect(member, node, pass, offering);
    return find_obstacle(member, node, offering);
}

void offering_free(struct offering *offering)
{
    if (offering->resources.items != NULL)
        resources_free(&offering->resources);
}
