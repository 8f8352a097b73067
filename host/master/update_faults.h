// SPDX-License-Identifier: Apache-2.0
//
// Updates of tasks on their way from agents to frameworks: on request they are late, come twice, or
// do not come. An agent sends an update that was dropped again after 10 seconds, as it is not
// acknowledged.

#ifndef MESOS_LUA_MASTER_UPDATE_FAULTS_H
#define MESOS_LUA_MASTER_UPDATE_FAULTS_H

#include "master/master_records.h"

#define UPDATE_FAULTS_LATE 100000 // the most updates that are late at a time

// Sends the update of a task to its framework, unless a fault keeps it.
void update_faults_send(const struct master_task *task, struct status_update *update);

void update_faults_delay(struct master *master, uint64_t delay);    // of each; 0: none
void update_faults_double(struct master *master, unsigned updates); // so many, from now on
void update_faults_drop(struct master *master, unsigned updates);

void update_faults_init(struct master *master);
void update_faults_stop(struct master *master); // drops what is late

#endif
