// SPDX-License-Identifier: Apache-2.0
//
// What the checks of operations on resources have in common. A fault is a text to be freed; NULL:
// there is none. For the files of the checks only.

#ifndef MESOS_LUA_MASTER_OPERATION_RULES_H
#define MESOS_LUA_MASTER_OPERATION_RULES_H

#include "master/operation_validation.h"

// "context: fault", or NULL if there is no fault, which is freed.
char *operation_rules_within(const char *context, char *fault);

// A fault that has the resource between two texts.
char *operation_rules_about(const char *before, const Mesos__V1__Resource *resource,
                            const char *behind);

char *operation_rules_fault(bool good, const struct error *err); // NULL if it is good

// Gpus, disks and reservations of the resources.
char *operation_rules_list(Mesos__V1__Resource *const *items, size_t count);

// All are of the agent, or of the same resource provider; there is at least one.
char *operation_rules_provider(Mesos__V1__Resource *const *items, size_t count);

char *operation_rules_resources(Mesos__V1__Resource *const *items, size_t count); // both of these
char *operation_rules_single_role(Mesos__V1__Resource *const *items, size_t count);

// ---- the checks of each type ----

char *reservation_validation_reserve(const struct operation_attempt *attempt);
char *reservation_validation_unreserve(const struct operation_attempt *attempt);

char *volume_validation_create(const struct operation_attempt *attempt);
char *volume_validation_destroy(const struct operation_attempt *attempt);
char *volume_validation_grow(const struct operation_attempt *attempt);
char *volume_validation_shrink(const struct operation_attempt *attempt);
char *volume_validation_create_disk(const struct operation_attempt *attempt);
char *volume_validation_destroy_disk(const struct operation_attempt *attempt);

#endif
