// SPDX-License-Identifier: Apache-2.0
//
// Files of sandboxes: see the header.

#include "agent/runner_files.h"

#include "agent/folders.h"
#include "agent/runner_aliases.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- copying ----

static void copy_links(struct runner_files *files, const struct runner_command *command)
{
    files->links = memory_new(command->link_count * sizeof *files->links);
    files->link_count = command->link_count;
    for (size_t i = 0; i < files->link_count; i++)
        files->links[i] = (struct runner_link){
            .name = memory_string(command->links[i].name),
            .target = memory_string(command->links[i].target),
            .shared = command->links[i].shared,
        };
}

void runner_files_copy(struct runner_files *files, const struct runner_command *command,
                       const struct volume_owner *owner)
{
    files->directory = memory_string(command->directory);
    files->aliases = runner_aliases_copy(command->aliases);
    files->owner = *owner;
    copy_links(files, command);
}

void runner_files_free(struct runner_files *files)
{
    for (size_t i = 0; i < files->link_count; i++) {
        free(files->links[i].name);
        free(files->links[i].target);
    }
    free(files->links);
    free(files->directory);
    runner_aliases_free(files->aliases);
    *files = (struct runner_files){.link_count = 0};
}

// ---- opening ----

// A link could lead to a file that does not belong to the task.
static bool is_own_file(int file, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_set(err, ERROR_IO, "Failed to open '%s': %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_IO, "Failed to open '%s': it is not a regular file", path);
    if (status.st_nlink != 1)
        return error_set(err, ERROR_IO, "Failed to open '%s': it has other names (hard links)",
                         path);
    return true;
}

static const char *open_fault(int fault)
{
    if (fault == ENXIO)
        return "it is not a regular file";
    if (fault == ELOOP)
        return "it is a symbolic link";
    return strerror(fault);
}

// O_NONBLOCK: does not wait for the reader of a FIFO.
int runner_files_output(const struct runner_files *files, const char *name, struct error *err)
{
    char *path = memory_format("%s/%s", files->directory, name);
    int file = open(
        path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
    bool good = file >= 0;
    if (!good)
        error_set(err, ERROR_IO, "Failed to open '%s': %s", path, open_fault(errno));
    good = good && is_own_file(file, path, err);
    if (good && files->owner.switched && fchown(file, files->owner.uid, files->owner.gid) != 0)
        log_warning("cannot give '%s' to its task's user: %s", path, strerror(errno));
    if (good)
        fcntl(file, F_SETFL, O_APPEND); // blocking, as programs expect it
    else if (file >= 0)
        close(file);
    free(path);
    return good ? file : -1;
}

bool runner_files_open(const struct runner_files *files, int *out, int *errors, struct error *err)
{
    if (!folders_make(files->directory, 0750))
        return error_set(err, ERROR_IO, "Failed to create the sandbox '%s': %s", files->directory,
                         strerror(errno));
    runner_aliases_make(files->aliases, strrchr(files->directory, '/') + 1);
    if (files->owner.switched && chown(files->directory, files->owner.uid, files->owner.gid) != 0)
        return error_set(err, ERROR_IO, "Failed to give the sandbox '%s' to its user: %s",
                         files->directory, strerror(errno));
    for (size_t i = 0; i < files->link_count; i++)
        if (!volume_folders_link(files->directory, &files->links[i], &files->owner, err))
            return false;
    *out = runner_files_output(files, "stdout", err);
    if (*out >= 0)
        *errors = runner_files_output(files, "stderr", err);
    return *out >= 0 && *errors >= 0;
}

int runner_files_new(const struct runner_files *files, const char *name, struct error *err)
{
    char *path = memory_format("%s/%s", files->directory, name);
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0)
        error_set(err, ERROR_IO, "Failed to create '%s': %s", path, strerror(errno));
    else if (files->owner.switched && fchown(file, files->owner.uid, files->owner.gid) != 0)
        log_warning("cannot give '%s' to its task's user: %s", path, strerror(errno));
    free(path);
    return file;
}

void runner_files_remove(const struct runner_files *files, const char *name)
{
    char *path = memory_format("%s/%s", files->directory, name);
    unlink(path);
    free(path);
}
