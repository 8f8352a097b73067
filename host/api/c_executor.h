// SPDX-License-Identifier: Apache-2.0
//
// The callbacks of an executor in C (struct mesos_executor): the bytes of an event become the
// structs of protobuf-c, which are freed when the callback returns.

#ifndef MESOS_LUA_API_C_EXECUTOR_H
#define MESOS_LUA_API_C_EXECUTOR_H

#include "executor/executor_events.h"
#include "mesos_driver.h"

struct c_executor {
    struct mesos_executor executor;
    struct mesos_executor_driver *driver;
    void *data;
};

// Calls the function of the event. False if the program has none. The program may destroy the
// driver, and `program` with it.
bool c_executor_call(const struct c_executor *program, const struct executor_event *event);

#endif
