// SPDX-License-Identifier: Apache-2.0
//
// The election and the stored state of a host: see host_internal.h. With --elect the state is
// stored in ZooKeeper, beside the election.

#include "app/host_internal.h"

#include "base/log.h"
#include "loop/loop_uv.h"

#include <stdio.h>

// ---- the election ----

static void on_elected(void *data)
{
    struct host *host = data;
    host->elected = true;
    log_info("elected: leading at %s", election_name(host->elector));
}

// No call is sent after this, and nothing of the script that waits continues.
static void on_leadership_lost(void *data, const char *reason)
{
    struct host *host = data;
    log_warning("leadership lost: %s; stopping, to wait for another election", reason);
    host->leadership_lost = true;
    if (host->store != NULL)
        state_store_fence(host->store);
    host_stop(host);
    host_give_up_callbacks(host);
}

static void on_election_failed(void *data, const struct error *reason)
{
    struct host *host = data;
    host->fault = *reason;
    if (host->elected)
        on_leadership_lost(host, reason->text);
    else
        host->ending = true;
}

static const struct election_events election_events = {
    .elected = on_elected, .lost = on_leadership_lost, .failed = on_election_failed};

static bool election_decided(void *data)
{
    struct host *host = data;
    return host->elected || host->ending;
}

// A process that can lead is ready, also while another one leads.
static void report_standby(struct host *host)
{
    char status[256];
    snprintf(status, sizeof status, "waiting to lead at %s", election_name(host->elector));
    service_manager_ready(host->manager, status);
}

bool host_campaign(struct host *host, struct error *err)
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
    report_standby(host);
    loop_uv_run(host->loop, election_decided, host);
    *err = host->fault;
    return host->fault.code == ERROR_NONE;
}

// ---- the stored state ----

static struct slice on_kept_id(void *data)
{
    struct host *host = data;
    return state_store_framework_id(host->store);
}

static bool on_keep_id(void *data, struct slice id, struct error *err)
{
    struct host *host = data;
    return state_store_set_framework_id(host->store, id, err);
}

bool host_open_state(struct host *host, struct error *err)
{
    if (host->environment.checking || (host->options->state == NULL && host->elector == NULL))
        return true;
    host->store = host->elector != NULL ? state_store_open_shared(host->loop, host->elector, err)
                                        : state_store_open(host->loop, host->options->state, err);
    host->services.kept_id = on_kept_id;
    host->services.keep_id = on_keep_id;
    return host->store != NULL;
}

bool host_restore_state(struct host *host, struct error *err)
{
    if (host->store == NULL)
        return true;
    if (!state_store_restore(host->store, host->session.script, err))
        return false;
    state_store_follow(host->store, host->session.script);
    return true;
}

void host_forget_state(struct host *host)
{
    if (host->store != NULL)
        state_store_follow(host->store, NULL);
}

static bool store_is_idle(void *data)
{
    struct host *host = data;
    return state_store_idle(host->store);
}

void host_save_state(struct host *host)
{
    struct error err = {0};
    if (host->store == NULL)
        return;
    if (!state_store_save(host->store, &err)) {
        log_error("mesos.state is not kept: %s", err.text);
        host->state_lost = true;
    }
    loop_uv_run(host->loop, store_is_idle, host);
    if (!host->leadership_lost && !state_store_safe(host->store)) {
        log_error("mesos.state is not kept in ZooKeeper as it was at the end");
        host->state_lost = true;
    }
    state_store_follow(host->store, NULL);
}
