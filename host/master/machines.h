// SPDX-License-Identifier: Apache-2.0
//
// The machines that agents are on, and what maintenance (maintenance.h) has planned for each.

#ifndef MESOS_LUA_MASTER_MACHINES_H
#define MESOS_LUA_MASTER_MACHINES_H

#include "master/maintenance.h"

struct machine *machines_find(const struct master *master, const struct machine_id *id); // or NULL

// The same; it is made, and UP, if there is none.
struct machine *machines_obtain(struct master *master, const struct machine_id *id);

void machines_free(struct maintenance *maintenance, struct machine *machine); // no agent is on it
void machines_free_id(struct machine_id *id);                                 // empties it

void machines_set_mode(struct master *master, struct machine *machine, enum machine_mode mode);

// Keeps what an agent is like for the time when its machine is up again. The description is taken.
void machines_keep_absent(struct machine *machine, const struct resources *resources,
                          struct agent_description *description);

// True if the machine of such an agent is down: then the agent is kept, and its description is
// taken.
bool machines_refuse(struct master *master, const char *hostname, const struct resources *resources,
                     struct agent_description *description);

void machines_join(struct node *node, const char *hostname); // a new agent
void machines_leave(struct node *node); // it is removed, and has no inverse offers

// When the agent will be away; NULL: nothing is scheduled.
const struct unavailability *machines_plan(const struct node *node);

#endif
