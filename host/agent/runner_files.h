// SPDX-License-Identifier: Apache-2.0
//
// The files that a runner opens in a sandbox. They are opened by name below a folder whose path no
// task can change; what a former run has left under a name is used only if it is a regular file
// without another name.

#ifndef MESOS_LUA_AGENT_RUNNER_FILES_H
#define MESOS_LUA_AGENT_RUNNER_FILES_H

#include "agent/runner.h"
#include "agent/volume_folders.h"

struct runner_files {
    char *directory;
    struct runner_alias *aliases; // the last is empty; NULL: none
    struct runner_link *links;
    size_t link_count;
    struct volume_owner owner;
};

// What the command says of its sandbox, copied. Free it with runner_files_free().
void runner_files_copy(struct runner_files *files, const struct runner_command *command,
                       const struct volume_owner *owner);
void runner_files_free(struct runner_files *files);

// Makes the folder and its links, and opens `stdout` and `stderr`; what is open on failure belongs
// to the caller, too.
bool runner_files_open(const struct runner_files *files, int *out, int *errors, struct error *err);

// A file for output, which is appended to; -1 on failure.
int runner_files_output(const struct runner_files *files, const char *name, struct error *err);

// A new file in place of one of that name; -1 on failure.
int runner_files_new(const struct runner_files *files, const char *name, struct error *err);

void runner_files_remove(const struct runner_files *files, const char *name);

#endif
