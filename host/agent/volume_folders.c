// SPDX-License-Identifier: Apache-2.0
//
// Folders of persistent volumes: see volume_folders.h. A removal owns its program; it is in the
// list until the program has ended.

#include "agent/volume_folders.h"

#include "agent/folders.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "loop/subprocess.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVED ".removed-" // in front of the name of what is being removed

enum { REMOVAL_OUTPUT = 4096 };

struct volume_removal {
    struct volume_folders *owner;
    TAILQ_ENTRY(volume_removal) link;
    char *path;
    struct subprocess *program;
};

struct volume_folders {
    struct loop *loop;
    TAILQ_HEAD(, volume_removal) removals;
};

// ---- removing ----

static void end_removal(struct volume_removal *removal)
{
    TAILQ_REMOVE(&removal->owner->removals, removal, link);
    subprocess_destroy(removal->program);
    free(removal->path);
    free(removal);
}

static void on_removed(void *data, const struct subprocess_end *end)
{
    struct volume_removal *removal = data;
    if (end->outcome != SUBPROCESS_ENDED || end->status != 0)
        log_warning("the folder '%s' of a volume that was destroyed could not be removed: %.*s",
                    removal->path, SLICE_ARGS(end->err));
    end_removal(removal);
}

static void start_removal(struct volume_folders *folders, char *path)
{
    struct volume_removal *removal = memory_new(sizeof *removal);
    const char *const argv[] = {"rm", "-rf", "--", path, NULL};
    const struct subprocess_command command = {.argv = argv, .limit = REMOVAL_OUTPUT};
    const char *code;
    struct error err = {0};
    removal->owner = folders;
    removal->path = path;
    TAILQ_INSERT_TAIL(&folders->removals, removal, link);
    removal->program = subprocess_start(folders->loop, &command, on_removed, removal, &code, &err);
    if (removal->program != NULL)
        return;
    log_warning("the folder '%s' of a volume that was destroyed is not removed: %s", path,
                err.text);
    end_removal(removal);
}

void volume_folders_remove(struct volume_folders *folders, const char *path)
{
    char id[UUID_TEXT];
    uuid_random_text(id);
    int length = (int)(strrchr(path, '/') - path);
    char *removed = memory_format("%.*s/" REMOVED "%s", length, path, id);
    if (rename(path, removed) == 0) {
        start_removal(folders, removed);
        return;
    }
    if (errno != ENOENT)
        log_warning("the folder '%s' of a volume that was destroyed cannot be removed: %s", path,
                    strerror(errno));
    free(removed);
}

// Moves what is in the folder to `to`, one of its own; also what an earlier removal has left, as
// the program may have ended before it. 0, or errno if something stays.
static int move_contents(const char *path, const char *to)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    const char *own = strrchr(to, '/') + 1;
    int fault = folder == NULL ? errno : 0;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, own) == 0)
            continue;
        char *moved = memory_format("%s/%s", to, name);
        if (renameat(dirfd(folder), name, AT_FDCWD, moved) != 0)
            fault = errno;
        free(moved);
    }
    if (folder != NULL)
        closedir(folder);
    return fault;
}

void volume_folders_clear(struct volume_folders *folders, const char *path)
{
    char id[UUID_TEXT];
    uuid_random_text(id);
    char *removed = memory_format("%s/" REMOVED "%s", path, id);
    int fault = mkdir(removed, 0700) != 0 ? errno : 0;
    bool made = fault == 0;
    if (made)
        fault = move_contents(path, removed);
    if (fault != 0 && fault != ENOENT)
        log_warning("the disk '%s' of a volume that was destroyed cannot be cleared: %s", path,
                    strerror(fault));
    if (made)
        start_removal(folders, removed);
    else
        free(removed);
}

// ---- making ----

bool volume_folders_make(const char *path, struct error *err)
{
    struct stat status;
    if (!folders_make(path, 0755))
        return error_set(err, ERROR_IO, "%s", strerror(errno));
    if (stat(path, &status) != 0)
        return error_set(err, ERROR_IO, "%s", strerror(errno));
    return S_ISDIR(status.st_mode) || error_set(err, ERROR_IO, "it is not a folder");
}

static bool give(const struct runner_link *link, const struct volume_owner *owner,
                 struct error *err)
{
    struct stat status;
    if (!owner->switched)
        return true;
    if (lstat(link->target, &status) == 0 && ((link->shared && status.st_uid != geteuid()) ||
                                              lchown(link->target, owner->uid, owner->gid) == 0))
        return true;
    return error_set(err, ERROR_IO,
                     "Failed to change the ownership of the persistent volume at '%.400s' with uid "
                     "%u and gid %u: %s",
                     link->target, (unsigned)owner->uid, (unsigned)owner->gid, strerror(errno));
}

// Opens a folder in another without following a link that a task may have put there; a new one is
// the owner's. -1 and errno if it cannot be had.
static int enter(int folder, const char *name, const struct volume_owner *owner)
{
    bool made = mkdirat(folder, name, 0755) == 0;
    int inner = made || errno == EEXIST
                    ? openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                    : -1;
    if (inner >= 0 && made && owner->switched && fchown(inner, owner->uid, owner->gid) != 0) {
        close(inner);
        return -1;
    }
    return inner;
}

// The folder that the link is made in, below the sandbox; `name` is set to its last part.
static int open_parent(const char *sandbox, const char **name, const struct volume_owner *owner)
{
    int folder = open(sandbox, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *slash;
    while (folder >= 0 && (slash = strchr(*name, '/')) != NULL) {
        char *part = memory_text(*name, (size_t)(slash - *name));
        int inner = enter(folder, part, owner);
        int fault = errno;
        free(part);
        close(folder);
        errno = fault;
        folder = inner;
        *name = slash + 1;
    }
    return folder;
}

// A link that is there already is good if it leads to the same place.
static bool put_link(int folder, const char *name, const char *target)
{
    size_t length = strlen(target);
    if (symlinkat(target, folder, name) == 0)
        return true;
    if (errno != EEXIST)
        return false;
    char *there = memory_new(length + 2);
    ssize_t read = readlinkat(folder, name, there, length + 1);
    bool same = read == (ssize_t)length && memcmp(there, target, length) == 0;
    free(there);
    errno = EEXIST;
    return same;
}

bool volume_folders_link(const char *sandbox, const struct runner_link *link,
                         const struct volume_owner *owner, struct error *err)
{
    const char *name = link->name;
    if (!give(link, owner, err))
        return false;
    int folder = open_parent(sandbox, &name, owner);
    if (folder >= 0 && put_link(folder, name, link->target)) {
        close(folder);
        return true;
    }
    error_set(err, ERROR_IO,
              "Failed to symlink persistent volume from '%.400s' to '%.300s/%.100s': %s",
              link->target, sandbox, link->name, strerror(errno));
    if (folder >= 0)
        close(folder);
    return false;
}

// Folders on the way to it stay.
void volume_folders_unlink(const char *sandbox, const char *name)
{
    const struct volume_owner unchanged = {.switched = false};
    struct stat status;
    int folder = open_parent(sandbox, &name, &unchanged);
    if (folder >= 0 && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(status.st_mode))
        unlinkat(folder, name, 0);
    if (folder >= 0)
        close(folder);
}

// ---- life ----

struct volume_folders *volume_folders_create(struct loop *loop)
{
    struct volume_folders *folders = memory_new(sizeof *folders);
    folders->loop = loop;
    TAILQ_INIT(&folders->removals);
    return folders;
}

void volume_folders_destroy(struct volume_folders *folders)
{
    while (!TAILQ_EMPTY(&folders->removals))
        end_removal(TAILQ_FIRST(&folders->removals));
    free(folders);
}
