// SPDX-License-Identifier: Apache-2.0
//
// What the program does with a script: see program.h.

#include "app/program.h"

#include "app/host_internal.h"
#include "base/log.h"
#include "bindings/executor/executor_samples.h"
#include "bindings/scheduler/callback_samples.h"
#include "loop/loop_uv.h"
#include "script/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void log_abort(const struct host *host)
{
    bool own = host->session.scheduler == NULL && host->environment.aborted && !host->failed;
    if (own && !script_exit_requested(host->session.script, NULL))
        log_error("%s ended with a driver that was aborted, which is status %d; a script chooses "
                  "another one with os.exit",
                  host->options->script, EXIT_ABORTED);
}

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
    struct lint_world world = {.parameters = NULL};
    if (host->executor != NULL)
        world = executor_samples_world(host->executor);
    else if (host->session.scheduler != NULL)
        world = callback_samples_world(host->session.scheduler);
    size_t found = lint_run(host->session.script, &world, on_finding);
    free((void *)world.parameters);
    if (found > LINT_MOST)
        log_error("%s: %zu more of these", host->options->script, found - LINT_MOST);
    host->failed = found > 0;
}

// `again` is set if the leadership was lost and no signal asked for the end.
static int run(struct host *host, bool *again)
{
    struct error err = {0};
    if (host_load(host, &err)) {
        host_start(host);
        if (!host->environment.checking)
            loop_uv_run(host->loop, host_finished, host);
        else
            check_functions(host);
    } else {
        log_error("%s", err.text);
    }
    log_abort(host);
    int status = host_finish(host);
    *again = host->leadership_lost && host->signals_seen == 0 && host->fault.code == ERROR_NONE;
    free(host);
    return status;
}

int program_run(const struct options *options)
{
    bool again;
    int status;
    do {
        status = run(create_program(options, false), &again);
    } while (again);
    return status;
}

int program_check(const struct options *options)
{
    bool again;
    int status = run(create_program(options, true), &again);
    if (status == 0)
        printf("%s: no error found\n", options->script);
    return status;
}

static bool is_ending(void *data)
{
    struct host *host = data;
    return host->ending;
}

static void print_addresses(const struct cluster *cluster)
{
    const char *others = strchr(cluster_addresses(cluster), ',');
    printf("listening on %s\n", cluster_address(cluster));
    if (others != NULL)
        printf("standing by on %s\n", others + 1);
    fflush(stdout);
}

static void report_listening(struct host *host)
{
    char status[256];
    snprintf(status, sizeof status, "listening on %s", cluster_address(host->cluster));
    service_manager_ready(host->manager, status);
}

int program_local(const struct options *options)
{
    struct error err = {0};
    struct host *host = create_program(options, false);
    if (host_read_plan(host, &err) && host_start_cluster(host, (unsigned)options->agents, &err) &&
        host_open_endpoints(host, &err)) {
        print_addresses(host->cluster);
        host_announce_cluster(host);
        report_listening(host);
        loop_uv_run(host->loop, is_ending, host);
    } else {
        log_error("%s", err.text);
        host->failed = true;
    }
    return host_destroy(host);
}
