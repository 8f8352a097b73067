// SPDX-License-Identifier: Apache-2.0
//
// Datagrams to the service manager: see service_manager.h. The watchdog is fed by a timer of the
// loop, twice as often as the manager asks for it, so a loop that turns no more is noticed.

#include "app/service_manager.h"

#include "base/log.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_MOST = 200, MESSAGE_MOST = STATUS_MOST + 100 };

enum manager_phase { PHASE_STARTING, PHASE_READY, PHASE_STOPPING };

struct service_manager {
    int fd;
    struct sockaddr_un address;
    socklen_t address_length;
    struct timer watchdog;
    uint64_t interval; // of the watchdog, in nanoseconds; 0: none
    enum manager_phase phase;
    bool complained;
};

static void send_text(struct service_manager *manager, const char *text)
{
    ssize_t sent = sendto(manager->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&manager->address, manager->address_length);
    if (sent >= 0 || manager->complained)
        return;
    manager->complained = true;
    log_warning("NOTIFY_SOCKET: the service manager cannot be told: %s", strerror(errno));
}

// A status is one line, whatever is in it.
static void send_status(struct service_manager *manager, const char *lines, const char *status)
{
    char line[STATUS_MOST + 1], text[MESSAGE_MOST];
    snprintf(line, sizeof line, "%s", status);
    for (char *each = line; *each != '\0'; each++)
        if (iscntrl((unsigned char)*each))
            *each = '?';
    snprintf(text, sizeof text, "%sSTATUS=%s\n", lines, line);
    send_text(manager, text);
}

static void on_watchdog(void *data)
{
    struct service_manager *manager = data;
    send_text(manager, "WATCHDOG=1\n");
    timer_start(&manager->watchdog, manager->interval);
}

// ---- the environment ----

// The path of a socket, or "@" and an abstract name.
static bool read_address(struct service_manager *manager, const char *name)
{
    size_t length = strlen(name), most = sizeof manager->address.sun_path;
    bool known = (*name == '/' || *name == '@') && length > 1 && length < most;
    if (!known) {
        log_warning("NOTIFY_SOCKET: an absolute path or @NAME expected, shorter than %zu bytes, "
                    "got '%.120s'; the service manager is told nothing",
                    most, name);
        return false;
    }
    manager->address.sun_family = AF_UNIX;
    memcpy(manager->address.sun_path, name, length);
    if (*name == '@')
        manager->address.sun_path[0] = '\0';
    manager->address_length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*name == '/'));
    return true;
}

// A number from 1 on, or 0.
static uint64_t read_number(const char *variable)
{
    const char *text = getenv(variable);
    char *end = NULL;
    if (text == NULL || !isdigit((unsigned char)*text))
        return 0;
    errno = 0;
    uint64_t number = strtoumax(text, &end, 10);
    return *end == '\0' && errno == 0 ? number : 0;
}

// The variables may be those of a parent that did not mean this process.
static void start_watchdog(struct service_manager *manager)
{
    uint64_t period = read_number("WATCHDOG_USEC"), pid = read_number("WATCHDOG_PID");
    if (period == 0 || period > UINT64_MAX / 1000 || (pid != 0 && pid != (uint64_t)getpid()))
        return;
    manager->interval = period * 1000 / 2;
    on_watchdog(manager);
}

// ---- life ----

struct service_manager *service_manager_create(struct loop *loop)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || *name == '\0')
        return NULL;
    struct service_manager *manager = memory_new(sizeof *manager);
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    timer_init(&manager->watchdog, loop, on_watchdog, manager);
    if (manager->fd < 0)
        log_warning("NOTIFY_SOCKET: no socket for the service manager: %s", strerror(errno));
    if (manager->fd < 0 || !read_address(manager, name)) {
        service_manager_destroy(manager);
        return NULL;
    }
    start_watchdog(manager);
    return manager;
}

void service_manager_destroy(struct service_manager *manager)
{
    if (manager == NULL)
        return;
    timer_stop(&manager->watchdog);
    if (manager->fd >= 0)
        close(manager->fd);
    free(manager);
}

// ---- what it is told ----

void service_manager_ready(struct service_manager *manager, const char *status)
{
    if (manager == NULL || manager->phase == PHASE_STOPPING)
        return;
    manager->phase = PHASE_READY;
    send_status(manager, "READY=1\n", status);
}

void service_manager_status(struct service_manager *manager, const char *status)
{
    if (manager != NULL && manager->phase != PHASE_STOPPING)
        send_status(manager, "", status);
}

void service_manager_reloading(struct service_manager *manager, bool reloading)
{
    struct timespec now;
    char text[MESSAGE_MOST];
    if (manager == NULL || manager->phase != PHASE_READY)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    send_text(manager, reloading ? text : "READY=1\n");
}

void service_manager_stopping(struct service_manager *manager)
{
    if (manager == NULL || manager->phase == PHASE_STOPPING)
        return;
    manager->phase = PHASE_STOPPING;
    send_status(manager, "STOPPING=1\n", "stopping");
}
