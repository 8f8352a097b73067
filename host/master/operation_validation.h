// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with an operation on resources, in the words of a master. Faults are texts to be
// freed; NULL: there is none.

#ifndef MESOS_LUA_MASTER_OPERATION_VALIDATION_H
#define MESOS_LUA_MASTER_OPERATION_VALIDATION_H

#include "master/master_records.h"

// An operation that passed operation_validation_form(). Its resources are in the format of
// RESERVATION_REFINEMENT; those of a framework's are allocated to the role of its offers.
struct operation_attempt {
    const Mesos__V1__Offer__Operation *operation;
    const struct node *node;
    const struct master_framework *framework; // NULL: an operator attempts it
    const char *principal;                    // or NULL
};

// True for the types that change resources; not for launches, and not for what is unknown.
bool operation_validation_known(const Mesos__V1__Offer__Operation *operation);

// Whether the message of its type is there, and the form of each resource. It is of a known type.
char *operation_validation_form(const Mesos__V1__Offer__Operation *operation);

char *operation_validation_fault(const struct operation_attempt *attempt);

// How texts of a master name an agent.
char *operation_validation_agent(const struct node *node);

#endif
