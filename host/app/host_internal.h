// SPDX-License-Identifier: Apache-2.0
//
// The parts of a host: see host.h. host.c is its life, host_connect.c what drivers are connected
// with, host_executor.c the executor of an agent, host_state.c the election and the stored state,
// host_endpoints.c what operators reach.

#ifndef MESOS_LUA_APP_HOST_INTERNAL_H
#define MESOS_LUA_APP_HOST_INTERNAL_H

#include "app/host.h"
#include "app/lag_warning.h"
#include "app/service_manager.h"
#include "app/state_store.h"
#include "bindings/executor/executor_script.h"
#include "bindings/scheduler/scheduler.h"
#include "cluster/cluster.h"
#include "leader/election.h"
#include "loop/poll_watcher.h"
#include "loop/signals.h"
#include "net/http_access.h"
#include "net/tls.h"
#include "ops/control.h"
#include "ops/control_commands.h"
#include "ops/metrics_http.h"

enum { EXIT_ABORTED = 1, EXIT_USAGE = 2 };

struct host {
    const struct options *options;
    const struct script_module *modules; // besides "mesos"; NULL: none
    struct loop *loop;
    bool own_loop;
    struct signals *signals;           // NULL: they are the embedder's
    struct service_manager *manager;   // NULL: nothing is told
    struct poll_watcher *output;       // of the program, while output waits for its reader; or NULL
    struct cluster *cluster;           // the local one, or NULL
    struct buffer plan, faults;        // the files of --cluster and --faults, in JSON
    char token[HTTP_ACCESS_TOKEN + 1]; // the cluster asks for it, if it is for this script alone
    struct election *elector;          // NULL: there is no election
    struct state_store *store;         // NULL: nothing is kept
    struct session session;            // script and scheduler, and what operators see of them
    struct reload *reload;             // of a script that returned its table, while it runs
    struct executor_script *executor;  // of `mesos-lua executor`, or NULL
    struct executor_environment *agent; // what its agent told it, or NULL
    struct scheduler_services services;
    struct scheduler_environment environment;
    struct control_commands *commands; // what operators ask, through control and metrics
    struct control *control;
    struct metrics_http *metrics;
    struct tls_options tls;
    bool tls_checked;
    struct timer patience;
    struct lag_warning lag;
    bool ending;          // for any reason
    bool cluster_gone;    // all its tasks have ended
    bool failed;          // the script did not load, or a check found mistakes
    bool state_lost;      // the last state could not be stored
    bool elected;         // leads, or has led
    bool leadership_lost; // has led and leads no longer: the program begins anew
    struct error fault;   // of the election
    unsigned signals_seen;
    struct deferral stopping; // a signal came while Lua code ran
    bool interrupting;        // Lua code that runs for long is stopped from now on
    unsigned inner;           // depth of loop runs inside the script
};

// host.c

// Takes everything down and returns the exit status, as host_destroy() does. The struct stays
// readable.
int host_finish(struct host *host);
void host_give_up_callbacks(struct host *host); // nothing of the script that waits continues

// Kills what the script has started, and ends the process without waiting for anything.
void host_end_at_once(struct host *host, int status) __attribute__((noreturn));

// host_connect.c

bool host_read_plan(struct host *host, struct error *err); // of --cluster and --faults, if given
bool host_start_cluster(struct host *host, unsigned agents, struct error *err); // once
void host_announce_cluster(const struct host *host);                            // in the log

// For scheduler_services.connect.
bool host_on_connect(void *data, const char *master, const struct credentials_options *credential,
                     struct driver_options *driver, struct error *err);

// host_executor.c

bool host_is_executor(const struct host *host); // the program is one: all below is for it

// In place of host_on_connect().
bool host_refuse_connect(void *data, const char *master,
                         const struct credentials_options *credential,
                         struct driver_options *driver, struct error *err);

bool host_read_agent(struct host *host, struct error *err);     // the environment
bool host_adopt_executor(struct host *host, struct error *err); // of the script, which is loaded
void host_start_executor(struct host *host);
void host_shut_executor_down(struct host *host); // as its agent does it
void host_stop_executor(struct host *host);      // without another callback
bool host_executor_finished(const struct host *host);
bool host_executor_aborted(const struct host *host);
void host_destroy_executor(struct host *host); // before its script
void host_forget_agent(struct host *host);     // behind the driver

// host_state.c

// Returns when this process leads or is to end; in that case host->ending is set, which is no
// failure. At once without --elect.
bool host_campaign(struct host *host, struct error *err);
bool host_open_state(struct host *host, struct error *err);
bool host_restore_state(struct host *host, struct error *err); // before the script is loaded

// mesos.state of a script that failed to load is half done: it is not stored.
void host_forget_state(struct host *host);

// Stores mesos.state for the last time, when nothing of the script runs any more.
void host_save_state(struct host *host);

// host_endpoints.c

bool host_open_endpoints(struct host *host, struct error *err);
void host_close_endpoints(struct host *host);

#endif
