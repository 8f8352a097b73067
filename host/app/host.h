// SPDX-License-Identifier: Apache-2.0
//
// A script with all that it needs to run: wires the parts together, runs them, and takes them apart
// in order. One host is one run. The program (program.h) and, through mesos_lua.h, embedders use
// it; only the program handles signals.

#ifndef MESOS_LUA_APP_HOST_H
#define MESOS_LUA_APP_HOST_H

#include "app/options.h"
#include "script/script.h"

struct host;
struct reload;
struct scheduler_environment;
struct uv_loop_s;

// All that is pointed to must outlive the host.
struct host_settings {
    const struct options *options;
    const struct script_module *modules; // besides "mesos", ended by a row without a name; or NULL
    struct uv_loop_s *loop;              // NULL: the host has its own
    bool signals;                        // SIGINT, SIGTERM and SIGHUP of the process are the host's
    bool checking;                       // make no connection
    bool guest; // the loop turns only when driver:run() is called: to be late means nothing
};

struct host *host_create(const struct host_settings *settings);

// Runs the loop until everything has ended, and frees the host. Returns the exit status:
// host_status(), or 1 if the state could not be stored. Illegal while host_busy().
int host_destroy(struct host *host);

// In place of host_load() and host_start(): a script of script_attach(), which is handed over, and
// the environment of the drivers that it makes.
struct scheduler_environment *host_attach(struct host *host, struct script *script);

// To be called once. A script that runs its drivers itself does so in this call; a script that
// asked for the end while it was loaded has loaded well.
bool host_load(struct host *host, struct error *err);
void host_start(struct host *host); // starts the driver of a script that returned its scheduler
void host_stop(struct host *host);  // in order; legal at any time

// True if everything has ended. When the end is due, the call lets the drivers finish: call it
// until it returns true.
bool host_finished(void *host);
void host_quiesce(struct host *host); // once finished: nothing of the host keeps the loop alive

int host_status(const struct host *host);      // of a process that ended now
bool host_busy(const struct host *host);       // inside a call into the script
struct reload *host_reload(struct host *host); // NULL: nothing that runs can be reloaded
struct loop *host_loop(struct host *host);

#endif
