// SPDX-License-Identifier: Apache-2.0
//
// Maintenance: which machines will be away, and when. The operator's schedule makes machines
// DRAINING: offers of their agents say from when on they are away, and the frameworks that use such
// an agent, or have offers of it, are asked to leave by inverse offers (inverse_offers.h). A
// machine that drains can be taken DOWN: its agents are removed with their tasks. When it is UP
// again, agents like those join the cluster, with ids of their own.
//
// A machine is known by host name and ip, as with a real master: an agent is on it if both are its
// own (the case of host names does not matter). Each machine that has had an agent is known, and
// each that is or was scheduled; of the latter only the last MAINTENANCE_REMEMBERED.
//
// The functions check what they are given, and the errors have the words of Mesos.

#ifndef MESOS_LUA_MASTER_MAINTENANCE_H
#define MESOS_LUA_MASTER_MAINTENANCE_H

#include "agent/agent_description.h"
#include "base/error.h"
#include "base/string_map.h"
#include "offers/resources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct master;
struct node;

#define MAINTENANCE_MACHINES 10000   // in a schedule
#define MAINTENANCE_REMEMBERED 10000 // machines

struct machine_id {
    char *hostname, *ip; // NULL: not given
};

// Nanoseconds since the Unix epoch, and nanoseconds.
struct unavailability {
    int64_t start, duration;
    bool has_duration; // without one it lasts until the operator ends it
};

struct maintenance_window {
    struct machine_id *machines;
    size_t count;
    struct unavailability unavailability;
};

struct maintenance_schedule {
    struct maintenance_window *windows;
    size_t count;
};

enum machine_mode {
    MACHINE_UP,
    MACHINE_DRAINING, // scheduled
    MACHINE_DOWN,
};

// An agent that was taken down with its machine.
struct absent_agent {
    TAILQ_ENTRY(absent_agent) link;
    struct resources resources;
    struct agent_description description;
};

struct machine {
    struct string_map_entry entry;
    TAILQ_ENTRY(machine) link;
    char *key;
    struct machine_id id;
    enum machine_mode mode;
    bool planned; // while a schedule replaces another one: it is in the new one
    struct unavailability unavailability; // unless it is UP
    TAILQ_HEAD(, node) nodes;
    TAILQ_HEAD(, absent_agent) absent;
};

struct maintenance {
    struct string_map table;
    TAILQ_HEAD(machines, machine) machines;
    struct maintenance_schedule schedule;
    size_t scheduled; // machines that are not UP
    size_t idle;      // those that are, and have no agent
};

void maintenance_init(struct maintenance *maintenance);
void maintenance_free(struct maintenance *maintenance); // the nodes have left before

// ---- what an operator does ----

// Replaces the schedule; the contents of the new one are taken if it is valid, and are the caller's
// to free otherwise. Machines that are new in it drain, those that are no longer in it are UP.
bool maintenance_update(struct master *master, struct maintenance_schedule *schedule,
                        struct error *err);

// Takes machines down, which must drain; brings machines up, which must be down. Either all or none
// of them.
bool maintenance_down(struct master *master, const struct machine_id *ids, size_t count,
                      struct error *err);
bool maintenance_up(struct master *master, const struct machine_id *ids, size_t count,
                    struct error *err);

void maintenance_schedule_free(struct maintenance_schedule *schedule); // empties it
void maintenance_ids_free(struct machine_id *ids, size_t count);       // the array, too

#endif
