// SPDX-License-Identifier: Apache-2.0
//
// What the functions of mesos_driver.h have in common: the error of the calling thread, structs of
// callers that know an earlier or a later version of the header, and messages out of bytes.

#ifndef MESOS_LUA_API_C_INTERFACE_H
#define MESOS_LUA_API_C_INTERFACE_H

#include "base/bytes.h"
#include "base/error.h"
#include "mesos/driver_status.h"
#include "mesos_driver.h"

// Of mesos_driver_error(). The first empties it: an operation begins.
struct error *c_interface_fresh_error(void);
struct error *c_interface_error(void);

// The numbers are those of Mesos in both.
static inline enum mesos_status c_interface_status(enum driver_status status)
{
    return (enum mesos_status)status;
}

// Reads a struct of the caller's version of the header: members that it does not have are zero.
// Members that we do not know must be zero.
bool c_interface_read(void *to, size_t known, const void *from, size_t size, const char *name,
                      struct error *err);

// The message, to be freed with the next, or NULL: malformed, or not there.
void *c_interface_unpack(const ProtobufCMessageDescriptor *type, struct slice wire);
void c_interface_free(void *message);

#endif
