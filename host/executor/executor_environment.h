// SPDX-License-Identifier: Apache-2.0
//
// What an agent tells an executor: the MESOS_ variables that it starts the executor with.

#ifndef MESOS_LUA_EXECUTOR_EXECUTOR_ENVIRONMENT_H
#define MESOS_LUA_EXECUTOR_EXECUTOR_ENVIRONMENT_H

#include "base/error.h"
#include "net/peer_api.h"

// Texts are owned; NULL: not set. Times are in seconds.
struct executor_environment {
    char *endpoint;      // MESOS_AGENT_ENDPOINT: "ip:port" of the agent
    char *socket;        // MESOS_DOMAIN_SOCKET: to be used in place of it
    char *framework_id;  // MESOS_FRAMEWORK_ID
    char *executor_id;   // MESOS_EXECUTOR_ID
    char *agent_id;      // MESOS_AGENT_ID or MESOS_SLAVE_ID
    char *sandbox;       // MESOS_SANDBOX or MESOS_DIRECTORY
    char *token;         // MESOS_EXECUTOR_AUTHENTICATION_TOKEN
    bool checkpoint;     // MESOS_CHECKPOINT: the executor outlives its agent
    double recovery;     // MESOS_RECOVERY_TIMEOUT: for so long
    double backoff_max;  // MESOS_SUBSCRIPTION_BACKOFF_MAX: between two tries
    double grace_period; // MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD
    char *path;          // of the API at the agent
    struct peer_api api; // all of that for the transport; valid as long as the struct
};

// Reads the variables, and removes the token from the environment, so that children do not see it.
// False, and `err` names the variable, if one is missing or wrong. Either way the struct is to be
// freed.
bool executor_environment_read(struct executor_environment *environment, struct error *err);

// Fills it in without an agent, for an executor that is only looked at.
void executor_environment_imagine(struct executor_environment *environment);
void executor_environment_free(struct executor_environment *environment);

#endif
