// SPDX-License-Identifier: Apache-2.0
//
// The spawner on its way from the launcher to the host: see spawner_handover.h. A variable that
// another process has set is not believed: the socket must have been made by this process, and the
// spawner must be its child.

#include "loop/spawner_handover.h"

#include "loop/spawner_process.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char variable[] = "MESOS_LUA_SPAWNER"; // "SOCKET:PID"

void spawner_handover_give(void)
{
    char text[64];
    pid_t pid;
    int socket = spawner_process_fork(&pid);
    if (socket < 0)
        return;
    snprintf(text, sizeof text, "%d:%ld", socket, (long)pid);
    if (fcntl(socket, F_SETFD, 0) != 0 || setenv(variable, text, 1) != 0)
        close(socket);
}

static bool is_own_socket(int socket)
{
    struct ucred maker;
    socklen_t length = sizeof maker;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &maker, &length) == 0 &&
           maker.pid == getpid();
}

static bool is_child(pid_t pid)
{
    siginfo_t info;
    return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int spawner_handover_take(pid_t *pid)
{
    const char *text = getenv(variable);
    int socket = -1;
    long number = 0;
    bool good = text != NULL && sscanf(text, "%d:%ld", &socket, &number) == 2 &&
                is_own_socket(socket) && is_child((pid_t)number);
    unsetenv(variable);
    if (!good)
        return -1;
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    *pid = (pid_t)number;
    return socket;
}
