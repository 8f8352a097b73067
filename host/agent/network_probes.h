// SPDX-License-Identifier: Apache-2.0
//
// Questions to servers of this machine, as HTTP and TCP checks ask them: what status does it answer
// with, or does it take a connection.

#ifndef MESOS_LUA_AGENT_NETWORK_PROBES_H
#define MESOS_LUA_AGENT_NETWORK_PROBES_H

#include "agent/runner.h"
#include "loop/loop.h"

struct network_probes;

// On a loop of real time (loop_uv.h).
struct network_probes *network_probes_create(struct loop *loop);
void network_probes_destroy(struct network_probes *probes); // cancels all

// `done` is called once, from the loop, and not after network_probes_cancel(). The question is
// copied.
struct runner_probe *network_probes_ask(struct network_probes *probes,
                                        const struct runner_question *question,
                                        runner_on_answer done, void *data);
void network_probes_cancel(struct runner_probe *probe);

#endif
