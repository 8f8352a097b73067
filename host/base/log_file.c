// SPDX-License-Identifier: Apache-2.0
//
// The log in a file: see log_file.h. The descriptor keeps its number when the file is opened anew,
// so that no line meets a closed one.

#include "base/log_file.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    const char *path; // NULL: there is none
    int fd;
    volatile sig_atomic_t torn;      // the last line is there in part: the disk was full
    const struct log_output *before; // where the log went, for lines that the file does not take
} log_file;

static bool write_all(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t count = write(log_file.fd, line, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        log_file.torn = true;
        line += count;
        length -= (size_t)count;
    }
    log_file.torn = false;
    return true;
}

// False if nothing, or not all of the line, could be written. A torn line is ended before the next.
static bool append(const char *line, size_t length)
{
    return (!log_file.torn || write_all("\n", 1)) && write_all(line, length);
}

static void write_line(const char *line, size_t length)
{
    if (!append(line, length))
        log_file.before->write(line, length);
}

static void write_line_from_signal(const char *line, size_t length)
{
    int reason = errno;
    if (!append(line, length))
        log_file.before->write_from_signal(line, length);
    errno = reason;
}

static const struct log_output output = {.write = write_line,
                                         .write_from_signal = write_line_from_signal};

// A pipe could block the program, so it is none.
static int open_path(const char *path, struct error *err)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
    if (fd < 0) {
        error_set(err, ERROR_IO, "the log file %s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    error_set(err, ERROR_INVALID, "the log file %s: it is no regular file", path);
    close(fd);
    return -1;
}

bool log_file_open(const char *path, struct error *err)
{
    int fd = open_path(path, err);
    if (fd < 0)
        return false;
    log_file.fd = fd;
    log_file.path = path;
    log_file.before = log_get_output();
    log_set_output(&output);
    log_set_dated();
    return true;
}

bool log_file_reopen(struct error *err)
{
    if (log_file.path == NULL)
        return error_set(err, ERROR_INVALID,
                         "the log is in no file: --log-file FILE would put it in one");
    int fd = open_path(log_file.path, err);
    if (fd < 0)
        return false;
    dup3(fd, log_file.fd, O_CLOEXEC);
    close(fd);
    log_file.torn = false;
    return true;
}
