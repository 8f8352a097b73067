// SPDX-License-Identifier: Apache-2.0
//
// The master of the embedded cluster: it answers the calls of frameworks as a real one does, and
// emits events into sinks. It does no I/O: its server (HTTP on loopback, or a direct call in the
// simulator) decodes calls, provides a sink for each subscription, and reports clients that
// disconnect.
//
// Its memory is bounded: up to MASTER_COMPLETED completed frameworks are remembered, a framework
// may have up to MASTER_TASKS tasks that run or have an unacknowledged update and MASTER_OPERATIONS
// operations that it has not acknowledged, and offers and filters are limited by the agents, which
// are few.

#ifndef MESOS_LUA_MASTER_MASTER_H
#define MESOS_LUA_MASTER_MASTER_H

#include "agent/agent_description.h"
#include "agent/runner.h"
#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"
#include "offers/resources.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

struct master;

#define MASTER_COMPLETED 50
#define MASTER_TASKS 1000000
#define MASTER_OPERATIONS 10000
#define MASTER_AGENT_TIMEOUT (75 * LOOP_SECOND)
#define MASTER_REGISTRATION_TIMEOUT (60 * LOOP_SECOND)
#define MASTER_VERSION "1.12.0"

struct master_options {
    const char *ip; // where it is served, as text
    unsigned port;
    const char *hostname;      // of the master, and of agents whose description names none
    const char *region, *zone; // its fault domain; both NULL: it has none
    const char *work_dir;      // of the agents' sandboxes; absolute
    const char *path;          // PATH of tasks
    bool switch_users;         // to those that frameworks name; otherwise tasks run as our own user
    bool secret;               // executors have to authenticate themselves
    uint64_t offer_timeout;    // nanoseconds until an unanswered offer is rescinded; 0: never
    uint64_t agent_timeout;    // until an agent that does not answer is unreachable; 0: as usual
    uint64_t registration_timeout; // of executors; 0: as usual
    bool containers;               // the runner runs tasks with an image
    struct runner *runner;
};

// Receives the events of one subscription. An event is valid during the call. Neither function may
// call into the master. No event follows `end`.
struct master_sink {
    void (*event)(void *data, const Mesos__V1__Scheduler__Event *event);
    void (*end)(void *data);
    // Gets events that the master has in their encoding at less cost, instead of `event`, and under
    // the same terms. NULL: it wants none of them so.
    void (*encoded)(void *data, struct slice event);
};

// An HTTP status, and the text of an error.
struct master_answer {
    int status;
    struct error error;
};

// The options are copied; the runner must outlive the master's last call of an agent.
struct master *master_create(struct loop *loop, const struct master_options *options);

// An agent with these resources, and the attributes, host name and fault domain of the description,
// whose contents it takes. If it has a domain, the master has one as well.
void master_add_agent(struct master *master, const struct resources *resources,
                      struct agent_description *description);
const char *master_hostname(const struct master *master);
void master_destroy(struct master *master); // the runner must be destroyed before

// Checks the contents of a call; the error is the body of the response with status 400. To be
// called before the functions below.
bool master_validate(const Mesos__V1__Scheduler__Call *call, struct error *err);

// Carries out SUBSCRIBE. The first event, SUBSCRIBED or ERROR, is emitted before it returns. The
// sink stays in use until its `end` is called, or master_stream_closed().
void master_subscribe(struct master *master, const Mesos__V1__Scheduler__Call *call,
                      const char *stream_id, const struct master_sink *sink, void *data);

// The client of that stream has disconnected.
void master_stream_closed(struct master *master, const char *stream_id);

// The sender of a request; both members may be NULL.
struct master_caller {
    const char *stream_id;
    const char *principal; // that was authenticated
};

// Carries out any other call.
struct master_answer master_call(struct master *master, const Mesos__V1__Scheduler__Call *call,
                                 const struct master_caller *caller);

// Removes a framework, as an operator asks for it. The error has the words of a master.
bool master_teardown(struct master *master, const char *framework_id, struct error *err);

// Ends all tasks: SIGTERM, and SIGKILL after `grace` nanoseconds; `done` is called when none is
// left. No more offers are made.
void master_stop(struct master *master, uint64_t grace, void (*done)(void *data), void *data);

#endif
