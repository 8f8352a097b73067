// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and signals at the start of the program: see inherited.h.

#include "loop/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NEEDED = 20 }; // free descriptors: an idle host with its cluster has 15

// Opening takes the lowest number that is free.
bool inherited_standard(struct error *err)
{
    for (int file = 0; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return error_set(err, ERROR_IO, "cannot open /dev/null: %s", strerror(errno));
    return true;
}

// Inherited descriptors count as well.
static bool check_room(struct error *err)
{
    int files[NEEDED], count = 0, fault = 0;
    while (count < NEEDED && fault == 0) {
        files[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (files[count] < 0)
            fault = errno;
        else
            count++;
    }
    for (int i = 0; i < count; i++)
        close(files[i]);
    if (fault == 0)
        return true;
    return error_set(err, ERROR_LIMIT,
                     "%s: of the descriptors that this process may have (ulimit -n) %d are free, "
                     "and at least %d are needed",
                     strerror(fault), count, NEEDED);
}

bool inherited_descriptors(struct error *err)
{
    if (!inherited_standard(err) || !check_room(err))
        return false;
    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    return true;
}

static struct rlimit original; // .rlim_max is 0: it was not raised

void inherited_raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    original = limit;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void inherited_restore_limit(void)
{
    if (original.rlim_max > 0)
        setrlimit(RLIMIT_NOFILE, &original);
}

void inherited_release_signals(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &hangup, NULL);
}
