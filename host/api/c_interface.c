// SPDX-License-Identifier: Apache-2.0
//
// What the functions of mesos_driver.h have in common: see c_interface.h.

#include "api/c_interface.h"

#include <string.h>

static _Thread_local struct error last_error;

struct error *c_interface_error(void)
{
    return &last_error;
}

struct error *c_interface_fresh_error(void)
{
    last_error.code = ERROR_NONE;
    last_error.text[0] = 0;
    return &last_error;
}

const char *mesos_driver_error(void)
{
    return last_error.text;
}

const char *mesos_status_name(enum mesos_status status)
{
    bool known = status >= MESOS_DRIVER_NOT_STARTED && status <= MESOS_DRIVER_STOPPED;
    return known ? driver_status_name((enum driver_status)status) : "no status";
}

bool c_interface_read(void *to, size_t known, const void *from, size_t size, const char *name,
                      struct error *err)
{
    if (from == NULL)
        return error_set(err, ERROR_INVALID, "%s is missing", name);
    if (size < sizeof size)
        return error_set(err, ERROR_INVALID, "%s.size is not set: start from its sizeof", name);
    for (size_t i = known; i < size; i++)
        if (((const uint8_t *)from)[i] != 0)
            return error_set(err, ERROR_INVALID,
                             "%s has members that this version of the library does not know", name);
    memset(to, 0, known);
    memcpy(to, from, size < known ? size : known);
    return true;
}

void *c_interface_unpack(const ProtobufCMessageDescriptor *type, struct slice wire)
{
    if (wire.data == NULL)
        return NULL;
    return protobuf_c_message_unpack(type, NULL, wire.length, wire.data);
}

void c_interface_free(void *message)
{
    protobuf_c_message_free_unpacked(message, NULL);
}
