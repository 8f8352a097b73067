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
#include "keeper.h"
#include "loop/loop_uv.h"
#include "loop/signals.h"
#include "mesos/elector.h"
#include "mesos/transport_http.h"
#include "reload.h"
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
    struct elector *elector; // NULL: there is no election
    struct keeper *keeper;   // NULL: nothing is kept
    struct script *script;
    struct scheduler *scheduler; // of a script that returned its table
    struct reload *reload;       // of such a script while it runs
    struct scheduler_environment environment;
    struct tls_options tls;
    bool tls_checked;
    struct timer patience;
    bool ending;        // no matter why
    bool cluster_gone;  // all its tasks have ended
    bool lost_state;    // what was to be kept could not be
    bool elected;       // leads, or has led
    bool deposed;       // led, and does no more: it has to begin anew
    struct error fault; // of the election
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

// The program's own cluster asks nobody for credentials, but a framework has its principal there,
// too.
static struct credentials *authenticate(const struct options *options,
                                        const struct credentials_options *given, bool local,
                                        struct error *err)
{
    struct credentials_options credentials = {.principal = options->principal,
                                              .secret_file = options->secret_file,
                                              .credential_file = options->credential,
                                              .token_file = options->token_file};
    if (given != NULL)
        credentials = *given;
    credentials.name_only = local;
    return credentials_create(&credentials, err);
}

// Once: it is not cheap.
static bool check_tls(struct host *host, struct error *err)
{
    host->tls_checked = host->tls_checked || tls_check(&host->tls, err);
    return host->tls_checked;
}

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
static bool detect(struct host *host, const char *address, struct credentials *credentials,
                   struct detector **detector, struct error *err)
{
    const struct detector_options options = {.session_timeout = host->options->zk_session_timeout,
                                             .tls = host->options->tls,
                                             .credentials = credentials};
    *detector = detector_create_with(address, &options, host->loop, err);
    return *detector != NULL;
}

static struct transport *create_transport(struct host *host, struct credentials *credentials)
{
    const struct options *options = host->options;
    const struct transport_http_options transport = {.record_limit = (size_t)options->record_limit,
                                                     .connect_timeout = options->connect_timeout,
                                                     .answer_timeout = options->answer_timeout,
                                                     .call_timeout = options->answer_timeout,
                                                     .tls = &host->tls,
                                                     .credentials = credentials};
    struct transport *direct = transport_http_create(host->loop, &transport);
    if (host->keeper == NULL)
        return direct;
    return transport_gate_create(keeper_gate(host->keeper), direct);
}

static bool on_connect(void *data, const char *master, const struct credentials_options *credential,
                       struct driver_options *driver, struct error *err)
{
    struct host *host = data;
    const struct options *options = host->options;
    const char *address = master ? master : options->master;
    unsigned agents = (unsigned)options->agents;
    bool local;
    if (!read_local(address, &local, &agents, err))
        return false;
    struct credentials *credentials = authenticate(options, credential, local, err);
    bool good = credentials != NULL && check_tls(host, err);
    if (good && local && !host->environment.checking)
        good = connect_local(host, agents, &driver->detector, err);
    else if (good)
        good =
            detect(host, local ? "127.0.0.1:5050" : address, credentials, &driver->detector, err);
    if (good) {
        driver->transport = create_transport(host, credentials);
        driver->subscription.backoff_factor = options->registration_backoff;
        driver->subscription.answer_deadline = options->answer_timeout;
    }
    credentials_unref(credentials);
    return good;
}

static struct slice on_kept_id(void *data)
{
    struct host *host = data;
    return keeper_framework_id(host->keeper);
}

static bool on_keep_id(void *data, struct slice id, struct error *err)
{
    struct host *host = data;
    return keeper_set_framework_id(host->keeper, id, err);
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
    host->ending = host->environment.ending = true;
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
    cluster_destroy(host->cluster);
    _exit(128 + number);
}

static void on_hangup(struct host *host)
{
    if (host->reload != NULL)
        reload_request(host->reload, "SIGHUP");
    else
        log_warning("SIGHUP: nothing to reload; a script that returns its scheduler can be "
                    "reloaded while it runs, one that runs its drivers itself cannot");
}

static void on_signal(void *data, int number)
{
    struct host *host = data;
    if (number == SIGHUP) {
        on_hangup(host);
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
    if (reload_loading(host->reload))
        return;
    log_debug("the script asked to exit with status %d", code);
    stop_drivers(host);
    give_up_callbacks(host);
}

// Who leads no more does not wait for answers.
static bool drivers_finished(void *data)
{
    struct host *host = data;
    if (host->deposed)
        return true;
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        if (!driver_finished(scheduler_driver(each)))
            return false;
    return true;
}

// ---- the election ----

static void on_elected(void *data)
{
    struct host *host = data;
    host->elected = true;
    log_info("elected: leading at %s", elector_name(host->elector));
}

// Calls stop here; nothing of the script that waits goes on.
static void on_deposed(void *data, const char *reason)
{
    struct host *host = data;
    log_warning("leading no more: %s; stopping, to wait for another election", reason);
    host->deposed = true;
    if (host->keeper != NULL)
        keeper_fence(host->keeper);
    stop_drivers(host);
    give_up_callbacks(host);
}

static void on_election_failed(void *data, const struct error *reason)
{
    struct host *host = data;
    host->fault = *reason;
    if (host->elected)
        on_deposed(host, reason->text);
    else
        host->ending = true;
}

static const struct elector_events elector_events = {
    .elected = on_elected, .lost = on_deposed, .failed = on_election_failed};

static bool election_decided(void *data)
{
    struct host *host = data;
    return host->elected || host->ending;
}

// Returns when it leads, or is to end (then `host->ending` says so, and that is no failure).
static bool campaign(struct host *host, struct error *err)
{
    const struct options *options = host->options;
    if (options->elect == NULL || host->environment.checking)
        return true;
    if (options->state != NULL)
        return error_set(err, ERROR_INVALID,
                         "--elect and --state: with --elect the state is kept in ZooKeeper; leave "
                         "--state out");
    host->elector = elector_create(host->loop, options->elect, options->zk_session_timeout,
                                   &elector_events, host, err);
    if (host->elector == NULL)
        return error_context(err, "--elect");
    elector_start(host->elector);
    loop_uv_run(host->loop, election_decided, host);
    *err = host->fault;
    return host->fault.code == ERROR_NONE;
}

static bool state_at_rest(void *data)
{
    struct host *host = data;
    return keeper_at_rest(host->keeper);
}

static bool cluster_is_gone(void *data)
{
    struct host *host = data;
    return host->cluster_gone;
}

// ---- setting up and taking down ----

// The last look at mesos.state, when nothing of the script runs any more.
static void keep_state(struct host *host)
{
    struct error err = {0};
    if (host->keeper == NULL)
        return;
    if (!keeper_save(host->keeper, &err)) {
        log_error("mesos.state is not kept: %s", err.text);
        host->lost_state = true;
    }
    loop_uv_run(host->loop, state_at_rest, host);
    if (!host->deposed && !keeper_safe(host->keeper)) {
        log_error("mesos.state is not kept in ZooKeeper as it was at the end");
        host->lost_state = true;
    }
    keeper_follow(host->keeper, NULL);
}

static void take_down(struct host *host)
{
    stop_drivers(host);
    loop_uv_run(host->loop, drivers_finished, host);
    reload_destroy(host->reload);
    timer_stop(&host->patience);
    keep_state(host);
    while (host->environment.first != NULL)
        scheduler_destroy(host->environment.first);
    script_destroy(host->script);
    keeper_close(host->keeper);
    elector_destroy(host->elector);
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
    host->tls = (struct tls_options){.ca_file = options->ca_file,
                                     .ca_path = options->ca_path,
                                     .cert = options->cert,
                                     .key = options->key,
                                     .ciphers = options->ciphers,
                                     .curves = options->curves,
                                     .depth = (long)options->verification_depth,
                                     .insecure = !options->verify,
                                     .no_tls_1_2 = !options->tls_1_2,
                                     .no_tls_1_3 = !options->tls_1_3};
    host->loop = loop_uv_create(NULL);
    host->signals = signals_create(host->loop, on_signal, host);
    timer_init(&host->patience, host->loop, on_patience_over, host);
    host->environment = (struct scheduler_environment){
        .loop = host->loop, .connect = on_connect, .run = on_run, .data = host};
}

// ---- what is kept ----

static bool open_keeper(struct host *host, struct error *err)
{
    if (host->environment.checking || (host->options->state == NULL && host->elector == NULL))
        return true;
    host->keeper = host->elector != NULL ? keeper_open_shared(host->loop, host->elector, err)
                                         : keeper_open(host->loop, host->options->state, err);
    host->environment.kept_id = on_kept_id;
    host->environment.keep_id = on_keep_id;
    return host->keeper != NULL;
}

// To be called before the script is loaded.
static bool restore_state(struct host *host, struct error *err)
{
    if (host->keeper == NULL)
        return true;
    if (!keeper_restore(host->keeper, host->script, err))
        return false;
    keeper_follow(host->keeper, host->script);
    return true;
}

// What a script that did not load has left in mesos.state is half done.
static void ignore_state(struct host *host)
{
    if (host->keeper != NULL)
        keeper_follow(host->keeper, NULL);
}

// ---- the script ----

static void on_source(void *data)
{
    struct host *host = data;
    reload_add_source(host->reload);
}

// An empty world, of the first version and of later ones.
static struct script *create_script(void *data, struct error *err)
{
    struct host *host = data;
    const struct script_module modules[] = {{"mesos", module_open, &host->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {.loop = host->loop,
                                             .modules = modules,
                                             .on_exit = on_exit_asked,
                                             .on_source = on_source,
                                             .data = host};
    return script_create(&settings, err);
}

static void on_swapped(void *data, struct script *script)
{
    struct host *host = data;
    host->script = script;
    if (host->keeper != NULL)
        keeper_follow(host->keeper, script);
}

static bool load(struct host *host, struct error *err)
{
    host->script = create_script(host, err);
    if (host->script == NULL || !restore_state(host, err))
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
    return host->ending || driver_finished(scheduler_driver(host->scheduler));
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
    const struct reload_settings settings = {.options = host->options,
                                             .loop = host->loop,
                                             .script = host->script,
                                             .scheduler = host->scheduler,
                                             .environment = &host->environment,
                                             .create = create_script,
                                             .swapped = on_swapped,
                                             .data = host};
    host->reload = reload_create(&settings);
    driver_start(scheduler_driver(host->scheduler));
    loop_uv_run(host->loop, is_over, host);
    stop_drivers(host);
    loop_uv_run(host->loop, drivers_finished, host);
}

// Loading may have ended because the script asked for it, which is no error.
static int run(struct host *host)
{
    struct error err = {0};
    bool fit = campaign(host, &err);
    if (fit && host->ending)
        return 0;
    bool ready = fit && open_keeper(host, &err) && load(host, &err) &&
                 scheduler_adopt(host->script, &host->environment, on_name_warning, host,
                                 &host->scheduler, &err);
    bool exiting = host->script != NULL && script_exit_requested(host->script, NULL);
    if (!ready && !exiting) {
        log_error("%s", err.text);
        ignore_state(host);
        return EXIT_USAGE;
    }
    if (ready && !host->environment.checking)
        run_scheduler(host);
    return exit_status(host);
}

int host_run(const struct options *options)
{
    struct host host;
    int status;
    do {
        set_up(&host, options);
        status = run(&host);
        take_down(&host);
    } while (host.deposed && host.signals_seen == 0 && host.fault.code == ERROR_NONE);
    bool failed = host.lost_state || host.fault.code != ERROR_NONE;
    return status == 0 && failed ? EXIT_ABORTED : status;
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
