// SPDX-License-Identifier: Apache-2.0
//
// The records of the master; see the header for the invariants that they keep.

#include "master/master_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>

// ---- looking up ----

struct master_framework *master_records_framework(const struct master *master, const char *id)
{
    return string_map_find(&master->framework_table, id);
}

struct node *master_records_node(const struct master *master, const Mesos__V1__AgentID *id)
{
    return id ? string_map_find(&master->node_table, id->value) : NULL;
}

struct node *master_records_any_node(const struct master *master, const Mesos__V1__AgentID *id)
{
    struct node *node = master_records_node(master, id);
    return node != NULL || id == NULL ? node : string_map_find(&master->lost_table, id->value);
}

struct master_offer *master_records_offer(const struct master *master, const char *id)
{
    return offer_numbers_find(&master->offers, id);
}

struct master_task *master_records_task(const struct master_framework *framework, const char *id)
{
    return string_map_find(&framework->task_table, id);
}

struct role *master_records_role(const struct master_framework *framework, const char *name)
{
    for (size_t i = 0; i < framework->role_count; i++)
        if (strcmp(framework->roles[i].name, name) == 0)
            return &framework->roles[i];
    return NULL;
}

// ---- roles ----

static struct role_member *member_of(struct master_framework *framework, const char *role)
{
    return role_tree_member(&framework->master->roles, framework, framework->id,
                            &framework->members, role);
}

// Lets go of a member that an offer or a task referred to.
static void leave(struct role_member *member)
{
    struct master_framework *framework = member->framework;
    member->holds--;
    role_tree_drop_member(&framework->master->roles, &framework->members, member);
}

static bool is_subscribed(const struct master_framework *framework, const char *role)
{
    return master_records_role(framework, role) != NULL;
}

// Forgets the filters of roles that it left, and the roles if it holds nothing in them.
static void drop_left(struct master_framework *framework)
{
    for (struct role_member *member = TAILQ_FIRST(&framework->members), *next; member != NULL;
         member = next) {
        next = TAILQ_NEXT(member, of_framework);
        member->subscribed = is_subscribed(framework, member->role->name);
        if (!member->subscribed)
            framework->master->events->role_left(framework, member->role->name);
        role_tree_drop_member(&framework->master->roles, &framework->members, member);
    }
}

void master_records_set_roles(struct master_framework *framework, char **names, size_t count,
                              const bool *suppressed)
{
    free(framework->roles);
    framework->roles = memory_new(count * sizeof *framework->roles);
    framework->role_count = count;
    for (size_t i = 0; i < count; i++) {
        struct role_member *member = member_of(framework, names[i]);
        framework->roles[i] = (struct role){member->role->name, suppressed[i], member};
    }
    drop_left(framework);
    master_records_activate(framework);
}

void master_records_activate(struct master_framework *framework)
{
    struct role_member *member;
    TAILQ_FOREACH(member, &framework->members, of_framework)
    {
        const struct role *role = master_records_role(framework, member->role->name);
        role_tree_activate(&framework->master->roles, member,
                           framework->connected && role != NULL && !role->suppressed);
    }
}

// ---- nodes ----

static void count(struct node *node)
{
    quantities_charge_free(&node->counted);
    quantities_charge_of(&node->counted, &node->master->roles.names, &node->free);
}

// What is free on the node has changed.
static void recount(struct node *node)
{
    struct master *master = node->master;
    quantities_charge_take(&master->free, &node->counted, QUANTITIES_FREE);
    count(node);
    quantities_charge_put(&master->free, &node->counted, QUANTITIES_FREE);
    master->quota_moved = true;
}

void master_records_add_node(struct node *node)
{
    role_tree_grow(&node->master->roles, &node->total);
    recount(node);
}

void master_records_remove_node(struct node *node)
{
    role_tree_shrink(&node->master->roles, &node->total);
    offer_encoding_free(&node->encoding);
    resources_free(&node->free);
    recount(node);
}

// A list of resources of the node has become another one.
static void note_change(struct node *node)
{
    node->encoding.encoded = NULL;
}

void master_records_convert(struct node *node, const struct resources *from,
                            const struct resources *to)
{
    struct role_tree *tree = &node->master->roles;
    role_tree_shrink(tree, from);
    role_tree_grow(tree, to);
    note_change(node);
    resources_subtract(&node->total, from);
    resources_add(&node->total, to);
    recount(node);
}

// What the member has, and what is free in the cluster, becomes more or less by the charge.
static void account(struct role_member *member, const struct quantities_charge *charge, bool given)
{
    struct master *master = member->framework->master;
    if (given) {
        role_tree_allocate(&master->roles, member, charge);
        quantities_charge_take(&master->free, charge, QUANTITIES_FREE);
    } else {
        role_tree_release(&master->roles, member, charge);
        quantities_charge_put(&master->free, charge, QUANTITIES_FREE);
    }
    master->quota_moved = true;
}

// A list of resources of that charge has left what is free on the node, or has come to it.
static void count_change(struct node *node, const struct quantities_charge *charge, bool given)
{
    if (node->counted.closed != NULL || charge->closed != NULL) {
        count(node);
        return;
    }
    for (size_t i = 0; i < QUANTITIES_KNOWN; i++) {
        if (given)
            node->counted.open[i] -= charge->open[i];
        else
            quantities_add_amount(&node->counted.open[i], charge->open[i]);
    }
}

// Moves resources without an allocation from what is free on the node to the member, or back. Those
// that are shared stay free.
static void give(struct role_member *member, struct node *node, const struct resources *resources,
                 const struct quantities_charge *charge)
{
    note_change(node);
    resources_subtract_unshared(&node->free, resources);
    count_change(node, charge, true);
    account(member, charge, true);
}

static void take_back(struct role_member *member, struct node *node,
                      const struct resources *resources, const struct quantities_charge *charge)
{
    note_change(node);
    resources_add_unshared(&node->free, resources);
    count_change(node, charge, false);
    account(member, charge, false);
    node_turns_wake(node, NODE_WAITS, NULL);
}

// The same for resources that are allocated to the role while the member has them.
static void allocate(struct role_member *member, struct node *node,
                     const struct resources *resources)
{
    struct quantities_charge charge;
    struct resources unallocated;
    quantities_charge_of(&charge, &node->master->roles.names, resources);
    resources_view_unallocated(&unallocated, resources);
    give(member, node, &unallocated, &charge);
    free(unallocated.items);
    quantities_charge_free(&charge);
}

static void release(struct role_member *member, struct node *node,
                    const struct resources *resources)
{
    struct quantities_charge charge;
    struct resources unallocated;
    quantities_charge_of(&charge, &node->master->roles.names, resources);
    resources_view_unallocated(&unallocated, resources);
    take_back(member, node, &unallocated, &charge);
    free(unallocated.items);
    quantities_charge_free(&charge);
}

// ---- offers ----

static void on_offer_timeout(void *data)
{
    struct master_offer *offer = data;
    log_debug("offer %s of framework %s was not answered in time", offer->id, offer->framework->id);
    master_records_rescind_offer(offer);
}

// "<id of the master>-O17". Many are made, and printf takes longer than all else that an offer
// needs.
static void make_id(char id[MASTER_OFFER_ID], const struct master *master, uint64_t number)
{
    enum { PREFIX = UUID_TEXT - 1 };
    char digits[MASTER_OFFER_ID - PREFIX];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(id, master->id, PREFIX);
    memcpy(id + PREFIX, "-O", 2);
    memcpy(id + PREFIX + 2, digits + at, sizeof digits - at);
}

// All that is free moves as it is.
static void take_all(struct master_offer *offer)
{
    struct node *node = offer->node;
    offer->whole = true;
    offer->resources = node->free;
    offer->charge = node->counted;
    node->free = (struct resources){0};
    node->counted = (struct quantities_charge){.closed = NULL};
    account(offer->member, &offer->charge, true);
}

static void take_part(struct master_offer *offer, const struct resources *resources)
{
    struct node *node = offer->node;
    resources_copy(&offer->resources, resources);
    quantities_charge_of(&offer->charge, &node->master->roles.names, resources);
    give(offer->member, node, &offer->resources, &offer->charge);
}

struct master_offer *master_records_make_offer(struct role_member *member, struct node *node,
                                               const struct resources *resources)
{
    struct master_framework *framework = member->framework;
    struct master *master = framework->master;
    struct master_offer *offer = block_pool_take(&master->offer_blocks, sizeof *offer);
    *offer = (struct master_offer){.number = master->next_offer++,
                                   .framework = framework,
                                   .node = node,
                                   .member = member,
                                   .role = member->role->name,
                                   .made = loop_now(master->loop)};
    make_id(offer->id, master, offer->number);
    member->holds++;
    timer_init(&offer->timeout, master->loop, on_offer_timeout, offer);
    if (master->offer_timeout > 0)
        timer_start(&offer->timeout, master->offer_timeout);
    if (resources == NULL)
        take_all(offer);
    else
        take_part(offer, resources);
    offer_numbers_put(&master->offers, offer);
    TAILQ_INSERT_TAIL(&framework->offers, offer, of_framework);
    TAILQ_INSERT_TAIL(&node->offers, offer, of_node);
    framework->new_offers++;
    history_offer_made(offer);
    return offer;
}

// Gives back what the offer had. If nothing else is free on the node, it is moved.
static void give_back(struct master_offer *offer)
{
    struct node *node = offer->node;
    if (node->free.count > 0) {
        take_back(offer->member, node, &offer->resources, &offer->charge);
        return;
    }
    account(offer->member, &offer->charge, false);
    resources_free(&node->free);
    quantities_charge_free(&node->counted);
    node->free = offer->resources;
    node->counted = offer->charge;
    offer->resources = (struct resources){0};
    offer->charge = (struct quantities_charge){.closed = NULL};
    node_turns_wake(node, NODE_WAITS, NULL);
}

void master_records_remove_offer(struct master_offer *offer, enum offer_end end)
{
    struct master_framework *framework = offer->framework;
    history_offer_ended(offer, end);
    timer_stop(&offer->timeout);
    give_back(offer);
    offer_numbers_remove(&framework->master->offers, offer);
    TAILQ_REMOVE(&framework->offers, offer, of_framework);
    TAILQ_REMOVE(&offer->node->offers, offer, of_node);
    resources_free(&offer->resources);
    quantities_charge_free(&offer->charge);
    leave(offer->member);
    block_pool_give(&framework->master->offer_blocks, offer);
}

void master_records_rescind_offer(struct master_offer *offer)
{
    offer->framework->master->events->offer_rescinded(offer);
    master_records_remove_offer(offer, OFFER_END_RESCINDED);
}

// ---- tasks ----

static void list_task(struct master_task *task)
{
    struct master_framework *framework = task->framework;
    string_map_put(&framework->task_table, &task->entry, task->id, task);
    TAILQ_INSERT_TAIL(&framework->tasks, task, link);
    TAILQ_INSERT_TAIL(&task->node->tasks, task, of_node);
}

struct master_task *master_records_add_task(struct master_framework *framework, struct node *node,
                                            const char *role, const Mesos__V1__TaskInfo *info,
                                            const struct resources *resources)
{
    struct master_task *task = memory_new(sizeof *task);
    task->framework = framework;
    task->node = node;
    task->id = memory_string(info->task_id->value);
    task->name = memory_string(info->name);
    task->member = member_of(framework, role);
    task->member->holds++;
    task->role = task->member->role->name;
    task->state = task->forwarded = task->reported = MESOS__V1__TASK_STATE__TASK_STAGING;
    task->holds = true;
    allocate(task->member, node, resources);
    task->resources = resources_packed_make(resources);
    list_task(task);
    history_task_added(task, info, resources);
    history_task_launched(task, info, resources);
    return task;
}

// Frees its resources; a second call does nothing.
static void release_task(struct master_task *task)
{
    struct resources held;
    if (!task->holds)
        return;
    resources_packed_open(&held, task->resources);
    release(task->member, task->node, &held);
    resources_free(&held);
    task->holds = false;
}

static void hold_again(struct master_task *task)
{
    struct resources held;
    resources_packed_open(&held, task->resources);
    allocate(task->member, task->node, &held);
    resources_free(&held);
}

void master_records_take_state(struct master_task *task)
{
    task->state = task->reported;
    if (agent_terminal(task->state))
        release_task(task);
    history_task_entered(task);
}

static void unlist_task(struct master_task *task)
{
    bool known = task->key == NULL;
    string_map_remove(known ? &task->framework->task_table : &task->node->absent, &task->entry);
    if (known) {
        TAILQ_REMOVE(&task->framework->tasks, task, link);
        TAILQ_REMOVE(&task->node->tasks, task, of_node);
    } else {
        TAILQ_REMOVE(&task->node->absent_tasks, task, link);
    }
    if (!known && task->framework != NULL)
        task->framework->absent_tasks--;
    free(task->key);
    task->key = NULL;
}

void master_records_detach_task(struct master_task *task)
{
    struct node *node = task->node;
    release_task(task);
    unlist_task(task);
    task->absent_role = memory_string(task->role);
    task->role = task->absent_role;
    leave(task->member);
    task->member = NULL;
    task->kill_wanted = false;
    task->framework->absent_tasks++;
    task->key = memory_format("%s/%s", task->framework->id, task->id);
    string_map_put(&node->absent, &task->entry, task->key, task);
    TAILQ_INSERT_TAIL(&node->absent_tasks, task, link);
}

void master_records_attach_task(struct master_task *task)
{
    struct master_framework *framework = task->framework;
    unlist_task(task);
    task->member = member_of(framework, task->absent_role);
    task->member->holds++;
    task->role = task->member->role->name;
    free(task->absent_role);
    task->absent_role = NULL;
    list_task(task);
    task->state = task->forwarded = task->reported;
    task->holds = !agent_terminal(task->state);
    if (task->holds)
        hold_again(task);
    history_task_entered(task);
}

void master_records_remove_task(struct master_task *task)
{
    node_drain_note(&task->node->drain);
    history_task_forgotten(task);
    release_task(task);
    if (task->key == NULL)
        history_task_removed(task);
    else
        task_record_destroy(task->record);
    unlist_task(task);
    if (task->check != NULL)
        mesos__v1__check_status_info__free_unpacked(task->check, NULL);
    free(task->resources);
    bytes_unref(task->container);
    if (task->member != NULL)
        leave(task->member);
    free(task->absent_role);
    free(task->name);
    free(task->id);
    free(task);
}

// ---- executors ----

static char *executor_key(const struct node *node, const char *id)
{
    return memory_format("%s/%s", node->id, id);
}

struct master_executor *master_records_executor(const struct master_framework *framework,
                                                const struct node *node, const char *id)
{
    char *key = executor_key(node, id);
    struct master_executor *executor = string_map_find(&framework->executor_table, key);
    free(key);
    return executor;
}

struct master_executor *master_records_add_executor(struct master_framework *framework,
                                                    struct node *node, const char *role,
                                                    const Mesos__V1__ExecutorInfo *info,
                                                    const struct resources *resources)
{
    struct master_executor *executor = memory_new(sizeof *executor);
    executor->framework = framework;
    executor->node = node;
    executor->key = executor_key(node, info->executor_id->value);
    executor->info = message_copy(&info->base);
    executor->member = member_of(framework, role);
    executor->member->holds++;
    resources_copy(&executor->resources, resources);
    resources_allocate(&executor->resources, executor->member->role->name);
    allocate(executor->member, node, &executor->resources);
    string_map_put(&framework->executor_table, &executor->entry, executor->key, executor);
    TAILQ_INSERT_TAIL(&framework->executors, executor, of_framework);
    TAILQ_INSERT_TAIL(&node->executors, executor, of_node);
    return executor;
}

void master_records_remove_executor(struct master_executor *executor)
{
    release(executor->member, executor->node, &executor->resources);
    string_map_remove(&executor->framework->executor_table, &executor->entry);
    TAILQ_REMOVE(&executor->framework->executors, executor, of_framework);
    TAILQ_REMOVE(&executor->node->executors, executor, of_node);
    resources_free(&executor->resources);
    leave(executor->member);
    mesos__v1__executor_info__free_unpacked(executor->info, NULL);
    free(executor->key);
    free(executor);
}

// ---- agents ----

void master_records_lose_node(struct node *node, enum node_state state)
{
    struct master *master = node->master;
    bool registered = node->state <= NODE_DISCONNECTED;
    node->state = state;
    if (!registered)
        return;
    master->events->node_lost(node);
    node_turns_forget(node);
    master_records_remove_node(node);
    string_map_remove(&master->node_table, &node->entry);
    TAILQ_REMOVE(&master->nodes, node, link);
    string_map_put(&master->lost_table, &node->entry, node->id, node);
    TAILQ_INSERT_TAIL(&master->lost, node, link);
}

void master_records_register_node(struct node *node)
{
    struct master *master = node->master;
    if (node->state > NODE_DISCONNECTED) {
        string_map_remove(&master->lost_table, &node->entry);
        TAILQ_REMOVE(&master->lost, node, link);
    }
    node->state = NODE_REGISTERED;
    node->unreachable_since = 0;
    resources_copy(&node->free, &node->total);
    master_records_add_node(node);
    string_map_put(&master->node_table, &node->entry, node->id, node);
    TAILQ_INSERT_TAIL(&master->nodes, node, link);
}

bool master_records_offerable(const struct node *node)
{
    return node->state == NODE_REGISTERED && !node->deactivated;
}

void master_records_free_node(struct node *node)
{
    node->master->events->node_freed(node);
    agent_destroy(node->agent);
    deferral_cancel(&node->drain.check); // tasks that went with it may have queued it
    resources_free(&node->total);
    resources_free(&node->free);
    quantities_charge_free(&node->counted);
    resources_free(&node->shared_offered);
    offer_encoding_free(&node->encoding);
    agent_description_free(&node->description);
    free(node->hostname);
    free(node->id);
    free(node);
}
