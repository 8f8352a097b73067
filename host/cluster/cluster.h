// SPDX-License-Identifier: Apache-2.0
//
// The embedded cluster: a master and its agents inside this process. Clients reach it over HTTP on
// loopback, with the bytes of a real one, and its tasks are real processes. This is the interface
// of the room; master, allocator, agent, runner and HTTP side are behind it.

#ifndef MESOS_LUA_CLUSTER_CLUSTER_H
#define MESOS_LUA_CLUSTER_CLUSTER_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "loop/loop.h"

struct cluster;

struct cluster_options {
    unsigned agents;       // 0: one, or as many as are described
    const char *resources; // of each agent, "cpus:4;mem:1024;ports:[31000-32000]"; NULL: this
                           // machine's, shared evenly
    // Each agent on its own, see agent_description.h; then `agents` and `resources` are left out.
    const char *const *described;
    size_t described_count;
    // The text of a file that says it all (cluster_plan.h), and the file's name; then all of these
    // are left out. The text is JSON.
    const char *file;
    struct slice plan;
    // The text of a file of faults (fault_plan.h), in JSON, and the file's name; or NULL.
    const char *faults_file;
    struct slice faults;
    uint64_t seed;        // of what happens at random; 0: that of a file, or 1
    const char *work_dir; // where sandboxes lie; NULL: a fresh folder in $TMPDIR
    unsigned keep;        // how many of such fresh folders stay, see work_dir.h
    const char *listen;   // "ADDR:PORT", port 0 = any; NULL: 127.0.0.1, any
    const char *zk;       // where they stand for election, zk://host/path; or NULL
    double zk_timeout;    // of their sessions, in seconds
    unsigned masters;     // that listen, of which one leads; 0: one
    double agent_timeout; // seconds until an agent that does not answer is unreachable; 0: 75
    double registration_timeout; // seconds in which an executor has to register; 0: 60
    const char *ca_file; // what downloads of tasks' uris trust; NULL: the authorities of the system
    const char *containers; // the program that runs tasks with an image; NULL: they are refused
    double offer_timeout;   // seconds until an unanswered offer is rescinded; 0: never
    const char *hosts;      // its further names in Host headers, "a,b"; NULL: the usual ones only
    // What clients have to authenticate with; at most one of them.
    const char *token, *token_file, *credential_file;
};

// Reads what the options say about agents and roles, and nothing else: for a check.
bool cluster_check(const struct cluster_options *options, struct error *err);

// Listens when it returns. On failure NULL and an error that names the option.
struct cluster *cluster_create(struct loop *loop, const struct cluster_options *options,
                               struct error *err);

// Where the leading master listens, "127.0.0.1:port"; and where all do, "A,B,C".
const char *cluster_address(const struct cluster *cluster);
const char *cluster_addresses(const struct cluster *cluster);
const char *cluster_work_dir(const struct cluster *cluster); // absolute
const char *cluster_text(const struct cluster *cluster);     // "2 agents with cpus:4;mem:1024"
bool cluster_exposed(const struct cluster *cluster); // to other machines, without credentials
char *cluster_state(const struct cluster *cluster);  // agents, frameworks, tasks: JSON; free() it

// Makes a fault, see faults.h; "list" and "help" are answered. The output is appended.
bool cluster_fault(struct cluster *cluster, const char *words, struct buffer *output,
                   struct error *err);

// Ends all tasks: SIGTERM, and after the grace period SIGKILL. `done` is called, later, when no
// process is left.
void cluster_stop(struct cluster *cluster, void (*done)(void *data), void *data);

// Kills what is left, at once, and frees the cluster. Legal in any callback but those of the
// cluster itself.
void cluster_destroy(struct cluster *cluster);

#endif
