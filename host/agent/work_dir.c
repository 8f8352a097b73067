// SPDX-License-Identifier: Apache-2.0
//
// Work folders: see work_dir.h. A fresh folder has a file in it that its program holds a lock on
// for as long as it lives, however it ends: a folder whose lock can be taken is left over. What
// has no such file, or belongs to another user, is never touched.
//
// Sandboxes may hold any number of files, so `rm` removes them, one folder after the other; the
// file with the lock goes last, for a removal that is interrupted to be taken up again.

#include "agent/work_dir.h"

#include "agent/folders.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/subprocess.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "mesos-lua-"
#define PATTERN PREFIX "XXXXXX"
#define FRESH_PATTERN ".mesos-lua.XXXXXX" // until it is locked
#define LOCK_FILE ".mesos-lua-lock"

enum { LEFT_OVER_MOST = 1000, REMOVAL_OUTPUT = 4096 };

// A folder of a program that has ended.
struct left_over {
    char *path;
    struct timespec used; // when that program began
};

struct work_dir {
    struct loop *loop;
    char *path;
    int lock; // of a fresh one; -1: it was named
    struct left_over *left_over;
    size_t count; // of those that are to be removed
    struct subprocess *removal;
};

// ---- folders that were named ----

// A fresh folder of an earlier cluster that is named now is the user's, and is never removed.
static void adopt(const char *path)
{
    char *lock = memory_format("%s/" LOCK_FILE, path);
    unlink(lock);
    free(lock);
}

static char *open_named(const char *name, struct error *err)
{
    char *whole = *name != '\0' && folders_make(name, 0711) ? realpath(name, NULL) : NULL;
    if (*name == '\0') {
        error_set(err, ERROR_INVALID, "the work folder has an empty name");
    } else if (whole == NULL || access(whole, W_OK | X_OK) != 0) {
        error_set(err, ERROR_IO, "cannot use '%s' as the work folder: %s", name, strerror(errno));
        free(whole);
        whole = NULL;
    }
    if (whole != NULL)
        adopt(whole);
    return whole;
}

// ---- fresh ones ----

static const char *temporary(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL && *folder != '\0' ? folder : "/tmp";
}

// -1: it cannot be made, or another process holds it. A lock that is held is no error.
static int take_lock(int folder, int flags)
{
    struct stat status;
    int file =
        openat(folder, LOCK_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
    if (file < 0)
        return -1;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
        flock(file, LOCK_EX | LOCK_NB) == 0)
        return file;
    close(file);
    return -1;
}

static bool lock_folder(struct work_dir *dir, const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir->lock = folder >= 0 ? take_lock(folder, O_CREAT | O_EXCL) : -1;
    if (folder >= 0)
        close(folder);
    return dir->lock >= 0;
}

// A folder gets its name when it is locked, so no other cluster takes it for one that was left.
// Tasks may run as other users, so others may pass through it, but not list it.
static bool make_fresh(struct work_dir *dir, struct error *err)
{
    char *path = memory_format("%s/" FRESH_PATTERN, temporary());
    bool made = mkdtemp(path) != NULL;
    dir->path = memory_format("%s/" PREFIX "%s", temporary(), path + strlen(path) - 6);
    bool good = made && chmod(path, 0711) == 0 && lock_folder(dir, path) &&
                renameat2(AT_FDCWD, path, AT_FDCWD, dir->path, RENAME_NOREPLACE) == 0;
    if (!good)
        error_set(err, ERROR_IO, "cannot create the work folder '%s': %s", dir->path,
                  strerror(errno));
    free(path);
    return good;
}

// ---- what earlier clusters have left ----

static bool is_left_over(int parent, const char *name, struct timespec *used)
{
    struct stat status;
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return false;
    int lock =
        fstat(folder, &status) == 0 && status.st_uid == geteuid() ? take_lock(folder, 0) : -1;
    bool left = lock >= 0 && fstat(lock, &status) == 0;
    *used = status.st_mtim;
    if (lock >= 0)
        close(lock);
    close(folder);
    return left;
}

static int newest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct left_over *)a)->used;
    const struct timespec *y = &((const struct left_over *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

static void add_left_over(struct work_dir *dir, DIR *parent, const char *name)
{
    struct timespec used;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(name) != strlen(PATTERN) ||
        dir->count == LEFT_OVER_MOST || !is_left_over(dirfd(parent), name, &used))
        return;
    dir->left_over = memory_resize(dir->left_over, (dir->count + 1) * sizeof *dir->left_over);
    dir->left_over[dir->count++] =
        (struct left_over){.path = memory_format("%s/%s", temporary(), name), .used = used};
}

// Lists those that are to be removed, the oldest last.
static void find_left_over(struct work_dir *dir, unsigned keep)
{
    DIR *parent = opendir(temporary());
    for (struct dirent *entry; parent != NULL && (entry = readdir(parent)) != NULL;)
        add_left_over(dir, parent, entry->d_name);
    if (parent != NULL)
        closedir(parent);
    if (dir->count == 0)
        return;
    qsort(dir->left_over, dir->count, sizeof *dir->left_over, newest_first);
    size_t kept = dir->count < keep ? dir->count : keep;
    for (size_t i = 0; i < kept; i++)
        free(dir->left_over[i].path);
    dir->count -= kept;
    memmove(dir->left_over, dir->left_over + kept, dir->count * sizeof *dir->left_over);
}

static void remove_next(struct work_dir *dir);

static void on_removed(void *data, const struct subprocess_end *end)
{
    struct work_dir *dir = data;
    const char *path = dir->left_over[--dir->count].path;
    if (end->outcome == SUBPROCESS_ENDED && end->status == 0)
        log_debug("removed the work folder %s of an earlier cluster", path);
    else
        log_info("the work folder %s of an earlier cluster could not be removed: %.*s", path,
                 SLICE_ARGS(end->err));
    free(dir->left_over[dir->count].path);
    subprocess_destroy(dir->removal);
    dir->removal = NULL;
    remove_next(dir);
}

static void remove_next(struct work_dir *dir)
{
    static const char script[] = "rm -rf -- \"$1/slaves\" && rm -rf -- \"$1\"";
    if (dir->count == 0)
        return;
    const char *const argv[] = {
        "/bin/sh", "-c", script, "remove", dir->left_over[dir->count - 1].path, NULL};
    const struct subprocess_command command = {.argv = argv, .limit = REMOVAL_OUTPUT};
    const char *code;
    struct error err; // too many programs are pending: the next cluster removes it
    dir->removal = subprocess_start(dir->loop, &command, on_removed, dir, &code, &err);
}

// ---- life ----

struct work_dir *work_dir_create(struct loop *loop, const char *name, unsigned keep,
                                 struct error *err)
{
    struct work_dir *dir = memory_new(sizeof *dir);
    dir->loop = loop;
    dir->lock = -1;
    if (name != NULL)
        dir->path = open_named(name, err);
    if (name != NULL ? dir->path == NULL : !make_fresh(dir, err)) {
        work_dir_destroy(dir);
        return NULL;
    }
    if (name == NULL) {
        find_left_over(dir, keep > 0 ? keep - 1 : 0);
        remove_next(dir);
    }
    return dir;
}

// An unused folder has nothing in it but the lock.
static void leave(struct work_dir *dir)
{
    int folder = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool unused = faccessat(folder, "slaves", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    if (unused && unlinkat(folder, LOCK_FILE, 0) == 0)
        rmdir(dir->path);
    else
        log_info("the sandboxes of the tasks that ran stay in %s (--keep)", dir->path);
    if (folder >= 0)
        close(folder);
    close(dir->lock);
}

void work_dir_destroy(struct work_dir *dir)
{
    if (dir == NULL)
        return;
    subprocess_destroy(dir->removal);
    if (dir->lock >= 0)
        leave(dir);
    for (size_t i = 0; i < dir->count; i++)
        free(dir->left_over[i].path);
    free(dir->left_over);
    free(dir->path);
    free(dir);
}

const char *work_dir_path(const struct work_dir *dir)
{
    return dir->path;
}
