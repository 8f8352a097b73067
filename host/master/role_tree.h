// SPDX-License-Identifier: Apache-2.0
//
// The tree of roles by which shares are measured: dominant resource fairness, as in the allocator
// of Mesos. A role "a/b" lies below "a". Below each role are the roles that it contains and, beside
// them, one claim for the frameworks that are in the role itself; below that the frameworks. Of the
// claims below one the next is the one with the smallest share of the cluster, which is its largest
// share of a scalar resource, divided by the weight of its role; of equals the one that was given
// something less often; then in the order of the names.
//
// A role exists as long as a framework is in it or holds something in it, as it has a weight, a
// quota or a reservation, or as a role below it exists. The tree owns roles and members.

#ifndef MESOS_LUA_MASTER_ROLE_TREE_H
#define MESOS_LUA_MASTER_ROLE_TREE_H

#include "base/string_map.h"
#include "master/quantities_charge.h"

#include <sys/queue.h>

struct master_framework;
struct role_member;

// A node of the tree. The children that are not active stand behind the others.
struct claim {
    struct claim *parent;
    struct claim **children;
    size_t child_count, position; // among those of the parent
    size_t active;                // members that are active, in it and below
    const char *name;
    double weight;
    // What is offered to it or held by it, with all below, and how often it was given something; of
    // the root neither.
    struct quantities allocated;
    uint64_t count;
    double share;               // by weight; right when the tree is not stale
    struct role_member *member; // NULL: it is not that of a framework
};

struct quota {
    bool guaranteed;              // there is a guarantee above 0
    struct quantities guarantees; // what is kept for the role
    uint32_t limited;             // which numbers have a limit, as bits
    struct quantities limits;     // what it may have at most
};

struct role_node {
    struct string_map_entry entry;
    TAILQ_ENTRY(role_node) link, of_guaranteed;
    char *name, *own_name;
    struct role_node *parent; // NULL: it is a top-level one
    struct claim claim, own;  // with the roles below it; of its own frameworks
    size_t below;             // roles
    TAILQ_HEAD(, role_member) members;
    bool weighted, has_quota; // were set
    struct quota quota;
    struct quantities reserved; // on all agents, to it and below, in use or not
    struct quantities charged;  // offered to it or below, or held: not reserved, not revocable
};

// A framework in a role: it is subscribed to it, or still holds something in it.
struct role_member {
    TAILQ_ENTRY(role_member) of_role, of_framework;
    struct master_framework *framework;
    struct role_node *role;
    struct claim claim;
    bool subscribed;
    size_t holds; // offers and tasks that refer to it
};

TAILQ_HEAD(role_members, role_member);

struct role_tree {
    struct quantity_names names;
    struct string_map table;
    TAILQ_HEAD(role_nodes, role_node) roles, guaranteed; // all; those with a guarantee
    struct claim root;
    struct quantities total; // of the cluster
    bool stale;              // shares are to be computed anew
    struct role_member **order;
    size_t order_count, order_capacity;
    bool ordered; // `order` is right
};

void role_tree_init(struct role_tree *tree);
void role_tree_free(struct role_tree *tree); // there are no members left

struct role_node *role_tree_find(const struct role_tree *tree, const char *name); // or NULL
struct role_node *role_tree_make(struct role_tree *tree,
                                 const char *name);                  // the one there is, or new
void role_tree_drop(struct role_tree *tree, struct role_node *role); // if nothing needs it any more

// The framework in a role: the member that there is, or a new one, which is not subscribed.
// `members` are those of the framework, `framework_id` lives as long as it.
struct role_member *role_tree_member(struct role_tree *tree, struct master_framework *framework,
                                     const char *framework_id, struct role_members *members,
                                     const char *role);

// Frees the member if it is not subscribed and holds nothing.
void role_tree_drop_member(struct role_tree *tree, struct role_members *members,
                           struct role_member *member);

void role_tree_activate(struct role_tree *tree, struct role_member *member, bool active);

// Something was given to the member, or is taken back. These do not count `holds`.
void role_tree_allocate(struct role_tree *tree, struct role_member *member,
                        const struct quantities_charge *charge);
void role_tree_release(struct role_tree *tree, struct role_member *member,
                       const struct quantities_charge *charge);

// Resources come to the cluster, or leave it.
void role_tree_grow(struct role_tree *tree, const struct resources *resources);
void role_tree_shrink(struct role_tree *tree, const struct resources *resources);

void role_tree_set_weight(struct role_tree *tree, const char *role, double weight);

// All active members, in the order of their turns. Valid until the tree changes.
struct role_member *const *role_tree_order(struct role_tree *tree, size_t *count);

struct role_member *role_tree_first(struct role_tree *tree); // the first of them, or NULL

// What the role is charged against its quota: its reservations, and what else it was given.
struct quantities role_tree_consumed(const struct role_node *role);

#endif
