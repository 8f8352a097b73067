// SPDX-License-Identifier: Apache-2.0
//
// The parts of a test bed, for the files of this folder only: testbed.c (its life and its time),
// testbed_master.c (what is behind the transport). The world of its policy and the cluster behind
// its master are those of simulations as well: policy_world.h, virtual_cluster.h.

#ifndef MESOS_LUA_BINDINGS_TESTING_TESTBED_INTERNAL_H
#define MESOS_LUA_BINDINGS_TESTING_TESTBED_INTERNAL_H

#include "base/queue.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/testing/policy_world.h"
#include "bindings/testing/testbed.h"
#include "bindings/testing/virtual_cluster.h"
#include "cluster/scheduler_direct.h"
#include "loop/loop.h"

struct testbed_master {
    struct transport *transport; // the driver's; NULL: it is gone
    struct bytes *asked;         // a SUBSCRIBE that is not answered, or NULL
    struct queue calls;
    struct virtual_cluster cluster;
    struct scheduler_direct *direct; // of the cluster; NULL: there is none
};

struct testbed {
    const struct testbed_events *events;
    struct loop *loop;
    struct policy_world world;
    struct bytes *state; // to begin with
    struct script *script;
    struct scheduler *scheduler;
    struct scheduler_services services;
    struct scheduler_environment environment;
    struct testbed_master master;
    char *failure; // the first; or NULL
    char *path;
    char **arguments; // NULL at the end
    int argument_count;
    bool replacing; // the end that a new version asks for is not that of the policy
};

// ---- testbed_master.c ----

// For scheduler_services.connect.
bool testbed_master_connect(void *data, const char *master,
                            const struct credentials_options *credential,
                            struct driver_options *options, struct error *err);
void testbed_master_free(struct testbed *bed); // when the driver is gone

#endif
