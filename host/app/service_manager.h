// SPDX-License-Identifier: Apache-2.0
//
// What the process tells the service manager that started it: that it is ready, what it does, that
// its loop turns (the watchdog), that it reloads, and that it stops. The protocol is systemd's
// (sd_notify(3), sd_watchdog_enabled(3)): datagrams of lines to the socket that NOTIFY_SOCKET
// names. Without that variable nothing is told.
//
// Nothing waits: what the manager does not take at once is lost. The first failure is logged.

#ifndef MESOS_LUA_APP_SERVICE_MANAGER_H
#define MESOS_LUA_APP_SERVICE_MANAGER_H

#include "base/error.h"
#include "loop/loop.h"

struct service_manager;

// Reads the environment, and starts the watchdog if WATCHDOG_USEC asks this process for one. NULL
// if there is no manager; all functions take NULL, and do nothing then.
struct service_manager *service_manager_create(struct loop *loop);
void service_manager_destroy(struct service_manager *manager);

// `status` is a line for people; it is cut at 200 bytes. What is ready may become so again.
void service_manager_ready(struct service_manager *manager, const char *status);
void service_manager_status(struct service_manager *manager, const char *status);

// A reload begins, or has ended, whatever became of it. Told only when it is ready.
void service_manager_reloading(struct service_manager *manager, bool reloading);

void service_manager_stopping(struct service_manager *manager); // told once

#endif
