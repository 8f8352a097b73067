// SPDX-License-Identifier: Apache-2.0
//
// What runs in a host, as its operator sees it. The host owns it and keeps it current; the control
// socket and the metrics read it for each request. Its pointers may change, or become NULL, between
// two requests.

#ifndef MESOS_LUA_OPS_SESSION_H
#define MESOS_LUA_OPS_SESSION_H

#include "bindings/scheduler/scheduler.h"
#include "cluster/cluster.h"

// Counts of new versions of the script: those that took over, those that did not load, and those
// that were rolled back.
struct session_reloads {
    uint64_t swapped, failed, taken_back;
    double pause; // seconds that the last swap took
};

struct session {
    struct loop *loop;
    struct scheduler_environment *environment;
    const char *path;            // of the script, as it was given; NULL: a cluster runs alone
    struct cluster *cluster;     // which one, then
    struct cluster *embedded;    // the local cluster of this process, alone or not; or NULL
    struct script *script;       // the version that runs; NULL: none is loaded
    struct scheduler *scheduler; // of a script that returned its table, or NULL
    double started;              // stopwatch_seconds()

    // NULL: nothing runs that can be reloaded.
    const struct session_reloads *reloads;
    // Loads the script again, and calls `done` with the result. Legal only while `reloads` is set.
    void (*reload)(void *data, void (*done)(void *data, bool ok, const char *text),
                   void *done_data);
    void *data; // of `reload`
};

// The scheduler of the script; of a script that runs drivers itself, that of the newest. Or NULL.
static inline struct scheduler *session_scheduler(const struct session *session)
{
    return session->scheduler ? session->scheduler : session->environment->first;
}

#endif
