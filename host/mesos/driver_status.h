// SPDX-License-Identifier: Apache-2.0
//
// What all drivers have in common: the status that Mesos's drivers have, and how a callback of a
// driver's listener ended.

#ifndef MESOS_LUA_MESOS_DRIVER_STATUS_H
#define MESOS_LUA_MESOS_DRIVER_STATUS_H

enum driver_status { DRIVER_NOT_STARTED = 1, DRIVER_RUNNING, DRIVER_ABORTED, DRIVER_STOPPED };

const char *driver_status_name(enum driver_status status); // "DRIVER_RUNNING"

enum driver_outcome {
    OUTCOME_DONE,    // the callback returned
    OUTCOME_FAILED,  // it raised
    OUTCOME_PENDING, // it ends later, which the listener reports, and the next event waits for that
};

#endif
