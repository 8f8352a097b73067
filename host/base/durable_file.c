// SPDX-License-Identifier: Apache-2.0
//
// A file that is replaced as a whole: see durable_file.h. The folder is held open, and everything
// happens relative to it, so that neither a changed working folder nor a renamed one in the path
// can split the steps of a replacement.

#include "base/durable_file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct durable_file {
    char *path;                 // as it was given
    char *name, *fresh, *guard; // in the folder: the file, the new version, the lock
    int folder, lock;           // descriptors
};

static const mode_t private_mode = 0600; // a script may keep what is nobody's business

static bool failed(const struct durable_file *this, const char *what, struct error *err)
{
    return error_set(err, ERROR_IO, "%s '%s': %s", what, this->path, strerror(errno));
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

static bool open_folder(struct durable_file *this, struct error *err)
{
    char *resolved = resolve(this->path);
    if (resolved == NULL)
        return failed(this, "cannot find", err);
    char *slash = strrchr(resolved, '/');
    const char *name = slash ? slash + 1 : resolved;
    this->name = memory_string(name);
    this->fresh = memory_format("%s.new", name);
    this->guard = memory_format("%s.lock", name);
    if (slash != NULL)
        slash[slash == resolved] = '\0';
    const char *folder = slash ? resolved : ".";
    this->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (this->folder < 0)
        error_set(err, ERROR_IO, "cannot open the folder of '%s': %s", this->path, strerror(errno));
    free(resolved);
    return this->folder >= 0;
}

static bool check_kind(const struct durable_file *this, struct error *err)
{
    struct stat status;
    if (*this->name == '\0')
        return error_set(err, ERROR_INVALID, "'%s' names a folder, not a file", this->path);
    if (fstatat(this->folder, this->name, &status, 0) != 0)
        return errno == ENOENT || failed(this, "cannot look at", err);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID, "'%s' is no ordinary file", this->path);
    return true;
}

static bool in_use(const struct durable_file *this, struct error *err)
{
    char text[64] = "";
    ssize_t length = pread(this->lock, text, sizeof text - 1, 0);
    long pid = length > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        return error_set(err, ERROR_REFUSED,
                         "'%s' is in use by the process %ld: stop that one first, or give this one "
                         "another file",
                         this->path, pid);
    return error_set(err, ERROR_REFUSED, "'%s' is in use by another process", this->path);
}

static bool take_lock(struct durable_file *this, struct error *err)
{
    char text[32];
    this->lock =
        openat(this->folder, this->guard, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, private_mode);
    if (this->lock < 0)
        return error_set(err, ERROR_IO, "cannot lock '%s' by its file '%s': %s", this->path,
                         this->guard, strerror(errno));
    if (flock(this->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? in_use(this, err) : failed(this, "cannot lock", err);
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    bool noted = ftruncate(this->lock, 0) == 0 &&
                 pwrite(this->lock, text, (size_t)length, 0) == (ssize_t)length;
    return noted || failed(this, "cannot write to the lock of", err);
}

static int create_fresh(const struct durable_file *this)
{
    return openat(this->folder, this->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                  private_mode);
}

// A folder that cannot be written to should be known before there is something to keep.
static bool try_fresh(struct durable_file *this, struct error *err)
{
    int file = create_fresh(this);
    if (file < 0)
        return failed(this, "cannot write beside", err);
    close(file);
    unlinkat(this->folder, this->fresh, 0);
    return true;
}

struct durable_file *durable_file_open(const char *path, struct error *err)
{
    struct durable_file *this = memory_new(sizeof *this);
    this->path = memory_string(path);
    this->folder = this->lock = -1;
    if (open_folder(this, err) && check_kind(this, err) && take_lock(this, err) &&
        try_fresh(this, err))
        return this;
    durable_file_close(this);
    return NULL;
}

void durable_file_close(struct durable_file *this)
{
    if (this == NULL)
        return;
    if (this->lock >= 0)
        close(this->lock);
    if (this->folder >= 0)
        close(this->folder);
    free(this->path);
    free(this->name);
    free(this->fresh);
    free(this->guard);
    free(this);
}

const char *durable_file_path(const struct durable_file *this)
{
    return this->path;
}

// ---- reading ----

static ssize_t read_some(int file, void *data, size_t length)
{
    ssize_t count;
    do
        count = read(file, data, length);
    while (count < 0 && errno == EINTR);
    return count;
}

static bool read_all(const struct durable_file *this, int file, struct buffer *out,
                     struct error *err)
{
    enum { STEP = 65536 };
    uint8_t *step = memory_new(STEP);
    ssize_t count;
    bool fits = true;
    while (fits && (count = read_some(file, step, STEP)) > 0)
        fits = buffer_append(out, step, (size_t)count);
    free(step);
    if (!fits)
        return error_set(err, ERROR_LIMIT, "'%s' is too large: more than %zu bytes", this->path,
                         out->limit);
    return count == 0 || failed(this, "cannot read", err);
}

bool durable_file_read(struct durable_file *this, struct buffer *out, bool *exists,
                       struct error *err)
{
    buffer_clear(out);
    int file = openat(this->folder, this->name, O_RDONLY | O_CLOEXEC);
    *exists = file >= 0 || errno != ENOENT;
    if (file < 0)
        return !*exists || failed(this, "cannot read", err);
    bool fine = read_all(this, file, out, err);
    close(file);
    return fine;
}

// ---- writing ----

static bool write_all(int file, struct slice contents)
{
    while (contents.length > 0) {
        ssize_t count = write(file, contents.data, contents.length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        contents.data += count;
        contents.length -= (size_t)count;
    }
    return true;
}

// What an operator allowed or forbade for the file stays so.
static bool keep_mode(const struct durable_file *this, int file)
{
    struct stat status;
    if (fstatat(this->folder, this->name, &status, 0) != 0)
        return errno == ENOENT;
    return fchmod(file, status.st_mode & 07777) == 0;
}

static bool write_fresh(const struct durable_file *this, struct slice contents)
{
    int file = create_fresh(this);
    if (file < 0)
        return false;
    bool written = keep_mode(this, file) && write_all(file, contents) && fsync(file) == 0;
    int reason = errno;
    bool closed = close(file) == 0;
    if (!written)
        errno = reason;
    return written && closed;
}

bool durable_file_write(struct durable_file *this, struct slice contents, struct error *err)
{
    bool replaced = write_fresh(this, contents) &&
                    renameat(this->folder, this->fresh, this->folder, this->name) == 0;
    if (!replaced) {
        failed(this, "cannot write", err);
        unlinkat(this->folder, this->fresh, 0);
        return false;
    }
    return fsync(this->folder) == 0 || failed(this, "cannot bring the folder to the disk of", err);
}
