// SPDX-License-Identifier: Apache-2.0
//
// The tree of roles; see the header. Claims are moved to their place when something is given to
// them or taken back; when all shares change (the cluster grew, a weight was set), the tree is
// sorted before it is asked next.

#include "master/role_tree.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WEIGHT 1.0
#define LONGEST_PATH 1024 // a longer name is not split: it would be as deep as half its length

// ---- the order of claims ----

static double share_of(const struct role_tree *tree, const struct claim *claim)
{
    double largest = 0;
    for (size_t i = 0; i < tree->names.count; i++) {
        if (tree->total.amount[i] <= 0 || claim->allocated.amount[i] <= 0)
            continue;
        double share = (double)claim->allocated.amount[i] / (double)tree->total.amount[i];
        largest = share > largest ? share : largest;
    }
    return largest / claim->weight;
}

static int compare(const struct claim *a, const struct claim *b)
{
    bool active = a->active > 0, other = b->active > 0;
    if (active != other)
        return active ? -1 : 1;
    if (a->share != b->share)
        return a->share < b->share ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int compare_slots(const void *a, const void *b)
{
    return compare(*(struct claim *const *)a, *(struct claim *const *)b);
}

static void put(struct claim *parent, struct claim *claim, size_t position)
{
    parent->children[position] = claim;
    claim->position = position;
}

// Moves a claim to its place among its neighbours, which are in order.
static void settle(struct role_tree *tree, struct claim *claim)
{
    struct claim *parent = claim->parent;
    size_t from = claim->position, at = from;
    for (; at > 0 && compare(claim, parent->children[at - 1]) < 0; at--)
        put(parent, parent->children[at - 1], at);
    for (; at + 1 < parent->child_count && compare(parent->children[at + 1], claim) < 0; at++)
        put(parent, parent->children[at + 1], at);
    put(parent, claim, at);
    if (at != from)
        tree->ordered = false;
}

static void sort(struct role_tree *tree, struct claim *parent)
{
    for (size_t i = 0; i < parent->child_count; i++)
        parent->children[i]->share = share_of(tree, parent->children[i]);
    if (parent->child_count > 1)
        qsort(parent->children, parent->child_count, sizeof(struct claim *), compare_slots);
    for (size_t i = 0; i < parent->child_count; i++) {
        parent->children[i]->position = i;
        sort(tree, parent->children[i]);
    }
}

static void make_stale(struct role_tree *tree)
{
    tree->stale = true;
    tree->ordered = false;
}

// ---- claims ----

static void add_claim(struct role_tree *tree, struct claim *parent, struct claim *claim,
                      const char *name)
{
    claim->parent = parent;
    claim->name = name;
    claim->weight = DEFAULT_WEIGHT;
    parent->children =
        memory_resize(parent->children, (parent->child_count + 1) * sizeof *parent->children);
    put(parent, claim, parent->child_count++);
    make_stale(tree);
}

static void remove_claim(struct role_tree *tree, struct claim *claim)
{
    struct claim *parent = claim->parent;
    parent->child_count--;
    for (size_t i = claim->position; i < parent->child_count; i++)
        put(parent, parent->children[i + 1], i);
    free(claim->children);
    claim->children = NULL;
    tree->ordered = false;
}

// Nothing asks what all of them have together.
static void change(struct role_tree *tree, struct claim *claim,
                   const struct quantities_charge *charge, bool given)
{
    for (; claim->parent != NULL; claim = claim->parent) {
        if (given)
            quantities_charge_put(&claim->allocated, charge, QUANTITIES_ALL);
        else
            quantities_charge_take(&claim->allocated, charge, QUANTITIES_ALL);
        claim->count += given;
        if (tree->stale || claim->parent->child_count == 1)
            continue; // another one beside it would make the tree stale
        claim->share = share_of(tree, claim);
        settle(tree, claim);
    }
}

// ---- roles ----

void role_tree_init(struct role_tree *tree)
{
    *tree = (struct role_tree){.root = {.weight = DEFAULT_WEIGHT, .name = ""}};
    quantities_names_init(&tree->names);
    TAILQ_INIT(&tree->roles);
    TAILQ_INIT(&tree->guaranteed);
}

struct role_node *role_tree_find(const struct role_tree *tree, const char *name)
{
    return string_map_find(&tree->table, name);
}

static struct role_node *make_role(struct role_tree *tree, const char *name)
{
    struct role_node *role = memory_new(sizeof *role);
    const char *slash = strlen(name) <= LONGEST_PATH ? strrchr(name, '/') : NULL;
    role->name = memory_string(name);
    role->own_name = memory_format("%s/.", name);
    TAILQ_INIT(&role->members);
    if (slash != NULL) {
        char *outer = memory_text(name, (size_t)(slash - name));
        role->parent = role_tree_make(tree, outer);
        role->parent->below++;
        free(outer);
    }
    struct claim *above = role->parent ? &role->parent->claim : &tree->root;
    add_claim(tree, above, &role->claim, role->name);
    add_claim(tree, &role->claim, &role->own, role->own_name);
    string_map_put(&tree->table, &role->entry, role->name, role);
    TAILQ_INSERT_TAIL(&tree->roles, role, link);
    return role;
}

struct role_node *role_tree_make(struct role_tree *tree, const char *name)
{
    struct role_node *role = role_tree_find(tree, name);
    return role ? role : make_role(tree, name);
}

static void destroy_role(struct role_tree *tree, struct role_node *role)
{
    remove_claim(tree, &role->own);
    remove_claim(tree, &role->claim);
    string_map_remove(&tree->table, &role->entry);
    TAILQ_REMOVE(&tree->roles, role, link);
    free(role->own_name);
    free(role->name);
    free(role);
}

void role_tree_drop(struct role_tree *tree, struct role_node *role)
{
    while (role != NULL && TAILQ_EMPTY(&role->members) && role->below == 0 && !role->weighted &&
           !role->has_quota && quantities_empty(&role->reserved)) {
        struct role_node *parent = role->parent;
        destroy_role(tree, role);
        if (parent != NULL)
            parent->below--;
        role = parent;
    }
}

// Roles that were made later may lie below earlier ones.
void role_tree_free(struct role_tree *tree)
{
    while (!TAILQ_EMPTY(&tree->roles))
        destroy_role(tree, TAILQ_LAST(&tree->roles, role_nodes));
    string_map_free(&tree->table);
    quantities_names_free(&tree->names);
    free(tree->root.children);
    free(tree->order);
}

void role_tree_set_weight(struct role_tree *tree, const char *name, double weight)
{
    struct role_node *role = role_tree_make(tree, name);
    role->weighted = true;
    role->claim.weight = weight;
    make_stale(tree);
}

struct quantities role_tree_consumed(const struct role_node *role)
{
    struct quantities consumed = role->reserved;
    quantities_add(&consumed, &role->charged);
    return consumed;
}

// ---- members ----

struct role_member *role_tree_member(struct role_tree *tree, struct master_framework *framework,
                                     const char *framework_id, struct role_members *members,
                                     const char *name)
{
    struct role_member *member;
    TAILQ_FOREACH(member, members, of_framework)
    if (strcmp(member->role->name, name) == 0)
        return member;
    member = memory_new(sizeof *member);
    member->framework = framework;
    member->role = role_tree_make(tree, name);
    member->claim.member = member;
    add_claim(tree, &member->role->own, &member->claim, framework_id);
    TAILQ_INSERT_TAIL(&member->role->members, member, of_role);
    TAILQ_INSERT_TAIL(members, member, of_framework);
    return member;
}

void role_tree_drop_member(struct role_tree *tree, struct role_members *members,
                           struct role_member *member)
{
    if (member->subscribed || member->holds > 0)
        return;
    struct role_node *role = member->role;
    role_tree_activate(tree, member, false);
    TAILQ_REMOVE(&role->members, member, of_role);
    TAILQ_REMOVE(members, member, of_framework);
    remove_claim(tree, &member->claim);
    free(member);
    role_tree_drop(tree, role);
}

void role_tree_activate(struct role_tree *tree, struct role_member *member, bool active)
{
    if ((member->claim.active > 0) == active)
        return;
    for (struct claim *claim = &member->claim; claim != NULL; claim = claim->parent)
        claim->active = active ? claim->active + 1 : claim->active - 1;
    make_stale(tree);
}

// ---- what is given ----

void role_tree_allocate(struct role_tree *tree, struct role_member *member,
                        const struct quantities_charge *charge)
{
    change(tree, &member->claim, charge, true);
    for (struct role_node *role = member->role; role != NULL; role = role->parent)
        quantities_charge_put(&role->charged, charge, QUANTITIES_FREE);
}

void role_tree_release(struct role_tree *tree, struct role_member *member,
                       const struct quantities_charge *charge)
{
    change(tree, &member->claim, charge, false);
    for (struct role_node *role = member->role; role != NULL; role = role->parent)
        quantities_charge_take(&role->charged, charge, QUANTITIES_FREE);
}

// ---- the cluster ----

// The reservations of a list are those of roles, and of all roles that these lie in.
static void reserve(struct role_tree *tree, const struct resources *resources, bool more)
{
    for (size_t i = 0; i < resources->count; i++) {
        const Mesos__V1__Resource *resource = resources->items[i];
        if (resource->n_reservations == 0)
            continue;
        const struct resources one = {&resources->items[i], 1};
        struct quantities amount = quantities_of(&tree->names, &one, QUANTITIES_RESERVED);
        const char *name = resource->reservations[resource->n_reservations - 1]->role;
        struct role_node *role = role_tree_make(tree, name), *inner = role;
        for (; role != NULL; role = role->parent) {
            if (more)
                quantities_add(&role->reserved, &amount);
            else
                quantities_subtract(&role->reserved, &amount);
        }
        role_tree_drop(tree, inner);
    }
}

void role_tree_grow(struct role_tree *tree, const struct resources *resources)
{
    quantities_add_names(&tree->names, resources, NULL);
    struct quantities amount = quantities_of(&tree->names, resources, QUANTITIES_ALL);
    quantities_add(&tree->total, &amount);
    reserve(tree, resources, true);
    make_stale(tree);
}

void role_tree_shrink(struct role_tree *tree, const struct resources *resources)
{
    struct quantities amount = quantities_of(&tree->names, resources, QUANTITIES_ALL);
    quantities_subtract(&tree->total, &amount);
    reserve(tree, resources, false);
    make_stale(tree);
}

// ---- turns ----

static void list_active(struct role_tree *tree, struct claim *claim)
{
    if (claim->member != NULL) {
        if (tree->order_count == tree->order_capacity) {
            tree->order_capacity = tree->order_capacity * 2 + 16;
            tree->order =
                memory_resize(tree->order, tree->order_capacity * sizeof(struct role_member *));
        }
        tree->order[tree->order_count++] = claim->member;
        return;
    }
    for (size_t i = 0; i < claim->child_count && claim->children[i]->active > 0; i++)
        list_active(tree, claim->children[i]);
}

static void refresh(struct role_tree *tree)
{
    if (tree->stale)
        sort(tree, &tree->root);
    tree->stale = false;
}

struct role_member *role_tree_first(struct role_tree *tree)
{
    const struct claim *claim = &tree->root;
    refresh(tree);
    while (claim->member == NULL && claim->active > 0)
        claim = claim->children[0];
    return claim->member;
}

struct role_member *const *role_tree_order(struct role_tree *tree, size_t *count)
{
    refresh(tree);
    if (!tree->ordered) {
        tree->order_count = 0;
        list_active(tree, &tree->root);
        tree->ordered = true;
    }
    *count = tree->order_count;
    return tree->order;
}
