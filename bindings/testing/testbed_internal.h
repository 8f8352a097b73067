// SPDX-License-Identifier: Apache-2.0
//
// The parts of a test bed, for the files of this folder only: testbed.c (its life and its time),
// testbed_master.c (what is behind the transport), testbed_world.c (what the policy's Lua state has
// in place of the world outside).

#ifndef MESOS_LUA_BINDINGS_TESTING_TESTBED_INTERNAL_H
#define MESOS_LUA_BINDINGS_TESTING_TESTBED_INTERNAL_H

#include "agent/runner_virtual.h"
#include "base/queue.h"
#include "bindings/scheduler/scheduler.h"
#include "bindings/testing/testbed.h"
#include "cluster/scheduler_direct.h"
#include "loop/loop.h"

struct testbed_master {
    struct transport *transport; // the driver's; NULL: it is gone
    struct bytes *asked;         // a SUBSCRIBE that is not answered, or NULL
    struct queue calls;
    struct runner *runner; // of the cluster: NULL, as are the next two: there is none
    struct master *cluster;
    struct scheduler_direct *direct;
};

struct testbed {
    const struct testbed_events *events;
    struct loop *loop;
    uint64_t seed;
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

// ---- testbed_world.c ----

// Gives a new Lua state its clock, its random numbers and its stubs, and mesos.state if `state` is
// not NULL. Before the script is loaded.
bool testbed_world_open(struct testbed *bed, struct script *script, struct error *err);

#endif
