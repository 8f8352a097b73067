// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with the schedules and machines that an operator names, in the words of Mesos.

#ifndef MESOS_LUA_MASTER_MAINTENANCE_VALIDATION_H
#define MESOS_LUA_MASTER_MAINTENANCE_VALIDATION_H

#include "master/maintenance.h"

bool maintenance_validation_schedule(const struct maintenance *maintenance,
                                     const struct maintenance_schedule *schedule,
                                     struct error *err);
bool maintenance_validation_machines(const struct machine_id *ids, size_t count, struct error *err);

char *maintenance_validation_text(const struct machine_id *id); // as JSON, to be freed

// The same for the same machine: the case of its host name does not matter, and a name that is
// missing is not an empty one. To be freed.
char *maintenance_validation_key(const struct machine_id *id);

#endif
