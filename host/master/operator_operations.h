// SPDX-License-Identifier: Apache-2.0
//
// Operations on resources that an operator asks for: /reserve, /unreserve, /create-volumes,
// /destroy-volumes, and the calls of the v1 operator API.

#ifndef MESOS_LUA_MASTER_OPERATOR_OPERATIONS_H
#define MESOS_LUA_MASTER_OPERATOR_OPERATIONS_H

#include "master/master.h"

// Carries out RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME on what frameworks
// do not use of an agent. Offers that have what it needs are rescinded, and their frameworks are
// not offered it again for 5 seconds. Resources may be in either format, and have no allocation.
// `principal` is that of the request, or NULL. 202; or 400 or 409 and what is wrong, in the words
// of a master; texts longer than struct error are cut. Other types are 400.
struct master_answer operator_operations_apply(struct master *master, const char *agent_id,
                                               const Mesos__V1__Offer__Operation *operation,
                                               const char *principal);

#endif
