// SPDX-License-Identifier: Apache-2.0
//
// The life of a host: see host.h. The host owns the loop, the signals if it is the program, the
// cluster if it brings one, the script, and the scheduler of a script that returned its table. The
// end is asked for from outside (a signal), by the script (mesos.exit) or by the driver (stopped or
// aborted), and the steps are always the same: stop the drivers, let them finish, end the cluster's
// tasks, then free.
//
// While Lua code of the script runs for long, the host runs nothing but on_long(): it reports
// signals and serves the control socket; whatever changes something waits for the loop to turn. The
// first signal waits for that code, the second one stops it.

#include "app/host_internal.h"

#include "app/reload.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/stopwatch.h"
#include "bindings/module.h"
#include "bindings/testing/testing.h"
#include "loop/loop_uv.h"
#include "loop/spawner.h"
#include "net/http_service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double callback_patience = 5; // seconds that the end waits for a suspended callback

// ---- the end ----

void host_stop(struct host *host)
{
    if (!timer_active(&host->patience))
        timer_start(&host->patience, loop_seconds(callback_patience));
    host->ending = host->environment.ending = true;
    if (!host->leadership_lost) // the process goes on
        service_manager_stopping(host->manager);
    host_shut_executor_down(host);
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        scheduler_stop(each);
}

void host_give_up_callbacks(struct host *host)
{
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        scheduler_give_up(each);
}

static void on_patience_over(void *data)
{
    struct host *host = data;
    host_give_up_callbacks(host);
}

void host_end_at_once(struct host *host, int status)
{
    if (host->control != NULL)
        control_unlink(host->control);
    spawner_kill_all();
    cluster_destroy(host->cluster);
    _exit(status);
}

static void end_at_once(struct host *host, int number)
{
    log_warning("ended at once by another signal");
    host_end_at_once(host, 128 + number);
}

static void on_hangup(void *data)
{
    struct host *host = data;
    if (host->reload != NULL)
        reload_request(host->reload, "SIGHUP");
    else if (host->executor != NULL)
        log_warning("SIGHUP: an executor is not reloaded");
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
    host_stop(host);
}

static void on_stopping(void *data)
{
    host_stop(data);
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
    char what[512] = "Lua code";
    script_running(what, sizeof what);
    if (host->interrupting)
        end_at_once(host, number);
    output_hurry();
    if (host->signals_seen++ == 0) {
        log_info("%s: stopping when it returns or waits: %s (another signal stops it)",
                 signal_name(number), what);
        deferral_queue(&host->stopping);
    } else {
        log_warning("%s again: stopping %s", signal_name(number), what);
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

// Nothing of the script continues after this, suspended callbacks included.
static void on_exit_asked(void *data, int code)
{
    struct host *host = data;
    if (reload_loading(host->reload))
        return;
    log_debug("the script asked to exit with status %d", code);
    host_stop_executor(host);
    host_stop(host);
    host_give_up_callbacks(host);
}

// After the loss of leadership outstanding calls are not waited for.
static bool drivers_finished(void *data)
{
    struct host *host = data;
    if (host->leadership_lost)
        return true;
    for (struct scheduler *each = host->environment.first; each; each = scheduler_next(each))
        if (!driver_finished(scheduler_driver(each)))
            return false;
    return host_executor_finished(host);
}

// ---- the script ----

static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    struct host *host = data;
    host->inner++;
    loop_uv_run(host->loop, done, done_data);
    host->inner--;
}

static void on_connected(void *data, struct scheduler *scheduler, bool connected)
{
    struct host *host = data;
    struct slice id = driver_framework_id(scheduler_driver(scheduler));
    char status[256] = "disconnected, looking for a master";
    if (connected)
        snprintf(status, sizeof status, "registered as framework %.*s", SLICE_ARGS(id));
    (connected ? service_manager_ready : service_manager_status)(host->manager, status);
}

static void on_loading(void *data, bool loading)
{
    struct host *host = data;
    service_manager_reloading(host->manager, loading);
}

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

// "mesos", what tests of policies are made of, and the modules of the embedder. To be freed.
static struct script_module *list_modules(struct host *host)
{
    size_t count = 0;
    while (host->modules != NULL && host->modules[count].name != NULL)
        count++;
    struct script_module *list = memory_new((count + 3) * sizeof *list);
    list[0] = (struct script_module){"mesos", module_open, &host->environment};
    list[1] = (struct script_module){"mesos.testing.core", testing_open, NULL};
    if (count > 0)
        memcpy(list + 2, host->modules, count * sizeof *list);
    return list;
}

// An empty Lua state, for the first version and for later ones.
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
    if (host->store != NULL)
        state_store_follow(host->store, script);
}

// For session.reload.
static void on_reload_asked(void *data, void (*on_result)(void *data, bool ok, const char *text),
                            void *result_data)
{
    struct host *host = data;
    reload_listen(host->reload, on_result, result_data);
    reload_request(host->reload, "ctl reload");
}

static bool load(struct host *host, struct error *err)
{
    if (host_is_executor(host) && !host_read_agent(host, err))
        return false;
    host->session.script = create_script(host, err);
    if (host->session.script == NULL || !host_restore_state(host, err))
        return false;
    return script_load(host->session.script, host->options->script, host->options->argc,
                       host->options->argv, err);
}

static void on_name_warning(void *data, const char *text)
{
    struct host *host = data;
    log_warning("%s: %s", host->options->script, text);
}

static bool adopt(struct host *host, struct error *err)
{
    bool checks = host->environment.checking && executor_script_is(host->session.script);
    if (host_is_executor(host) || checks)
        return host_adopt_executor(host, err);
    return scheduler_adopt(host->session.script, &host->environment, on_name_warning, host,
                           &host->session.scheduler, err);
}

static bool should_end(const struct host *host)
{
    if (host->ending || host->executor != NULL)
        return host->ending || host_executor_finished(host);
    return host->session.scheduler == NULL ||
           driver_finished(scheduler_driver(host->session.scheduler));
}

int host_status(const struct host *host)
{
    int code = 0;
    if (host->failed)
        return EXIT_USAGE;
    if (host->session.script == NULL || script_exit_requested(host->session.script, &code))
        return code;
    // The first is of a script that runs its drivers itself.
    bool aborted = host->environment.aborted || host_executor_aborted(host);
    if (host->session.scheduler != NULL)
        aborted = driver_status(scheduler_driver(host->session.scheduler)) == DRIVER_ABORTED;
    return aborted ? EXIT_ABORTED : 0;
}

void host_start(struct host *host)
{
    host_start_executor(host);
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
                                             .loading = on_loading,
                                             .data = host};
    host->reload = reload_create(&settings);
    service_manager_status(host->manager, "looking for a master");
    host->session.reloads = reload_counters(host->reload);
    driver_start(scheduler_driver(host->session.scheduler));
}

bool host_finished(void *data)
{
    struct host *host = data;
    if (!should_end(host))
        return false;
    if (!host->ending)
        host_stop(host);
    return drivers_finished(host);
}

// A script that asked for the end while it was loaded is no error.
bool host_load(struct host *host, struct error *err)
{
    bool good = host_read_plan(host, err) && host_campaign(host, err);
    if (good && host->ending)
        return true;
    bool ready = good && host_open_state(host, err) && host_open_endpoints(host, err) &&
                 load(host, err) && adopt(host, err);
    if (ready ||
        (host->session.script != NULL && script_exit_requested(host->session.script, NULL)))
        return true;
    host_forget_state(host);
    if (host->interrupting && !host->environment.checking) {
        log_error("%s", err->text);
        host->ending = true;
        return true;
    }
    host->failed = true;
    return false;
}

// ---- setting up and taking down ----

static void on_cluster_stopped(void *data)
{
    struct host *host = data;
    host->cluster_gone = true;
}

static bool cluster_is_gone(void *data)
{
    struct host *host = data;
    return host->cluster_gone;
}

static void drop_reload(struct host *host)
{
    reload_destroy(host->reload);
    host->reload = NULL;
    host->session.reloads = NULL;
}

static void take_down(struct host *host)
{
    host_stop(host);
    loop_uv_run(host->loop, drivers_finished, host);
    drop_reload(host);
    deferral_cancel(&host->stopping);
    timer_stop(&host->patience);
    host_save_state(host);
    while (host->environment.first != NULL)
        scheduler_destroy(host->environment.first);
    host_destroy_executor(host);
    script_destroy(host->session.script);
    http_services_destroy(host->environment.http_services);
    host_forget_agent(host);
    host_close_endpoints(host);
    state_store_close(host->store);
    election_destroy(host->elector);
    if (host->cluster != NULL) {
        cluster_stop(host->cluster, on_cluster_stopped, host);
        loop_uv_run(host->loop, cluster_is_gone, host);
        cluster_destroy(host->cluster);
        explicit_bzero(host->token, sizeof host->token);
    }
    buffer_free(&host->plan);
    buffer_free(&host->faults);
    service_manager_destroy(host->manager);
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

// Output of the program that its reader does not take yet waits without keeping the loop alive.
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
    if (settings->signals && !settings->checking && options->command != COMMAND_EXECUTOR)
        host->manager = service_manager_create(host->loop);
    if (host->own_loop && !settings->checking && !settings->guest)
        lag_warning_start(&host->lag, host->loop);
    timer_init(&host->patience, host->loop, on_patience_over, host);
    deferral_init(&host->stopping, host->loop, on_stopping, host);
    host->services = (struct scheduler_services){
        .connect = host_is_executor(host) ? host_refuse_connect : host_on_connect,
        .run = on_run,
        .connected = on_connected,
        .data = host};
    host->environment = (struct scheduler_environment){
        .http_services = settings->checking ? NULL : http_services_create(host->loop),
        .allow_serve = options->allow_serve != 0,
        .allow_hosts = options->allow_hosts,
        .loop = host->loop,
        .services = &host->services,
        .checking = settings->checking};
    host->session = (struct session){.loop = host->loop,
                                     .environment = &host->environment,
                                     .path = options->script,
                                     .started = stopwatch_seconds(),
                                     .reload = on_reload_asked,
                                     .data = host};
}

// ---- creation and queries ----

struct host *host_create(const struct host_settings *settings)
{
    struct host *host = memory_new(sizeof *host);
    set_up(host, settings);
    return host;
}

struct scheduler_environment *host_attach(struct host *host, struct script *script)
{
    host->session.script = script;
    return &host->environment;
}

int host_finish(struct host *host)
{
    int status = host_status(host);
    take_down(host);
    bool failed = host->state_lost || host->fault.code != ERROR_NONE;
    return status == 0 && failed ? EXIT_ABORTED : status;
}

int host_destroy(struct host *host)
{
    int status = host_finish(host);
    free(host);
    return status;
}

void host_quiesce(struct host *host)
{
    drop_reload(host);
    host_close_endpoints(host);
    deferral_cancel(&host->stopping);
    timer_stop(&host->patience);
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
