// SPDX-License-Identifier: Apache-2.0
//
// The callbacks of a C program (struct mesos_scheduler): the bytes of an event become the structs
// of protobuf-c, which are freed when the callback returns.

#ifndef MESOS_LUA_API_C_CALLBACKS_H
#define MESOS_LUA_API_C_CALLBACKS_H

#include "mesos/events.h"
#include "mesos_driver.h"

struct c_callbacks {
    struct mesos_scheduler scheduler;
    struct mesos_driver *driver;
    void *data;
};

// Calls the function of the event, if the program has one. False if the event cannot be unpacked,
// which is logged. The program may destroy the driver, and `program` with it.
bool c_callbacks_call(const struct c_callbacks *program, const struct driver_event *event);

#endif
