// SPDX-License-Identifier: Apache-2.0
//
// The files of sandboxes, as the agents of Mesos show them: under the path of a run,
// WORK_DIR/slaves/AGENT/frameworks/ID/executors/ID/runs/CONTAINER, also with "latest", and under
// the virtual path /frameworks/ID/executors/ID/runs/latest. Nothing outside a sandbox is shown,
// wherever links in it lead, also if a task changes them meanwhile.

#ifndef MESOS_LUA_OPERATOR_SANDBOX_FILES_H
#define MESOS_LUA_OPERATOR_SANDBOX_FILES_H

#include "base/buffer.h"
#include "base/error.h"
#include "master/master_records.h"

#include <sys/stat.h>

#define SANDBOX_FILES_LISTED 10000 // of a folder; a fuller one is refused

// The codes are HTTP's. The error has the words of an agent, and is empty for what is not there.
enum sandbox_files_result {
    SANDBOX_FILES_GOOD = 200,
    SANDBOX_FILES_INVALID = 400,
    SANDBOX_FILES_NOT_FOUND = 404,
    SANDBOX_FILES_FAILED = 500,
};

struct sandbox_file {
    char *path; // as it was asked for, with its name behind
    struct stat status;
};

struct sandbox_listing {
    struct sandbox_file *files; // in the order of their names
    size_t count;
};

// Of the agent of that number; 0: of any.
struct sandbox_question {
    const struct master *master;
    unsigned agent;
    const char *path;
};

// What is no folder has an empty listing.
enum sandbox_files_result sandbox_files_list(const struct sandbox_question *question,
                                             struct sandbox_listing *listing, struct error *err);
void sandbox_files_free(struct sandbox_listing *listing);

// Appends a piece of the file, `length` bytes or less from the offset, of which at most 64 KiB.
enum sandbox_files_result sandbox_files_read(const struct sandbox_question *question,
                                             uint64_t offset, uint64_t length, struct buffer *data,
                                             uint64_t *size, struct error *err);

// Opens a whole file; `name` becomes its name without folders, to be freed, also if that fails.
enum sandbox_files_result sandbox_files_open(const struct sandbox_question *question, int *file,
                                             uint64_t *size, char **name, struct error *err);

#endif
