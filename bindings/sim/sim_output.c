// SPDX-License-Identifier: Apache-2.0
//
// The standard output of the simulator: see sim_output.h.

#include "bindings/sim/sim_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int output = STDOUT_FILENO;

void sim_output_take(void)
{
    int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return;
    output = copy;
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

// The one who opened it may have made it non-blocking.
static bool await_room(void)
{
    struct pollfd room = {.fd = output, .events = POLLOUT};
    return poll(&room, 1, -1) >= 0 || errno == EINTR;
}

static bool may_go_on(int fault)
{
    return fault == EINTR || ((fault == EAGAIN || fault == EWOULDBLOCK) && await_room());
}

bool sim_output_write(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(output, text, length);
        if (written < 0 && !may_go_on(errno))
            return false;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return true;
}

bool sim_output_terminal(int which, unsigned *columns)
{
    int descriptor = which == STDOUT_FILENO ? output : STDERR_FILENO;
    struct winsize size = {.ws_col = 0};
    bool terminal = isatty(descriptor) == 1;
    if (terminal)
        ioctl(descriptor, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    return terminal;
}
