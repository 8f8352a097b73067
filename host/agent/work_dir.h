// SPDX-License-Identifier: Apache-2.0
//
// The work folder of a local cluster, below which the sandboxes of its agents lie. A folder that
// was named is the user's. Without a name it is a fresh one in $TMPDIR, which stays when the
// cluster is gone, so that the output of tasks can be read: the next clusters keep the latest of
// such folders, and remove those behind them.

#ifndef MESOS_LUA_AGENT_WORK_DIR_H
#define MESOS_LUA_AGENT_WORK_DIR_H

#include "base/error.h"
#include "loop/loop.h"

struct work_dir;

// `name` is NULL for a fresh folder; then the `keep` latest ones stay, this one included, and the
// others of this user that no running program uses are removed in the background.
struct work_dir *work_dir_create(struct loop *loop, const char *name, unsigned keep,
                                 struct error *err);

// Removes a fresh folder that no task has used. NULL is fine.
void work_dir_destroy(struct work_dir *dir);

const char *work_dir_path(const struct work_dir *dir); // absolute

#endif
