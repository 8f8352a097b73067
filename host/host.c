// SPDX-License-Identifier: Apache-2.0
//
// The program behind the command line: see host.h. The host owns the loop, the signals, the cluster
// if it brings one, the script, and the scheduler of a script that returned its table. The end
// comes from outside (a signal), from the script (mesos.exit) or from the driver (stopped or
// aborted), and always takes the same way: stop the drivers, let them finish, end the cluster's
// tasks, then free.

#include "host.h"

#include "base/log.h"
#include "base/memory.h"
#include "bindings/module.h"
#include "bindings/scheduler.h"
#include "cluster/cluster.h"
#include "loop/child.h"
#include "loop/loop_uv.h"
#include "loop/signals.h"
#include "mesos/transport_http.h"
#include "script/script.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ABORTED = 1, EXIT_USAGE = 2 };

static const double callback_patience = 5; // seconds that the end waits for a callback that waits

struct host {
    const struct options *options;
    struct loop *loop;
    struct signals *signals;
    struct cluster *cluster;
    struct script *script;
    struct scheduler *scheduler; // of a script that returned its table
    struct scheduler_environment environment;
    struct timer patience;
    bool ending;       // no matter why
    bool cluster_gone; // all its tasks have ended
    unsigned signals_seen;
};

// ---- the cluster ----

// "local" or "local:N" asks for a cluster of our own, anything else for a real master.
static bool read_local(const char *master, bool *local, unsigned *agents, struct error *err)
{
    char *end;
    *local = strcmp(master, "local") == 0 || strncmp(master, "local:", 6) == 0;
    if (!*local || master[5] == 0)
        return true;
    long count = strtol(master + 6, &end, 10);
    if (*end != 0 || end == master + 6 || count < 1 || count > 1000)
        return error_set(err, ERROR_INVALID,
                         "master '%s': a number of agents from 1 to 1000 expected behind 'local:'",
                         master);
    *agents = (unsigned)count;
    return true;
}

static bool start_cluster(struct host *host, unsigned agents, struct error *err)
{
    const struct options_address *listen = &host->options->listen;
    bool ipv6 = strchr(listen->host, ':') != NULL;
    if (host->cluster != NULL)
        return true;
    char *address = memory_format(ipv6 ? "[%s]:%u" : "%s:%u", listen->host, listen->port);
    struct cluster_options options = {
        .agents = agents,
        .resources = host->options->resources,
        .work_dir = host->options->work_dir,
        .listen = address,
    };
    host->cluster = cluster_create(host->loop, &options, err);
    free(address);
    return host->cluster != NULL;
}

static void announce(const struct host *host)
{
    unsigned agents = cluster_agents(host->cluster);
    log_info("brought a local cluster: %u agent%s with %s; sandboxes are in %s", agents,
             agents == 1 ? "" : "s", cluster_resources(host->cluster),
             cluster_work_dir(host->cluster));
}

static void on_cluster_stopped(void *data)
{
    struct host *host = data;
    host->cluster_gone = true;
}

// ---- what schedulers ask for ----

static bool connect_local(struct host *host, unsigned agents, struct detector **detector,
                          struct error *err)
{
    bool fresh = host->cluster == NULL;
    if (!start_cluster(host, agents, err))
        return false;
    if (fresh)
        announce(host);
    *detector = detector_create(cluster_address(host->cluster), host->loop, err);
    return *detector != NULL;
}

// While checking, any address that can be read will do: nobody is contacted.
static bool on_connect(void *data, const char *master, struct detector **detector,
                       struct transport **transport, struct error *err)
{
    struct host *host = data;
    unsigned agents = (unsigned)host->options->agents;
    const char *address = master ? master : host->options->master;
    struct transport_http_options options = {.record_limit = (size_t)host->options->record_limit};
    bool local;
    if (!read_local(address, &local, &agents, err))
        return false;
    if (!local)
        *detector = detector_create(address, host->loop, err);
    else if (host->environment.checking)
        *detector = detector_create("127.0.0.1:5050", host->loop, err);
    else if (!connect_local(host, agents, detector, err))
        return false;
    if (*detector == NULL)
        return false;
    *transport = transport_http_create(host->loop, &options);
    return true;
}

static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    struct host *host = data;
    loop_uv_run(host->loop, done, done_data);
}

// ---- the end ----

static void stop_drivers(struct host *host)
{
    if (!timer_active(&host->patience))
        timer_start(&host->patience, loop_seconds(callback_patience));
    host->ending = true;
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        scheduler_stop(each);
}

static void give_up_callbacks(struct host *host)
{
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        scheduler_give_up(each);
}

static void on_patience_over(void *data)
{
    struct host *host = data;
    give_up_callbacks(host);
}

static void end_at_once(struct host *host, int number)
{
    log_warning("ended at once by a second signal");
    child_kill_all();
    cluster_destroy(host->cluster);
    _exit(128 + number);
}

static void on_signal(void *data, int number)
{
    struct host *host = data;
    if (number == SIGHUP) {
        log_info("SIGHUP: scripts cannot be reloaded yet; nothing is done");
        return;
    }
    if (host->signals_seen++ > 0)
        end_at_once(host, number);
    log_info("%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
    stop_drivers(host);
}

// Nothing of the script goes on after this, callbacks that wait included.
static void on_exit_asked(void *data, int code)
{
    struct host *host = data;
    log_debug("the script asked to exit with status %d", code);
    stop_drivers(host);
    give_up_callbacks(host);
}

static bool drivers_finished(void *data)
{
    struct host *host = data;
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        if (!driver_finished(scheduler_driver(each)))
            return false;
    return true;
}

static bool cluster_is_gone(void *data)
{
    struct host *host = data;
    return host->cluster_gone;
}

// ---- setting up and taking down ----

static void take_down(struct host *host)
{
    stop_drivers(host);
    loop_uv_run(host->loop, drivers_finished, host);
    timer_stop(&host->patience);
    while (host->environment.first != NULL)
        scheduler_destroy(host->environment.first);
    script_destroy(host->script);
    if (host->cluster != NULL) {
        cluster_stop(host->cluster, on_cluster_stopped, host);
        loop_uv_run(host->loop, cluster_is_gone, host);
        cluster_destroy(host->cluster);
    }
    signals_destroy(host->signals);
    loop_uv_drain(host->loop);
    loop_destroy(host->loop);
}

static void set_up(struct host *host, const struct options *options)
{
    *host = (struct host){.options = options};
    host->loop = loop_uv_create(NULL);
    host->signals = signals_create(host->loop, on_signal, host);
    timer_init(&host->patience, host->loop, on_patience_over, host);
    host->environment = (struct scheduler_environment){
        .loop = host->loop, .connect = on_connect, .run = on_run, .data = host};
}

// ---- the script ----

static bool load(struct host *host, struct error *err)
{
    const struct script_module modules[] = {{"mesos", module_open, &host->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {.loop = host->loop,
                                             .modules = modules,
                                             .memory_limit = (size_t)host->options->memory_limit,
                                             .callback_warn = host->options->callback_warn,
                                             .callback_limit = host->options->callback_limit,
                                             .idle_collection = true,
                                             .sandbox = host->options->sandbox != 0,
                                             .on_exit = on_exit_asked,
                                             .data = host};
    host->script = script_create(&settings, err);
    if (host->script == NULL)
        return false;
    return script_load(host->script, host->options->script, host->options->argc,
                       host->options->argv, err);
}

static void on_name_warning(void *data, const char *text)
{
    struct host *host = data;
    log_warning("%s: %s", host->options->script, text);
}

static bool is_over(void *data)
{
    struct host *host = data;
    return host->ending || drivers_finished(host);
}

static int exit_status(struct host *host)
{
    int code = 0;
    if (script_exit_requested(host->script, &code))
        return code;
    if (host->scheduler == NULL)
        return 0;
    enum driver_status status = driver_status(scheduler_driver(host->scheduler));
    return status == DRIVER_ABORTED ? EXIT_ABORTED : 0;
}

static void run_scheduler(struct host *host)
{
    if (host->scheduler == NULL || host->ending)
        return;
    driver_start(scheduler_driver(host->scheduler));
    loop_uv_run(host->loop, is_over, host);
    stop_drivers(host);
    loop_uv_run(host->loop, drivers_finished, host);
}

// Loading may have ended because the script asked for it, which is no error.
static int run(struct host *host)
{
    struct error err = {0};
    bool ready = load(host, &err) && scheduler_adopt(host->script, &host->environment,
                                                     on_name_warning, host, &host->scheduler, &err);
    bool exiting = host->script != NULL && script_exit_requested(host->script, NULL);
    if (!ready && !exiting) {
        log_error("%s", err.text);
        return EXIT_USAGE;
    }
    if (ready && !host->environment.checking)
        run_scheduler(host);
    return exit_status(host);
}

int host_run(const struct options *options)
{
    struct host host;
    set_up(&host, options);
    int status = run(&host);
    take_down(&host);
    return status;
}

int host_check(const struct options *options)
{
    struct host host;
    set_up(&host, options);
    host.environment.checking = true;
    int status = run(&host);
    take_down(&host);
    if (status == 0)
        printf("%s: no error found\n", options->script);
    return status;
}

// ---- a cluster in the foreground ----

static bool is_ending(void *data)
{
    struct host *host = data;
    return host->ending;
}

int host_local(const struct options *options)
{
    struct host host;
    struct error err = {0};
    set_up(&host, options);
    bool started = start_cluster(&host, (unsigned)options->agents, &err);
    if (started) {
        printf("listening on %s\n", cluster_address(host.cluster));
        fflush(stdout);
        announce(&host);
        loop_uv_run(host.loop, is_ending, &host);
    } else {
        log_error("%s", err.text);
    }
    take_down(&host);
    return started ? 0 : EXIT_USAGE;
}
