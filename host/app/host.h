// SPDX-License-Identifier: Apache-2.0
//
// A script with all that it needs to run: wires the parts together, runs them, and takes them apart
// in order. One host is one run. It is what the program behind the command line runs, and, through
// mesos_lua.h, what programs embed; signals belong to the former only.

#ifndef MESOS_LUA_APP_HOST_H
#define MESOS_LUA_APP_HOST_H

#include "app/options.h"
#include "script/script.h"

struct host;
struct reload;
struct uv_loop_s;

// All that is pointed to must outlive the host.
struct host_settings {
    const struct options *options;
    const struct script_module *modules; // besides "mesos", ended by a row without a name; or NULL
    struct uv_loop_s *loop;              // NULL: one of its own
    bool signals;                        // those of the process end and reload it
    bool checking;                       // contact nobody
};

struct host *host_create(const struct host_settings *settings);

// Runs the loop until all has ended, and frees it. The exit status: host_status(), or 1 if the
// state could not be kept. Not while it is busy.
int host_destroy(struct host *host);

// Once. A script that runs its drivers itself does so in here; one that asked for the end while it
// was loaded has loaded well.
bool host_load(struct host *host, struct error *err);
void host_start(struct host *host); // the driver of a script that returned its scheduler
void host_stop(struct host *host);  // in order; legal at any time

// Has all ended? Once it is over it lets the drivers finish, so ask until it is true.
bool host_over(void *host);
void host_rest(struct host *host); // when it is over: nothing of it keeps the loop alive

int host_status(const struct host *host);      // of a process that ended now
bool host_busy(const struct host *host);       // inside a call into the script
struct reload *host_reload(struct host *host); // NULL: nothing runs that can be reloaded
struct loop *host_loop(struct host *host);

// What the program does: each returns the exit status of the process.
int host_run(const struct options *options);   // a framework
int host_check(const struct options *options); // load it, contact nobody
int host_local(const struct options *options); // a cluster in the foreground

#endif
