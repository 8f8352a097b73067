// SPDX-License-Identifier: Apache-2.0
//
// The books of maintenance; see the header. A machine that is in a window of the schedule is
// DRAINING or DOWN, every other one is UP.

#include "master/maintenance.h"

#include "master/inverse_offers.h"
#include "master/machines.h"
#include "master/maintenance_validation.h"
#include "master/master_internal.h"
#include "master/node_arrival.h"

#include <stdlib.h>

// ---- schedules ----

void maintenance_ids_free(struct machine_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        machines_free_id(&ids[i]);
    free(ids);
}

void maintenance_schedule_free(struct maintenance_schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++)
        maintenance_ids_free(schedule->windows[i].machines, schedule->windows[i].count);
    free(schedule->windows);
    *schedule = (struct maintenance_schedule){NULL, 0};
}

// ---- the schedule changes ----

// Offers and inverse offers of the machine's agents were made for the former plan.
static void take_back(struct machine *machine)
{
    struct node *node;
    TAILQ_FOREACH(node, &machine->nodes, on_machine)
    {
        while (!TAILQ_EMPTY(&node->offers))
            master_records_rescind_offer(TAILQ_FIRST(&node->offers));
        inverse_offers_forget_node(node);
    }
}

static void plan(struct master *master, const struct maintenance_window *window)
{
    for (size_t i = 0; i < window->count; i++) {
        struct machine *machine = machines_obtain(master, &window->machines[i]);
        if (machine->mode == MACHINE_UP)
            machines_set_mode(master, machine, MACHINE_DRAINING);
        machine->planned = true;
        machine->unavailability = window->unavailability;
        take_back(machine);
    }
}

static void release_unplanned(struct master *master)
{
    struct machine *machine;
    TAILQ_FOREACH(machine, &master->maintenance.machines, link)
    {
        bool planned = machine->planned;
        machine->planned = false;
        if (machine->mode == MACHINE_UP || planned)
            continue;
        machines_set_mode(master, machine, MACHINE_UP);
        take_back(machine);
    }
}

bool maintenance_update(struct master *master, struct maintenance_schedule *schedule,
                        struct error *err)
{
    struct maintenance *maintenance = &master->maintenance;
    if (!maintenance_validation_schedule(maintenance, schedule, err))
        return false;
    for (size_t i = 0; i < schedule->count; i++)
        plan(master, &schedule->windows[i]);
    release_unplanned(master);
    maintenance_schedule_free(&maintenance->schedule);
    maintenance->schedule = *schedule;
    *schedule = (struct maintenance_schedule){NULL, 0};
    node_turns_hurry_all(master);
    return true;
}

// ---- down and up ----

// They must all be in that mode. The texts are what a machine lacks otherwise.
static bool check_modes(const struct master *master, const struct machine_id *ids, size_t count,
                        enum machine_mode mode, struct error *err)
{
    const char *lack = mode == MACHINE_DRAINING
                           ? "is not in DRAINING mode and cannot be brought down"
                           : "is not in DOWN mode and cannot be brought up";
    if (!maintenance_validation_machines(ids, count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct machine *machine = machines_find(master, &ids[i]);
        if (machine != NULL && machine->mode == mode)
            continue;
        char *text = maintenance_validation_text(&ids[i]);
        error_set(err, ERROR_REFUSED, "Machine '%s' %s", text,
                  machine ? lack : "is not part of a maintenance schedule");
        free(text);
        return false;
    }
    return true;
}

static void remove_agents(struct machine *machine)
{
    while (!TAILQ_EMPTY(&machine->nodes)) {
        struct node *node = TAILQ_FIRST(&machine->nodes);
        machines_keep_absent(machine, &node->total, &node->description);
        agent_removal_start(node, "Operator initiated 'Machine DOWN'");
    }
}

bool maintenance_down(struct master *master, const struct machine_id *ids, size_t count,
                      struct error *err)
{
    if (!check_modes(master, ids, count, MACHINE_DRAINING, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct machine *machine = machines_find(master, &ids[i]);
        machines_set_mode(master, machine, MACHINE_DOWN);
        remove_agents(machine);
    }
    return true;
}

static void drop_up(const struct master *master, struct maintenance_window *window)
{
    size_t kept = 0;
    for (size_t i = 0; i < window->count; i++) {
        const struct machine *machine = machines_find(master, &window->machines[i]);
        if (machine == NULL || machine->mode == MACHINE_UP)
            machines_free_id(&window->machines[i]);
        else
            window->machines[kept++] = window->machines[i];
    }
    window->count = kept;
}

// Machines that are up leave the schedule. Windows without machines go with their last one.
static void unschedule(struct master *master)
{
    struct maintenance_schedule *schedule = &master->maintenance.schedule;
    size_t kept = 0;
    for (size_t i = 0; i < schedule->count; i++) {
        struct maintenance_window *window = &schedule->windows[i];
        drop_up(master, window);
        if (window->count == 0)
            free(window->machines);
        else
            schedule->windows[kept++] = *window;
    }
    schedule->count = kept;
}

static void return_agents(struct master *master, struct machine *machine)
{
    while (!TAILQ_EMPTY(&machine->absent)) {
        struct absent_agent *absent = TAILQ_FIRST(&machine->absent);
        TAILQ_REMOVE(&machine->absent, absent, link);
        node_arrival_add(master, &absent->resources, &absent->description);
        resources_free(&absent->resources);
        agent_description_free(&absent->description);
        free(absent);
    }
}

bool maintenance_up(struct master *master, const struct machine_id *ids, size_t count,
                    struct error *err)
{
    if (!check_modes(master, ids, count, MACHINE_DOWN, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct machine *machine = machines_find(master, &ids[i]);
        machines_set_mode(master, machine, MACHINE_UP);
        return_agents(master, machine);
    }
    unschedule(master);
    return true;
}

// ---- life ----

void maintenance_init(struct maintenance *maintenance)
{
    TAILQ_INIT(&maintenance->machines);
}

void maintenance_free(struct maintenance *maintenance)
{
    while (!TAILQ_EMPTY(&maintenance->machines))
        machines_free(maintenance, TAILQ_FIRST(&maintenance->machines));
    maintenance_schedule_free(&maintenance->schedule);
    string_map_free(&maintenance->table);
}
