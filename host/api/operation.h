// SPDX-License-Identifier: Apache-2.0
//
// What a C program asks of its driver, on its way to the loop's thread: the message of a call, and
// the function that carries it out there.

#ifndef MESOS_LUA_API_OPERATION_H
#define MESOS_LUA_API_OPERATION_H

#include "base/buffer.h"
#include "mesos/driver.h"

// What an operation is for the offers that field 1 of its message names: they must be outstanding,
// each named once, and are spent by it.
enum operation_offers { OPERATION_NO_OFFERS, OPERATION_OFFERS, OPERATION_INVERSE_OFFERS };

struct driver_operation;

// Carries the operation out, on the loop's thread.
typedef void (*operation_act)(struct driver *driver, const struct driver_operation *operation);

struct driver_operation {
    operation_act act;
    enum call_type type;
    bool all; // of operation_roles(): all roles, without a list
    enum operation_offers offers;
    const char *spent;     // completes "offer X ..."; static
    struct buffer message; // the message of the call
};

#define OPERATION_BYTES_MOST (64u << 20)

struct driver_operation *operation_create(operation_act act);
void operation_destroy(struct driver_operation *operation);

// The functions of operations.
void operation_call(struct driver *driver, const struct driver_operation *operation);
void operation_accept(struct driver *driver, const struct driver_operation *operation);
void operation_decline(struct driver *driver, const struct driver_operation *operation);
void operation_acknowledge(struct driver *driver, const struct driver_operation *operation);
void operation_update_framework(struct driver *driver, const struct driver_operation *operation);
void operation_reconnect(struct driver *driver, const struct driver_operation *operation);
void operation_reregister(struct driver *driver, const struct driver_operation *operation);

// The texts of the roles follow each other in `message`, each with its zero byte.
void operation_roles(struct driver *driver, const struct driver_operation *operation);

#endif
