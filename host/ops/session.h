// SPDX-License-Identifier: Apache-2.0
//
// What runs in a host now, as its operator sees it. The host owns it and keeps it current; the
// control socket and the metrics read it whenever they are asked, so what it points to may be
// another, or NULL, at each look.

#ifndef MESOS_LUA_OPS_SESSION_H
#define MESOS_LUA_OPS_SESSION_H

#include "bindings/scheduler/scheduler.h"
#include "cluster/cluster.h"

// New versions of the script since the start.
struct session_reloads {
    uint64_t swapped, failed, taken_back;
    double pause; // seconds that the last swap took
};

struct session {
    struct loop *loop;
    struct scheduler_environment *environment;
    const char *path;            // of the script, as it was given; NULL: there is none to be
    struct cluster *cluster;     // that runs alone then
    struct script *script;       // the version that runs; NULL: none is loaded
    struct scheduler *scheduler; // of a script that returned its table
    double started;              // stopwatch_seconds()

    // NULL: nothing runs that can be reloaded.
    const struct session_reloads *reloads;
    // Loads the script anew, and calls `told` when it is known how that went. Only while `reloads`
    // is set.
    void (*reload)(void *data, void (*told)(void *data, bool ok, const char *text),
                   void *told_data);
    void *data; // of `reload`
};

// The scheduler that is meant: that of the script, or the one that its drivers belong to; or NULL.
static inline struct scheduler *session_scheduler(const struct session *session)
{
    return session->scheduler ? session->scheduler : session->environment->first;
}

#endif
