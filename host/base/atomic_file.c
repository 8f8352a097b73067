// SPDX-License-Identifier: Apache-2.0
//
// A file that is replaced as a whole: see atomic_file.h. The folder is held open, and everything
// happens relative to it, so that neither a changed working folder nor a renamed one in the path
// can split the steps of a replacement.
//
// FILE.lock keeps out users of the same name. Users of a hard link are kept out by a lock on the
// file itself: each version is locked before it takes its place, and stays locked as long as it has
// a name.

#include "base/atomic_file.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { VERSIONS = 16 };

struct atomic_file {
    char *path;                 // as it was given
    char *name, *fresh, *guard; // in the folder: the file, the new version, the lock
    int folder, lock;           // descriptors
    int versions[VERSIONS];     // of the file, locked; the latest is the last
    size_t count;
};

static const mode_t private_mode = 0600; // the file may hold secrets of a script

static bool failed(const struct atomic_file *file, const char *what, struct error *err)
{
    return error_set(err, ERROR_IO, "%s '%s': %s", what, file->path, strerror(errno));
}

// ---- opening ----

// A symbolic link is followed, so that the file that it names is replaced and not the link. Returns
// the path of the file, which need not exist, or NULL and errno.
static char *resolve(const char *path)
{
    char *resolved = realpath(path, NULL);
    struct stat status;
    if (resolved != NULL || errno != ENOENT)
        return resolved;
    if (lstat(path, &status) == 0) { // a link to nowhere
        errno = ENOENT;
        return NULL;
    }
    return memory_string(path);
}

static bool open_folder(struct atomic_file *file, struct error *err)
{
    char *resolved = resolve(file->path);
    if (resolved == NULL)
        return failed(file, "cannot find", err);
    char *slash = strrchr(resolved, '/');
    const char *name = slash ? slash + 1 : resolved;
    file->name = memory_string(name);
    file->fresh = memory_format("%s.new", name);
    file->guard = memory_format("%s.lock", name);
    if (slash != NULL)
        slash[slash == resolved] = '\0';
    const char *folder = slash ? resolved : ".";
    file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder < 0)
        error_set(err, ERROR_IO, "cannot open the folder of '%s': %s", file->path, strerror(errno));
    free(resolved);
    return file->folder >= 0;
}

static bool is_own(const struct stat *status)
{
    return status->st_uid == geteuid() || status->st_uid == 0;
}

// The owner of the folder can replace whatever is in it.
static bool check_folder(const struct atomic_file *file, struct error *err)
{
    struct stat status;
    if (*file->name == '\0')
        return error_set(err, ERROR_INVALID, "'%s' names a folder, not a file", file->path);
    if (fstat(file->folder, &status) != 0)
        return failed(file, "cannot look at the folder of", err);
    if (!is_own(&status))
        return error_set(err, ERROR_REFUSED,
                         "the folder of '%s' belongs to another user (%ld), who can replace all "
                         "files in it: use a folder of your own",
                         file->path, (long)status.st_uid);
    bool group = (status.st_mode & S_IWGRP) != 0 && status.st_gid != getegid();
    if ((group || (status.st_mode & S_IWOTH) != 0) && (status.st_mode & S_ISVTX) == 0)
        log_warning("other users can write to the folder of '%s', and so replace or remove it: "
                    "chmod go-w, or chmod +t, would prevent that",
                    file->path);
    return true;
}

static bool check_kind(const struct atomic_file *file, struct error *err)
{
    struct stat status;
    if (fstatat(file->folder, file->name, &status, 0) != 0)
        return errno == ENOENT || failed(file, "cannot look at", err);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID, "'%s' is not an ordinary file", file->path);
    if (!is_own(&status))
        return error_set(err, ERROR_REFUSED, "'%s' belongs to another user (%ld)", file->path,
                         (long)status.st_uid);
    if ((status.st_mode & S_IWOTH) != 0)
        log_warning("all users can write to '%s': chmod o-w would prevent that", file->path);
    return true;
}

// ---- locking ----

static bool in_use(const struct atomic_file *file, long pid, struct error *err)
{
    if (pid > 0)
        return error_set(err, ERROR_REFUSED,
                         "'%s' is in use by the process %ld: stop that one first, or give this one "
                         "another file",
                         file->path, pid);
    return error_set(err, ERROR_REFUSED, "'%s' is in use by another process", file->path);
}

static long noted_pid(const struct atomic_file *file)
{
    char text[64] = "";
    ssize_t length = pread(file->lock, text, sizeof text - 1, 0);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

// The process that has locked that file, from /proc/locks; 0: not known.
static long locking_pid(const struct stat *status)
{
    char line[256];
    long pid, found = 0;
    unsigned major_number, minor_number;
    unsigned long inode;
    FILE *locks = fopen("/proc/locks", "re");
    while (locks != NULL && found == 0 && fgets(line, sizeof line, locks) != NULL)
        if (sscanf(line, "%*d: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &major_number, &minor_number,
                   &inode) == 4 &&
            inode == status->st_ino && major_number == major(status->st_dev) &&
            minor_number == minor(status->st_dev))
            found = pid;
    if (locks != NULL)
        fclose(locks);
    return found;
}

// A link to a file of ours that another user had put in the place of the lock would have it
// overwritten.
static bool check_lock(const struct atomic_file *file, struct error *err)
{
    struct stat status;
    if (fstat(file->lock, &status) != 0)
        return failed(file, "cannot look at the lock of", err);
    if (S_ISREG(status.st_mode) && status.st_nlink == 1 && is_own(&status))
        return true;
    return error_set(
        err, ERROR_REFUSED,
        "cannot lock '%s' by its file '%s', which is not an ordinary file of this user", file->path,
        file->guard);
}

static bool take_lock(struct atomic_file *file, struct error *err)
{
    char text[32];
    file->lock =
        openat(file->folder, file->guard,
               O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, private_mode);
    if (file->lock < 0)
        return error_set(err, ERROR_IO, "cannot lock '%s' by its file '%s': %s", file->path,
                         file->guard, strerror(errno));
    if (!check_lock(file, err))
        return false;
    if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? in_use(file, noted_pid(file), err)
                                    : failed(file, "cannot lock", err);
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    bool noted = ftruncate(file->lock, 0) == 0 &&
                 pwrite(file->lock, text, (size_t)length, 0) == (ssize_t)length;
    return noted || failed(file, "cannot write to the lock of", err);
}

// Keeps the version that was just locked, and lets go of one that no name leads to any more.
static void hold(struct atomic_file *file, int fd)
{
    struct stat status;
    size_t last = file->count - 1;
    bool gone = file->count > 0 && fstat(file->versions[last], &status) == 0 && !status.st_nlink;
    if (gone || file->count == VERSIONS)
        close(file->versions[--file->count]);
    file->versions[file->count++] = fd;
}

// Locks the file, if it exists, against users of another name of it.
static bool lock_version(struct atomic_file *file, struct error *err)
{
    struct stat status;
    struct error reason;
    int fd = regular_file_open(file->folder, file->name, REGULAR_FILE, &status, &reason);
    if (fd < 0)
        return errno == ENOENT ||
               error_set(err, reason.code, "cannot open '%s': %s", file->path, reason.text);
    hold(file, fd);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    return errno == EWOULDBLOCK ? in_use(file, locking_pid(&status), err)
                                : failed(file, "cannot lock", err);
}

// ---- the next version ----

// A file of that name was left by a process that crashed, or put there by another user; it is never
// opened.
static int create_fresh(const struct atomic_file *file)
{
    unlinkat(file->folder, file->fresh, 0);
    return openat(file->folder, file->fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  private_mode);
}

// A folder that cannot be written to should be found out before there is something to store.
static bool try_fresh(struct atomic_file *file, struct error *err)
{
    int fd = create_fresh(file);
    if (fd < 0)
        return failed(file, "cannot write beside", err);
    close(fd);
    unlinkat(file->folder, file->fresh, 0);
    return true;
}

struct atomic_file *atomic_file_open(const char *path, struct error *err)
{
    struct atomic_file *file = memory_new(sizeof *file);
    file->path = memory_string(path);
    file->folder = file->lock = -1;
    if (open_folder(file, err) && check_folder(file, err) && check_kind(file, err) &&
        take_lock(file, err) && lock_version(file, err) && try_fresh(file, err))
        return file;
    atomic_file_close(file);
    return NULL;
}

void atomic_file_close(struct atomic_file *file)
{
    if (file == NULL)
        return;
    while (file->count > 0)
        close(file->versions[--file->count]);
    if (file->lock >= 0)
        close(file->lock);
    if (file->folder >= 0)
        close(file->folder);
    free(file->path);
    free(file->name);
    free(file->fresh);
    free(file->guard);
    free(file);
}

const char *atomic_file_path(const struct atomic_file *file)
{
    return file->path;
}

// ---- reading ----

bool atomic_file_read(struct atomic_file *file, struct buffer *out, bool *exists, struct error *err)
{
    struct error reason;
    buffer_clear(out);
    int fd = regular_file_open(file->folder, file->name, REGULAR_FILE, NULL, &reason);
    *exists = fd >= 0 || errno != ENOENT;
    if (fd < 0 && !*exists)
        return true;
    bool fine = fd >= 0 && regular_file_read_all(fd, out, &reason);
    if (fd >= 0)
        close(fd);
    if (!fine && reason.code == ERROR_LIMIT)
        return error_set(err, ERROR_LIMIT, "'%s' is too large: more than %zu bytes", file->path,
                         out->limit);
    return fine || error_set(err, reason.code, "cannot read '%s': %s", file->path, reason.text);
}

// ---- writing ----

static bool write_all(int fd, struct slice contents)
{
    while (contents.length > 0) {
        ssize_t count = write(fd, contents.data, contents.length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        contents.data += count;
        contents.length -= (size_t)count;
    }
    return true;
}

// The permissions that an operator set for the file are kept.
static bool keep_mode(const struct atomic_file *file, int fd)
{
    struct stat status;
    if (fstatat(file->folder, file->name, &status, 0) != 0)
        return errno == ENOENT;
    return fchmod(fd, status.st_mode & 07777) == 0;
}

// Returns the descriptor of the new version, which is locked and on the disk, or -1 and errno.
static int write_fresh(const struct atomic_file *file, struct slice contents)
{
    int fd = create_fresh(file);
    if (fd < 0)
        return -1;
    if (keep_mode(file, fd) && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_all(fd, contents) &&
        fsync(fd) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

bool atomic_file_write(struct atomic_file *file, struct slice contents, struct error *err)
{
    int fd = write_fresh(file, contents);
    if (fd < 0 || renameat(file->folder, file->fresh, file->folder, file->name) != 0) {
        failed(file, "cannot write", err);
        if (fd >= 0)
            close(fd);
        unlinkat(file->folder, file->fresh, 0);
        return false;
    }
    hold(file, fd);
    return fsync(file->folder) == 0 || failed(file, "cannot bring the folder to the disk of", err);
}
