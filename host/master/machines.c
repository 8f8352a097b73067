// SPDX-License-Identifier: Apache-2.0
//
// Machines; see the header.

#include "master/machines.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/maintenance_validation.h"
#include "master/master_records.h"

#include <stdlib.h>

void machines_free_id(struct machine_id *id)
{
    free(id->hostname);
    free(id->ip);
    *id = (struct machine_id){NULL, NULL};
}

struct machine *machines_find(const struct master *master, const struct machine_id *id)
{
    char *key = maintenance_validation_key(id);
    struct machine *machine = string_map_find(&master->maintenance.table, key);
    free(key);
    return machine;
}

static bool is_idle(const struct machine *machine)
{
    return machine->mode == MACHINE_UP && TAILQ_EMPTY(&machine->nodes);
}

void machines_free(struct maintenance *maintenance, struct machine *machine)
{
    maintenance->idle -= is_idle(machine);
    string_map_remove(&maintenance->table, &machine->entry);
    TAILQ_REMOVE(&maintenance->machines, machine, link);
    while (!TAILQ_EMPTY(&machine->absent)) {
        struct absent_agent *absent = TAILQ_FIRST(&machine->absent);
        TAILQ_REMOVE(&machine->absent, absent, link);
        resources_free(&absent->resources);
        agent_description_free(&absent->description);
        free(absent);
    }
    machines_free_id(&machine->id);
    free(machine->key);
    free(machine);
}

static void forget_idle(struct maintenance *maintenance)
{
    for (struct machine *machine = TAILQ_FIRST(&maintenance->machines), *next; machine != NULL;
         machine = next) {
        next = TAILQ_NEXT(machine, link);
        if (is_idle(machine))
            machines_free(maintenance, machine);
    }
}

struct machine *machines_obtain(struct master *master, const struct machine_id *id)
{
    struct maintenance *maintenance = &master->maintenance;
    struct machine *machine = machines_find(master, id);
    if (machine != NULL)
        return machine;
    if (maintenance->table.count >= MAINTENANCE_REMEMBERED && maintenance->idle > 0)
        forget_idle(maintenance);
    machine = memory_new(sizeof *machine);
    machine->id.hostname = memory_string(id->hostname);
    machine->id.ip = memory_string(id->ip);
    machine->key = maintenance_validation_key(id);
    TAILQ_INIT(&machine->nodes);
    TAILQ_INIT(&machine->absent);
    string_map_put(&maintenance->table, &machine->entry, machine->key, machine);
    TAILQ_INSERT_TAIL(&maintenance->machines, machine, link);
    maintenance->idle++;
    return machine;
}

void machines_set_mode(struct master *master, struct machine *machine, enum machine_mode mode)
{
    static const char *const names[] = {
        [MACHINE_UP] = "up", [MACHINE_DRAINING] = "to be drained", [MACHINE_DOWN] = "down"};
    if (machine->mode == mode)
        return;
    master->maintenance.scheduled += mode != MACHINE_UP;
    master->maintenance.scheduled -= machine->mode != MACHINE_UP;
    master->maintenance.idle -= is_idle(machine);
    machine->mode = mode;
    master->maintenance.idle += is_idle(machine);
    char *text = maintenance_validation_text(&machine->id);
    log_info("machine %s is %s", text, names[mode]);
    free(text);
}

// ---- agents ----

void machines_keep_absent(struct machine *machine, const struct resources *resources,
                          struct agent_description *description)
{
    struct absent_agent *absent = memory_new(sizeof *absent);
    resources_copy(&absent->resources, resources);
    absent->description = *description;
    *description = (struct agent_description){0};
    TAILQ_INSERT_TAIL(&machine->absent, absent, link);
}

bool machines_refuse(struct master *master, const char *hostname, const struct resources *resources,
                     struct agent_description *description)
{
    const struct machine_id id = {(char *)(uintptr_t)hostname, master->ip};
    struct machine *machine = machines_find(master, &id);
    if (machine == NULL || machine->mode != MACHINE_DOWN)
        return false;
    log_info("an agent cannot join: machine '%s' is down", hostname);
    machines_keep_absent(machine, resources, description);
    return true;
}

void machines_join(struct node *node, const char *hostname)
{
    const struct machine_id id = {(char *)(uintptr_t)hostname, node->master->ip};
    node->machine = machines_obtain(node->master, &id);
    node->master->maintenance.idle -= is_idle(node->machine);
    TAILQ_INSERT_TAIL(&node->machine->nodes, node, on_machine);
}

void machines_leave(struct node *node)
{
    TAILQ_REMOVE(&node->machine->nodes, node, on_machine);
    node->master->maintenance.idle += is_idle(node->machine);
    node->machine = NULL;
}

const struct unavailability *machines_plan(const struct node *node)
{
    const struct machine *machine = node->machine;
    return machine != NULL && machine->mode != MACHINE_UP ? &machine->unavailability : NULL;
}
