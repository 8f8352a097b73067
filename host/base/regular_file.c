// SPDX-License-Identifier: Apache-2.0
//
// Opening and reading without hanging: see regular_file.h. O_NONBLOCK keeps open(2) of a named pipe
// from waiting; the kind is checked on the open descriptor, so the file cannot be replaced in
// between.

#include "base/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static const int patience = 5000; // milliseconds that a read waits for the writer of a pipe

static const char *kind_of(mode_t mode)
{
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "not an ordinary file";
}

static bool check_kind(int file, enum regular_file_kinds kinds, struct stat *status,
                       struct error *err)
{
    if (fstat(file, status) != 0)
        return error_set(err, ERROR_IO, "%s", strerror(errno));
    bool pipe = kinds == REGULAR_FILE_OR_PIPE && S_ISFIFO(status->st_mode);
    if (S_ISREG(status->st_mode) || pipe)
        return true;
    if (S_ISDIR(status->st_mode))
        return error_set(err, ERROR_INVALID, "%s", strerror(EISDIR));
    return error_set(err, ERROR_INVALID, "it is %s, and an ordinary file is expected",
                     kind_of(status->st_mode));
}

int regular_file_open(int folder, const char *path, enum regular_file_kinds kinds,
                      struct stat *status, struct error *err)
{
    struct stat own;
    int file = openat(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0 && errno == ENXIO) {
        error_set(err, ERROR_INVALID,
                  "it is a socket or a device, and an ordinary file is expected");
        return -1;
    }
    if (file < 0) {
        int reason = errno;
        error_set(err, ERROR_IO, "%s", strerror(reason));
        errno = reason;
        return -1;
    }
    if (check_kind(file, kinds, status ? status : &own, err))
        return file;
    close(file);
    errno = EINVAL;
    return -1;
}

// Waits for the writer of a pipe.
static bool wait_for_writer(int file, struct error *err)
{
    struct pollfd state = {.fd = file, .events = POLLIN};
    if (poll(&state, 1, patience) != 0)
        return true;
    return error_set(err, ERROR_IO, "it is a pipe, and nothing was written to it within %d s",
                     patience / 1000);
}

bool regular_file_read(int file, void *data, size_t size, size_t *length, struct error *err)
{
    *length = 0;
    while (*length < size) {
        ssize_t count = read(file, (char *)data + *length, size - *length);
        if (count == 0)
            return true;
        if (count > 0)
            *length += (size_t)count;
        else if (errno == EAGAIN && !wait_for_writer(file, err))
            return false;
        else if (errno != EAGAIN && errno != EINTR)
            return error_set(err, ERROR_IO, "%s", strerror(errno));
    }
    return true;
}

bool regular_file_read_all(int file, struct buffer *out, struct error *err)
{
    char piece[16384];
    size_t length;
    do {
        if (!regular_file_read(file, piece, sizeof piece, &length, err))
            return false;
        if (!buffer_append(out, piece, length))
            return error_set(err, ERROR_LIMIT, "it is larger than %zu bytes", out->limit);
    } while (length == sizeof piece);
    return true;
}
