// SPDX-License-Identifier: Apache-2.0
//
// Faults of the local cluster on command: agents that die or do not answer, masters that fail over,
// streams that break, updates that are late. A fault is one line of words,
//
//     kill S0 for 30s          partition any for 2m        failover --forget
//     stall all for 10s        drop-updates times 3        refuse 503 times 2
//
// as `mesos-lua ctl TARGET fault ...` and scenarios give it. What a fault does, and what frameworks
// hear of it, is logged. Those that last are on a list until they end.

#ifndef MESOS_LUA_CLUSTER_FAULTS_H
#define MESOS_LUA_CLUSTER_FAULTS_H

#include "base/buffer.h"
#include "master/master.h"

#define FAULTS_LASTING 10000 // the most that last at a time

struct faults;

// The cluster that faults act on. Each function is given `data`.
struct faults_cluster {
    struct loop *loop;
    struct master *master;
    // The stream of that id, where the master is served now. False: it is not open.
    bool (*cut)(void *data, const char *stream_id);
    bool (*stall)(void *data, const char *stream_id, bool stalled);
    void (*slow)(void *data, uint64_t delay); // of all requests and events
    void (*refuse)(void *data, int status, unsigned calls);
    bool (*add_agent)(void *data, const char *text,
                      struct error *err); // as of --agent; NULL: alike
    bool (*fail_over)(void *data, bool forget, double seconds, struct error *err);
    void (*told)(void *data, const char *text); // of what happens, as the log is; or NULL
    void *data;
};

// Choices at random depend on the seed alone.
struct faults *faults_create(const struct faults_cluster *cluster, uint64_t seed);
void faults_destroy(struct faults *faults); // NULL is fine

// Makes the fault, and appends a line for each agent or framework that it meets. The error says
// what was expected.
bool faults_make(struct faults *faults, const char *words, struct buffer *output,
                 struct error *err);

// The same for one that was due at that time of loop_now(): what lasts, lasts from then on.
bool faults_make_at(struct faults *faults, const char *words, uint64_t at, struct buffer *output,
                    struct error *err);

// True if the words are a fault, whatever the agents and frameworks are.
bool faults_check(const char *words, struct error *err);

void faults_list(const struct faults *faults, struct buffer *output); // those that last
void faults_usage(struct buffer *output);

// The name that the words of a scenario have here: "agent lost" is "kill". Any other as it is.
const char *faults_name(const char *name);

#endif
