// SPDX-License-Identifier: Apache-2.0
//
// Programs that the host starts, through its spawner (spawner_process.h). A loop has one spawner
// and shares it; it is forked when the first program is asked for, or before the program has
// anything in memory: by the launcher (spawner_handover.h), or by spawner_prepare().
//
// Starting costs the loop little and never blocks it: programs wait in a queue; the descriptors of
// one are opened when its turn comes, a few programs in a turn of the loop, and a few may be in
// flight at a time.
//
// A program leads a session and a process group of its own. When it ends, what it left in its group
// is killed; what left the group (setsid) is killed when the spawner is closed or the host is gone.
//
// If the spawner ends before the host, by SIGKILL or the kernel's OOM killer, the programs that ran
// are killed and end as lost, those in flight fail, and the next start forks another spawner.

#ifndef MESOS_LUA_LOOP_SPAWNER_H
#define MESOS_LUA_LOOP_SPAWNER_H

#include "base/error.h"
#include "loop/loop.h"

#include <sys/types.h>

enum { SPAWN_PENDING_MOST = 100000 }; // programs that wait for their turn

struct spawn; // a program that was asked for and has not ended

struct spawn_identity {
    uid_t uid;
    gid_t gid;
    const gid_t *groups; // supplementary
    size_t group_count;
};

struct spawn_command {
    const char *file;               // a path, or a name to look for in the PATH of `environment`
    const char *const *argv;        // with its name first; NULL at the end
    const char *const *environment; // "NAME=value", NULL at the end: all of it
    const char *directory;          // NULL: that of the host
    const struct spawn_identity *identity; // NULL: that of the host
};

// Where a start failed.
enum spawn_step {
    SPAWN_OPEN,      // open() returned false
    SPAWN_FORK,      // no process could be forked
    SPAWN_DIRECTORY, // it cannot be entered
    SPAWN_USER,      // the user cannot be switched to
    SPAWN_EXECUTE,   // the file cannot be executed
    SPAWN_LOST,      // the spawner ended
};

struct spawn_failure {
    enum spawn_step step;
    int fault; // errno; 0 with SPAWN_OPEN
};

struct spawn_end {
    int status;
    int signal; // that ended it; 0: none, it exited with `status`
    bool lost;  // the spawner ended, and the program with it
};

// Called from the loop, never inside spawner_start(), spawner_kill() or spawner_forget(). First
// open(), then started() or failed(); ended() after started(), or at once for a program that was
// killed before its turn. After failed() and ended() the spawn is gone.
struct spawn_events {
    // Its turn has come: opens its standard input, output and error; what stays -1 is /dev/null.
    // They are closed when they have been handed on. False: it fails with SPAWN_OPEN.
    bool (*open)(void *data, int *files);
    void (*started)(void *data, pid_t pid);
    void (*failed)(void *data, const struct spawn_failure *failure);
    void (*ended)(void *data, const struct spawn_end *end);
};

// Takes the spawner that the launcher has forked, or forks one, before there is much in memory or a
// second thread; the loop that starts the first program takes it. If the fork fails, that loop
// tries again.
void spawner_prepare(void);

// Ends the spawner that the launcher has forked, in a program that starts none.
void spawner_decline(void);

// The command is copied. NULL: too many are pending.
struct spawn *spawner_start(struct loop *loop, const struct spawn_command *command,
                            const struct spawn_events *events, void *data, struct error *err);
void spawner_kill(struct spawn *spawn, int signal); // the program and its group
void spawner_forget(struct spawn *spawn);           // SIGKILL; no event comes any more

// Kills all that is left and waits for the end of the spawner, for a second at most. All must have
// been forgotten. Nothing happens on a loop that has none.
void spawner_close(struct loop *loop);

// Makes the spawners of this thread kill everything, for an end of the process that does not wait.
// The handler of a signal may call it.
void spawner_kill_all(void);

#endif
