// SPDX-License-Identifier: Apache-2.0
//
// The master of the embedded cluster: it answers the calls of frameworks as a real one does, and
// emits events into sinks. It does no I/O: whoever serves it (HTTP on loopback, or a direct call in
// the simulator) decodes calls, gives each subscription a sink, and says when a client is gone.
//
// What it keeps is bounded: completed frameworks are remembered up to MASTER_COMPLETED, a framework
// may have MASTER_TASKS tasks that are running or not acknowledged, and offers and filters hang on
// agents, which are few.

#ifndef MESOS_LUA_CLUSTER_MASTER_H
#define MESOS_LUA_CLUSTER_MASTER_H

#include "base/error.h"
#include "cluster/runner.h"
#include "loop/loop.h"
#include "offers/resources.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

struct master;

#define MASTER_COMPLETED 50
#define MASTER_TASKS 1000000
#define MASTER_VERSION "1.12.0"

struct master_options {
    const char *ip; // where it is served, as text
    unsigned port;
    const char *hostname;   // of the master and of its agents
    const char *work_dir;   // of the agents' sandboxes; absolute
    const char *path;       // PATH of tasks
    bool switch_users;      // as whom frameworks say; otherwise all tasks run as who we are
    uint64_t offer_timeout; // nanoseconds until an offer without an answer is rescinded; 0: never
    struct runner *runner;
};

// Where the events of one subscription go. Both functions must do with what they are given before
// they return, and must not call into the master. Nothing follows `end`.
struct master_sink {
    void (*event)(void *data, const Mesos__V1__Scheduler__Event *event);
    void (*end)(void *data);
};

// An HTTP status, and the text that goes with an error.
struct master_answer {
    int status;
    struct error error;
};

// The options are copied; the runner must outlive the master's last call of an agent.
struct master *master_create(struct loop *loop, const struct master_options *options);
void master_add_agent(struct master *master, const struct resources *resources);
void master_destroy(struct master *master); // the runner must be destroyed before

// What is wrong with the contents of a call, as the body of the 400. Comes before anything below.
bool master_validate(const Mesos__V1__Scheduler__Call *call, struct error *err);

// SUBSCRIBE. The first event, SUBSCRIBED or ERROR, is emitted before it returns. A sink stays in
// use until its `end` was called or master_stream_closed().
void master_subscribe(struct master *master, const Mesos__V1__Scheduler__Call *call,
                      const char *stream_id, const struct master_sink *sink, void *data);

// The client of that stream is gone.
void master_stream_closed(struct master *master, const char *stream_id);

// What a request says of its sender, besides the call; both may be NULL.
struct master_caller {
    const char *stream_id;
    const char *principal; // as it was authenticated
};

// Any other call.
struct master_answer master_call(struct master *master, const Mesos__V1__Scheduler__Call *call,
                                 const struct master_caller *caller);

// Frameworks, agents and tasks as a line of JSON, for people to look at; free() it.
char *master_state(const struct master *master);

// Ends all tasks: SIGTERM, and SIGKILL after `grace` nanoseconds; `done` is called when none is
// left. No offers are made any more.
void master_stop(struct master *master, uint64_t grace, void (*done)(void *data), void *data);

#endif
