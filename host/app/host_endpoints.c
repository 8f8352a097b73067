// SPDX-License-Identifier: Apache-2.0
//
// The control socket and the metrics of a host: see host_internal.h.

#include "app/host_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void on_stop_asked(void *data)
{
    host_stop(data);
}

// Without --control a failure to open the socket is only a warning, and an embedded host opens
// none.
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

bool host_open_endpoints(struct host *host, struct error *err)
{
    struct session *session = &host->session;
    session->cluster = host->options->script ? NULL : host->cluster;
    if (host->environment.checking || host_is_executor(host))
        return true;
    host->commands = control_commands_create(session, on_stop_asked, host);
    return open_control(host, err) && open_metrics(host, err);
}

void host_close_endpoints(struct host *host)
{
    control_commands_destroy(host->commands);
    control_close(host->control);
    metrics_http_destroy(host->metrics);
    host->commands = NULL;
    host->control = NULL;
    host->metrics = NULL;
}
