// SPDX-License-Identifier: Apache-2.0
//
// The folders of persistent volumes on this machine, for the runner of processes.

#ifndef MESOS_LUA_AGENT_VOLUME_FOLDERS_H
#define MESOS_LUA_AGENT_VOLUME_FOLDERS_H

#include "agent/runner.h"
#include "loop/loop.h"

#include <sys/types.h>

struct volume_folders;

struct volume_folders *volume_folders_create(struct loop *loop);
void volume_folders_destroy(struct volume_folders *folders); // ends removals that are under way

bool volume_folders_make(const char *path, struct error *err); // true if it is there already

// Renames the folder at once, so that its name is free, and removes it with all that is in it by a
// program in the background. Nothing happens if there is none.
void volume_folders_remove(struct volume_folders *folders, const char *path);

// The same with what is in the folder, which stays.
void volume_folders_clear(struct volume_folders *folders, const char *path);

// Who the volume is to belong to.
struct volume_owner {
    bool switched; // false: the one who made it
    uid_t uid;
    gid_t gid;
};

// Makes the link in a sandbox, and gives the volume to the owner. A shared one that was given to
// another user before stays that user's. True if the link is there already.
bool volume_folders_link(const char *sandbox, const struct runner_link *link,
                         const struct volume_owner *owner, struct error *err);

void volume_folders_unlink(const char *sandbox, const char *name); // if it is a link

#endif
