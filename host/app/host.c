// SPDX-License-Identifier: Apache-2.0
//
// A script and all that it needs to run: see host.h. The host owns the loop, the signals if it is
// the program, the cluster if it brings one, the script, and the scheduler of a script that
// returned its table. The end comes from outside (a signal), from the script (mesos.exit) or from
// the driver (stopped or aborted), and always takes the same way: stop the drivers, let them
// finish, end the cluster's tasks, then free.
//
// While Lua code of the script runs for long, on_long() is all that the host gets to do: it tells
// of signals and serves the control socket, and what changes anything waits for the loop to turn.
// The first signal waits for that code, the second one stops it.

#include "app/host.h"

#include "app/lag_warning.h"
#include "app/reload.h"
#include "app/state_store.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/stopwatch.h"
#include "bindings/module.h"
#include "bindings/scheduler/callback_samples.h"
#include "bindings/scheduler/scheduler.h"
#include "cluster/cluster.h"
#include "leader/election.h"
#include "loop/loop_uv.h"
#include "loop/poll_watcher.h"
#include "loop/signals.h"
#include "loop/spawner.h"
#include "mesos/transport_http.h"
#include "net/http_access.h"
#include "ops/control.h"
#include "ops/control_commands.h"
#include "ops/metrics_http.h"
#include "script/lint.h"
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
    const struct script_module *modules; // besides our own; NULL: none
    struct loop *loop;
    bool own_loop;
    struct signals *signals;     // NULL: they are the embedder's
    struct poll_watcher *output; // of the program's, that has to wait; or NULL
    struct cluster *cluster;
    char token[HTTP_ACCESS_TOKEN + 1]; // that it asks for, if it is for this script alone
    struct election *elector;          // NULL: there is no election
    struct state_store *keeper;        // NULL: nothing is kept
    struct session session;            // script and scheduler, and what operators see of them
    struct reload *reload;             // of a script that returned its table, while it runs
    struct scheduler_environment environment;
    struct control_commands *commands; // of an operator, through the following two
    struct control *control;
    struct metrics_http *metrics;
    struct tls_options tls;
    bool tls_checked;
    struct timer patience;
    struct lag_warning lag;
    bool ending;        // no matter why
    bool cluster_gone;  // all its tasks have ended
    bool failed;        // it did not load, or has mistakes that a check found
    bool lost_state;    // what was to be kept could not be
    bool elected;       // leads, or has led
    bool deposed;       // led, and does no more: it has to begin anew
    struct error fault; // of the election
    unsigned signals_seen;
    struct deferral stopping; // a signal that came while Lua code ran
    bool interrupting;        // Lua code that runs for long is stopped from now on
    unsigned inner;           // rounds of the loop inside the script
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

// Is the cluster for the script that brings it, and no other client?
static bool is_private(const struct options *options)
{
    return options->command != COMMAND_LOCAL && *options->listen.host == '\0';
}

static void ask_clients(const struct host *host, struct cluster_options *cluster)
{
    if (is_private(host->options)) {
        cluster->token = host->token;
        return;
    }
    cluster->token_file = host->options->token_file;
    cluster->credential_file = host->options->credential;
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
        .listen = *listen->host != '\0' ? address : NULL,
        .hosts = host->options->allow_hosts,
        .offer_timeout = host->options->offer_timeout,
    };
    ask_clients(host, &options);
    host->cluster = cluster_create(host->loop, &options, err);
    free(address);
    if (host->cluster != NULL && cluster_exposed(host->cluster))
        log_warning("all who can reach %s may run commands on this machine: --token-file or "
                    "--credential asks for one, 127.0.0.1 keeps other machines out",
                    cluster_address(host->cluster));
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

// The script's own cluster asks for the token that was made for it, and a framework has its
// principal there, too.
static struct credentials *authenticate(struct host *host, const struct credentials_options *given,
                                        bool local, struct error *err)
{
    const struct options *options = host->options;
    struct credentials_options credentials = {.principal = options->principal,
                                              .secret_file = options->secret_file,
                                              .credential_file = options->credential,
                                              .token_file = options->token_file};
    if (given != NULL)
        credentials = *given;
    credentials.redirect_hosts = options->redirect_hosts;
    credentials.name_only = local && is_private(options);
    if (credentials.name_only && *host->token == '\0' && !http_access_make_token(host->token, err))
        return NULL;
    credentials.token = credentials.name_only ? host->token : NULL;
    return credentials_create(&credentials, err);
}

// Once: it is not cheap.
static bool check_tls(struct host *host, struct error *err)
{
    host->tls_checked = host->tls_checked || tls_check(&host->tls, err);
    return host->tls_checked;
}

static bool bring_cluster(struct host *host, unsigned agents, struct error *err)
{
    if (host->environment.checking)
        return true;
    bool fresh = host->cluster == NULL;
    if (!start_cluster(host, agents, err))
        return false;
    if (fresh)
        announce(host);
    return true;
}

// A cluster runs commands, and an address may name a file.
static bool may_connect(const struct options *options, const char *master, struct error *err)
{
    if (!options->sandbox || master == NULL || strcmp(master, options->master) == 0)
        return true;
    return error_set(err, ERROR_INVALID,
                     "master: '%s' is not the master of the command line ('%s'), and with "
                     "--sandbox a script has no other: leave `master` out, or start with "
                     "--master %s",
                     master, options->master, master);
}

// A master's address, and what it was given by.
struct code_place {
    const char *name, *address;
    bool local;
};

// While checking, any address that can be read will do: none is contacted.
static bool detect(struct host *host, const struct code_place *place,
                   struct credentials *credentials, struct detector **detector, struct error *err)
{
    const struct detector_options options = {.session_timeout = host->options->zk_session_timeout,
                                             .tls = host->options->tls && !place->local,
                                             .credentials = credentials};
    const char *address = place->address;
    if (place->local)
        address = host->cluster != NULL ? cluster_address(host->cluster) : "127.0.0.1:5050";
    *detector = detector_create_with(address, &options, host->loop, err);
    return *detector != NULL || error_context(err, "%s", place->name);
}

static struct transport *create_transport(struct host *host, struct credentials *credentials)
{
    const struct options *options = host->options;
    const struct transport_http_options transport = {.record_limit = (size_t)options->record_limit,
                                                     .connect_timeout = options->connect_timeout,
                                                     .answer_timeout = options->answer_timeout,
                                                     .call_timeout = options->answer_timeout,
                                                     .window = (size_t)options->call_window,
                                                     .tls = &host->tls,
                                                     .credentials = credentials};
    struct transport *direct = transport_http_create(host->loop, &transport);
    if (host->keeper == NULL)
        return direct;
    return call_barrier_transport_create(state_store_gate(host->keeper), direct);
}

static bool on_connect(void *data, const char *master, const struct credentials_options *credential,
                       struct driver_options *driver, struct error *err)
{
    struct host *host = data;
    const struct options *options = host->options;
    const char *address = master ? master : options->master;
    const char *name = master ? "master" : options_master_name(options);
    unsigned agents = (unsigned)options->agents;
    bool local;
    if (!read_local(address, &local, &agents, err))
        return false;
    const struct code_place place = {.name = name, .address = address, .local = local};
    if (!may_connect(options, master, err))
        return false;
    struct credentials *credentials = authenticate(host, credential, local, err);
    bool good = credentials != NULL && check_tls(host, err) &&
                (!local || bring_cluster(host, agents, err)) &&
                detect(host, &place, credentials, &driver->detector, err);
    if (good) {
        driver->transport = create_transport(host, credentials);
        driver->subscription.backoff_factor = options->registration_backoff;
        driver->subscription.answer_deadline = options->answer_timeout;
        driver->task_limit = (size_t)options->task_limit;
        driver->offer_warn = options->offer_warn;
        driver->log_failures = true;
    }
    credentials_unref(credentials);
    return good;
}

static struct slice on_kept_id(void *data)
{
    struct host *host = data;
    return state_store_framework_id(host->keeper);
}

static bool on_keep_id(void *data, struct slice id, struct error *err)
{
    struct host *host = data;
    return state_store_set_framework_id(host->keeper, id, err);
}

static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    struct host *host = data;
    host->inner++;
    loop_uv_run(host->loop, done, done_data);
    host->inner--;
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
    log_warning("ended at once by another signal");
    if (host->control != NULL)
        control_unlink(host->control);
    spawner_kill_all();
    cluster_destroy(host->cluster);
    _exit(128 + number);
}

static void on_hangup(void *data)
{
    struct host *host = data;
    if (host->reload != NULL)
        reload_request(host->reload, "SIGHUP");
    else
        log_warning("SIGHUP: nothing to reload; a script that returns its scheduler can be "
                    "reloaded while it runs, one that runs its drivers itself cannot");
}

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : "SIGTERM";
}

static void on_signal(void *data, int number)
{
    struct host *host = data;
    if (host->signals_seen++ > 0)
        end_at_once(host, number);
    output_hurry();
    log_info("%s: stopping", signal_name(number));
    stop_drivers(host);
}

static void on_stopping(void *data)
{
    stop_drivers(data);
}

static void on_process_ending(void *data)
{
    const struct host *host = data;
    if (host->control != NULL)
        control_unlink(host->control);
}

static const struct signals_events signals_events = {
    .hangup = on_hangup, .stop = on_signal, .ending = on_process_ending};

// ---- while Lua code runs ----

static void take_signal(struct host *host, int number)
{
    char place[512] = "Lua code";
    script_running(place, sizeof place);
    if (host->interrupting)
        end_at_once(host, number);
    output_hurry();
    if (host->signals_seen++ == 0) {
        log_info("%s: stopping when it returns or waits: %s (another signal stops it)",
                 signal_name(number), place);
        deferral_queue(&host->stopping);
    } else {
        log_warning("%s again: stopped is %s", signal_name(number), place);
        host->interrupting = true;
    }
}

static void on_long(void *data)
{
    struct host *host = data;
    for (int number; host->signals != NULL && (number = signals_take(host->signals)) != 0;)
        take_signal(host, number);
    if (host->interrupting)
        script_interrupt("a second signal");
    if (host->control != NULL)
        control_serve(host->control);
    if (host->output != NULL)
        output_drain();
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
    log_info("elected: leading at %s", election_name(host->elector));
}

// Calls stop here; nothing of the script that waits goes on.
static void on_deposed(void *data, const char *reason)
{
    struct host *host = data;
    log_warning("leading no more: %s; stopping, to wait for another election", reason);
    host->deposed = true;
    if (host->keeper != NULL)
        state_store_fence(host->keeper);
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

static const struct election_events election_events = {
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
    if (host->signals == NULL)
        return error_set(err, ERROR_INVALID, "--elect is for the program, not for embedded hosts");
    if (options->state != NULL)
        return error_set(err, ERROR_INVALID,
                         "--elect and --state: with --elect the state is kept in ZooKeeper; leave "
                         "--state out");
    host->elector = election_create(host->loop, options->elect, options->zk_session_timeout,
                                    &election_events, host, err);
    if (host->elector == NULL)
        return error_context(err, "--elect");
    election_start(host->elector);
    loop_uv_run(host->loop, election_decided, host);
    *err = host->fault;
    return host->fault.code == ERROR_NONE;
}

static bool state_at_rest(void *data)
{
    struct host *host = data;
    return state_store_at_rest(host->keeper);
}

static bool cluster_is_gone(void *data)
{
    struct host *host = data;
    return host->cluster_gone;
}

// ---- the operator ----

static void on_stop_asked(void *data)
{
    stop_drivers(data);
}

// Where nobody said that it shall be, a control socket that cannot be opened is no reason not to
// run, and an embedded host has none.
static bool open_control(struct host *host, struct error *err)
{
    const char *path = host->options->control;
    struct error reason = {0};
    if (path == NULL && host->signals == NULL)
        return true;
    host->control = control_open(host->loop, path, &control_commands_events, host->commands,
                                 path ? err : &reason);
    if (host->control == NULL && path != NULL)
        return error_context(err, "--control");
    if (host->control == NULL)
        log_warning("no control socket: %s", reason.text);
    else
        log_debug("the control socket is %s", control_path(host->control));
    return true;
}

static bool open_metrics(struct host *host, struct error *err)
{
    const struct options_address *at = &host->options->metrics;
    if (*at->host == '\0')
        return true;
    char *address = memory_format(strchr(at->host, ':') ? "[%s]:%u" : "%s:%u", at->host, at->port);
    host->metrics =
        metrics_http_create(host->loop, address, host->options->allow_hosts, &host->session, err);
    free(address);
    if (host->metrics != NULL)
        log_info("metrics are at http://%s/metrics", metrics_http_address(host->metrics));
    return host->metrics != NULL;
}

// For the operator, who reaches it through the session.
static void on_reload_asked(void *data, void (*told)(void *data, bool ok, const char *text),
                            void *told_data)
{
    struct host *host = data;
    reload_listen(host->reload, told, told_data);
    reload_request(host->reload, "ctl reload");
}

static bool open_endpoints(struct host *host, struct error *err)
{
    struct session *session = &host->session;
    session->cluster = host->options->script ? NULL : host->cluster;
    if (host->environment.checking)
        return true;
    host->commands = control_commands_create(session, on_stop_asked, host);
    return open_control(host, err) && open_metrics(host, err);
}

static void close_endpoints(struct host *host)
{
    control_commands_destroy(host->commands);
    control_close(host->control);
    metrics_http_destroy(host->metrics);
    host->commands = NULL;
    host->control = NULL;
    host->metrics = NULL;
}

// ---- setting up and taking down ----

// The last look at mesos.state, when nothing of the script runs any more.
static void keep_state(struct host *host)
{
    struct error err = {0};
    if (host->keeper == NULL)
        return;
    if (!state_store_save(host->keeper, &err)) {
        log_error("mesos.state is not kept: %s", err.text);
        host->lost_state = true;
    }
    loop_uv_run(host->loop, state_at_rest, host);
    if (!host->deposed && !state_store_safe(host->keeper)) {
        log_error("mesos.state is not kept in ZooKeeper as it was at the end");
        host->lost_state = true;
    }
    state_store_follow(host->keeper, NULL);
}

static void drop_reload(struct host *host)
{
    reload_destroy(host->reload);
    host->reload = NULL;
    host->session.reloads = NULL;
}

static void take_down(struct host *host)
{
    stop_drivers(host);
    loop_uv_run(host->loop, drivers_finished, host);
    drop_reload(host);
    deferral_cancel(&host->stopping);
    timer_stop(&host->patience);
    keep_state(host);
    while (host->environment.first != NULL)
        scheduler_destroy(host->environment.first);
    script_destroy(host->session.script);
    close_endpoints(host);
    state_store_close(host->keeper);
    election_destroy(host->elector);
    if (host->cluster != NULL) {
        cluster_stop(host->cluster, on_cluster_stopped, host);
        loop_uv_run(host->loop, cluster_is_gone, host);
        cluster_destroy(host->cluster);
        explicit_bzero(host->token, sizeof host->token);
    }
    spawner_close(host->loop);
    lag_warning_stop(&host->lag);
    signals_destroy(host->signals);
    poll_watcher_destroy(host->output);
    if (host->own_loop)
        loop_uv_drain(host->loop);
    loop_destroy(host->loop);
}

static void on_output(void *data, int fd, int events)
{
    (void)data;
    (void)fd;
    (void)events;
    output_drain();
}

// What the program has to write and its reader does not take waits without keeping the loop alive.
static void watch_output(struct host *host)
{
    host->output = poll_watcher_create(host->loop, output_descriptor(), on_output, NULL, NULL);
    if (host->output == NULL)
        return;
    poll_watcher_unref(host->output);
    poll_watcher_start(host->output, UV_READABLE);
}

static void set_up(struct host *host, const struct host_settings *settings)
{
    const struct options *options = settings->options;
    *host = (struct host){.options = options, .modules = settings->modules};
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
    host->loop = loop_uv_create(settings->loop);
    host->own_loop = settings->loop == NULL;
    if (settings->signals)
        host->signals = signals_create(host->loop, &signals_events, host);
    if (settings->signals && output_descriptor() >= 0)
        watch_output(host);
    if (host->own_loop && !settings->checking)
        lag_warning_start(&host->lag, host->loop);
    timer_init(&host->patience, host->loop, on_patience_over, host);
    deferral_init(&host->stopping, host->loop, on_stopping, host);
    host->environment = (struct scheduler_environment){
        .loop = host->loop, .connect = on_connect, .run = on_run, .data = host};
    host->environment.checking = settings->checking;
    host->session = (struct session){.loop = host->loop,
                                     .environment = &host->environment,
                                     .path = options->script,
                                     .started = stopwatch_seconds(),
                                     .reload = on_reload_asked,
                                     .data = host};
}

// ---- what is kept ----

static bool open_keeper(struct host *host, struct error *err)
{
    if (host->environment.checking || (host->options->state == NULL && host->elector == NULL))
        return true;
    host->keeper = host->elector != NULL ? state_store_open_shared(host->loop, host->elector, err)
                                         : state_store_open(host->loop, host->options->state, err);
    host->environment.kept_id = on_kept_id;
    host->environment.keep_id = on_keep_id;
    return host->keeper != NULL;
}

// To be called before the script is loaded.
static bool restore_state(struct host *host, struct error *err)
{
    if (host->keeper == NULL)
        return true;
    if (!state_store_restore(host->keeper, host->session.script, err))
        return false;
    state_store_follow(host->keeper, host->session.script);
    return true;
}

// What a script that did not load has left in mesos.state is half done.
static void ignore_state(struct host *host)
{
    if (host->keeper != NULL)
        state_store_follow(host->keeper, NULL);
}

// ---- the script ----

static void on_source(void *data)
{
    struct host *host = data;
    reload_add_source(host->reload);
}

static void on_failure(void *data, const char *what, const char *text)
{
    struct host *host = data;
    if (host->reload != NULL)
        reload_failed(host->reload, what, text);
}

// Our module and the embedder's. To be freed.
static struct script_module *list_modules(struct host *host)
{
    size_t count = 0;
    while (host->modules != NULL && host->modules[count].name != NULL)
        count++;
    struct script_module *list = memory_new((count + 2) * sizeof *list);
    list[0] = (struct script_module){"mesos", module_open, &host->environment};
    if (count > 0)
        memcpy(list + 1, host->modules, count * sizeof *list);
    return list;
}

// An empty world, of the first version and of later ones.
static struct script *create_script(void *data, struct error *err)
{
    struct host *host = data;
    struct script_module *modules = list_modules(host);
    const struct options *options = host->options;
    bool served = host->signals != NULL || host->control != NULL;
    const struct script_settings settings = {.loop = host->loop,
                                             .modules = modules,
                                             .memory_limit = (size_t)options->memory_limit,
                                             .callback_warn = options->callback_warn,
                                             .callback_limit = options->callback_limit,
                                             .load_limit = options->load_limit,
                                             .idle_collection = true,
                                             .sandbox = options->sandbox != 0,
                                             .on_exit = on_exit_asked,
                                             .on_source = on_source,
                                             .on_long = served ? on_long : NULL,
                                             .on_failure = on_failure,
                                             .data = host};
    struct script *script = script_create(&settings, err);
    free(modules);
    return script;
}

static void on_swapped(void *data, struct script *script)
{
    struct host *host = data;
    host->session.script = script;
    if (host->keeper != NULL)
        state_store_follow(host->keeper, script);
}

static bool load(struct host *host, struct error *err)
{
    host->session.script = create_script(host, err);
    if (host->session.script == NULL || !restore_state(host, err))
        return false;
    return script_load(host->session.script, host->options->script, host->options->argc,
                       host->options->argv, err);
}

static void on_name_warning(void *data, const char *text)
{
    struct host *host = data;
    log_warning("%s: %s", host->options->script, text);
}

static bool is_over(const struct host *host)
{
    return host->ending || host->session.scheduler == NULL ||
           driver_finished(scheduler_driver(host->session.scheduler));
}

int host_status(const struct host *host)
{
    int code = 0;
    if (host->failed)
        return EXIT_USAGE;
    if (host->session.script == NULL || script_exit_requested(host->session.script, &code))
        return code;
    bool aborted = host->environment.aborted; // of a script that runs its drivers itself
    if (host->session.scheduler != NULL)
        aborted = driver_status(scheduler_driver(host->session.scheduler)) == DRIVER_ABORTED;
    return aborted ? EXIT_ABORTED : 0;
}

static void tell_of_abort(const struct host *host)
{
    bool own = host->session.scheduler == NULL && host->environment.aborted && !host->failed;
    if (own && !script_exit_requested(host->session.script, NULL))
        log_error(
            "%s ended with a driver that was aborted, which is status %d; a script that wants "
            "another one says so with os.exit",
            host->options->script, EXIT_ABORTED);
}

void host_start(struct host *host)
{
    if (host->session.scheduler == NULL || host->ending || host->signals_seen > 0 ||
        host->environment.checking)
        return;
    const struct reload_settings settings = {.options = host->options,
                                             .loop = host->loop,
                                             .script = host->session.script,
                                             .scheduler = host->session.scheduler,
                                             .environment = &host->environment,
                                             .create = create_script,
                                             .swapped = on_swapped,
                                             .data = host};
    host->reload = reload_create(&settings);
    host->session.reloads = reload_counters(host->reload);
    driver_start(scheduler_driver(host->session.scheduler));
}

bool host_over(void *data)
{
    struct host *host = data;
    if (!is_over(host))
        return false;
    if (!host->ending)
        stop_drivers(host);
    return drivers_finished(host);
}

// Loading may have ended because the script asked for it, which is no error.
bool host_load(struct host *host, struct error *err)
{
    bool fit = campaign(host, err);
    if (fit && host->ending)
        return true;
    bool ready = fit && open_keeper(host, err) && open_endpoints(host, err) && load(host, err) &&
                 scheduler_adopt(host->session.script, &host->environment, on_name_warning, host,
                                 &host->session.scheduler, err);
    if (ready ||
        (host->session.script != NULL && script_exit_requested(host->session.script, NULL)))
        return true;
    ignore_state(host);
    if (host->interrupting && !host->environment.checking) {
        log_error("%s", err->text);
        host->ending = true;
        return true;
    }
    host->failed = true;
    return false;
}

// ---- the face ----

struct host *host_create(const struct host_settings *settings)
{
    struct host *host = memory_new(sizeof *host);
    set_up(host, settings);
    return host;
}

// Takes it down; what it was stays to be looked at.
static int finish(struct host *host)
{
    int status = host_status(host);
    take_down(host);
    bool failed = host->lost_state || host->fault.code != ERROR_NONE;
    return status == 0 && failed ? EXIT_ABORTED : status;
}

int host_destroy(struct host *host)
{
    int status = finish(host);
    free(host);
    return status;
}

void host_rest(struct host *host)
{
    drop_reload(host);
    close_endpoints(host);
    deferral_cancel(&host->stopping);
    timer_stop(&host->patience);
}

void host_stop(struct host *host)
{
    stop_drivers(host);
}

struct reload *host_reload(struct host *host)
{
    return host->reload;
}

struct loop *host_loop(struct host *host)
{
    return host->loop;
}

bool host_busy(const struct host *host)
{
    return host->inner > 0 ||
           (host->session.script != NULL && script_calling(host->session.script));
}

// ---- the program ----

static struct host *create_program(const struct options *options, bool checking)
{
    const struct host_settings settings = {
        .options = options, .signals = true, .checking = checking};
    return host_create(&settings);
}

static void on_finding(const char *text)
{
    log_error("%s", text);
}

static void check_functions(struct host *host)
{
    struct lint_parameter *parameters =
        host->session.scheduler ? callback_samples_parameters() : NULL;
    size_t found = examine(host->session.script, parameters, host->session.scheduler, on_finding);
    free(parameters);
    if (found > LINT_MOST)
        log_error("%s: %zu more of these", host->options->script, found - LINT_MOST);
    host->failed = found > 0;
}

// `again`: it led and does no more, and nobody asked it to end.
static int run(struct host *host, bool *again)
{
    struct error err = {0};
    if (host_load(host, &err)) {
        host_start(host);
        if (!host->environment.checking)
            loop_uv_run(host->loop, host_over, host);
        else
            check_functions(host);
    } else {
        log_error("%s", err.text);
    }
    tell_of_abort(host);
    int status = finish(host);
    *again = host->deposed && host->signals_seen == 0 && host->fault.code == ERROR_NONE;
    free(host);
    return status;
}

int host_run(const struct options *options)
{
    bool again;
    int status;
    do {
        status = run(create_program(options, false), &again);
    } while (again);
    return status;
}

int host_check(const struct options *options)
{
    bool again;
    int status = run(create_program(options, true), &again);
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
    struct error err = {0};
    struct host *host = create_program(options, false);
    if (start_cluster(host, (unsigned)options->agents, &err) && open_endpoints(host, &err)) {
        printf("listening on %s\n", cluster_address(host->cluster));
        fflush(stdout);
        announce(host);
        loop_uv_run(host->loop, is_ending, host);
    } else {
        log_error("%s", err.text);
        host->failed = true;
    }
    return host_destroy(host);
}
