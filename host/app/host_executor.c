// SPDX-License-Identifier: Apache-2.0
//
// The executor of a host: see host_internal.h. Its script is loaded as that of a framework is; what
// it runs on is an agent, not a master.

#include "app/host_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "mesos/transport_http.h"

#include <stdlib.h>

bool host_is_executor(const struct host *host)
{
    return host->options->command == COMMAND_EXECUTOR;
}

bool host_refuse_connect(void *data, const char *master,
                         const struct credentials_options *credential,
                         struct driver_options *driver, struct error *err)
{
    (void)data, (void)master, (void)credential, (void)driver;
    return error_set(err, ERROR_INVALID,
                     "mesos.SchedulerDriver: an executor talks to its agent only; a framework is "
                     "a program of its own (mesos-lua run)");
}

static struct executor_driver *driver_of(const struct host *host)
{
    return host->executor ? executor_script_driver(host->executor) : NULL;
}

static void on_expired(void *data)
{
    struct host *host = data;
    host_end_at_once(host, EXIT_ABORTED);
}

static void on_warning(void *data, const char *text)
{
    struct host *host = data;
    log_warning("%s: %s", host->options->script, text);
}

static struct credentials *authenticate(const struct executor_environment *agent, struct error *err)
{
    const struct credentials_options options = {.token = agent->token};
    struct credentials *credentials = credentials_create(&options, err);
    if (credentials == NULL)
        error_context(err, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    return credentials;
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
                                                     .credentials = credentials,
                                                     .api = &host->agent->api};
    return transport_http_create(host->loop, &transport);
}

bool host_read_agent(struct host *host, struct error *err)
{
    host->agent = memory_new(sizeof *host->agent);
    return executor_environment_read(host->agent, err);
}

// For `check`: one that is never started.
static void imagine_agent(struct host *host)
{
    host->agent = memory_new(sizeof *host->agent);
    executor_environment_imagine(host->agent);
}

bool host_adopt_executor(struct host *host, struct error *err)
{
    if (host->agent == NULL)
        imagine_agent(host);
    struct credentials *credentials = authenticate(host->agent, err);
    if (credentials == NULL || !tls_check(&host->tls, err)) {
        credentials_unref(credentials);
        return false;
    }
    const struct executor_script_settings settings = {.environment = host->agent,
                                                      .transport =
                                                          create_transport(host, credentials),
                                                      .tls = host->options->tls != 0,
                                                      .expired = on_expired,
                                                      .warn = on_warning,
                                                      .data = host};
    host->executor = executor_script_create(host->session.script, &settings, err);
    credentials_unref(credentials);
    return host->executor != NULL;
}

void host_start_executor(struct host *host)
{
    bool wanted = !host->ending && !host->environment.checking && host->signals_seen == 0;
    if (host->executor != NULL && wanted)
        executor_driver_start(driver_of(host));
}

void host_shut_executor_down(struct host *host)
{
    if (host->executor != NULL)
        executor_driver_shutdown(driver_of(host));
}

void host_stop_executor(struct host *host)
{
    if (host->executor != NULL)
        executor_driver_stop(driver_of(host));
}

bool host_executor_finished(const struct host *host)
{
    return host->executor == NULL || executor_driver_finished(driver_of(host));
}

bool host_executor_aborted(const struct host *host)
{
    return host->executor != NULL && executor_driver_status(driver_of(host)) == DRIVER_ABORTED;
}

void host_destroy_executor(struct host *host)
{
    executor_script_destroy(host->executor);
    host->executor = NULL;
}

void host_forget_agent(struct host *host)
{
    if (host->agent != NULL)
        executor_environment_free(host->agent);
    free(host->agent);
    host->agent = NULL;
}
