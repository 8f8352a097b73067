// SPDX-License-Identifier: Apache-2.0
//
// The names of the statuses: see driver_status.h.

#include "mesos/driver_status.h"

const char *driver_status_name(enum driver_status status)
{
    static const char *const names[] = {"", "DRIVER_NOT_STARTED", "DRIVER_RUNNING",
                                        "DRIVER_ABORTED", "DRIVER_STOPPED"};
    return names[status];
}
