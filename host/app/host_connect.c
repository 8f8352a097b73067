// SPDX-License-Identifier: Apache-2.0
//
// What the drivers of a script are connected with (detector, transport, credentials) and the local
// cluster: see host_internal.h.

#include "app/host_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/regular_file.h"
#include "mesos/transport_http.h"
#include "script/plain_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAN_LIMIT ((size_t)64 << 20)

// ---- the local cluster ----

// "local" or "local:N" is a cluster of our own, anything else a real master.
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

// True if the local cluster serves this script only.
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

static bool read_json(const char *path, struct buffer *out, struct error *err)
{
    int file = regular_file_open(AT_FDCWD, path, REGULAR_FILE_OR_PIPE, NULL, err);
    if (file < 0)
        return error_context(err, "%s", path);
    bool good = regular_file_read_all(file, out, err) || error_context(err, "%s", path);
    close(file);
    return good;
}

// Reads the file of an option, which may not be given.
static bool read_plain(struct host *host, const char *option, const char *path, struct buffer *out,
                       struct error *err)
{
    buffer_init(out, PLAN_LIMIT);
    if (path == NULL)
        return true;
    size_t length = strlen(path);
    bool json = length > 5 && strcmp(path + length - 5, ".json") == 0;
    return (json ? read_json(path, out, err) : plain_file_read(path, host->loop, out, err)) ||
           error_context(err, "%s", option);
}

// Done before a script runs, since a description in Lua is a script as well.
bool host_read_plan(struct host *host, struct error *err)
{
    const struct options *options = host->options;
    return read_plain(host, "--cluster", options->cluster, &host->plan, err) &&
           read_plain(host, "--faults", options->faults, &host->faults, err);
}

static struct cluster_options describe(const struct host *host, unsigned agents)
{
    return (struct cluster_options){
        .agents = agents,
        .resources = host->options->resources,
        .described = host->options->agent.items,
        .described_count = host->options->agent.count,
        .file = host->options->cluster,
        .plan = buffer_slice(&host->plan),
        .faults_file = host->options->faults,
        .faults = buffer_slice(&host->faults),
        .seed = (uint64_t)host->options->fault_seed,
        .work_dir = host->options->work_dir,
        .keep = (unsigned)host->options->keep,
        .hosts = host->options->allow_hosts,
        .offer_timeout = host->options->offer_timeout,
        .agent_timeout = host->options->agent_timeout,
        .registration_timeout = host->options->executor_registration_timeout,
        .masters = (unsigned)host->options->masters,
        .zk = host->options->zk,
        .zk_timeout = host->options->zk_session_timeout,
        .ca_file = host->options->ca_file,
        .containers = host->options->containers,
    };
}

bool host_start_cluster(struct host *host, unsigned agents, struct error *err)
{
    const struct options_address *listen = &host->options->listen;
    bool ipv6 = strchr(listen->host, ':') != NULL;
    if (host->cluster != NULL)
        return true;
    char *address = memory_format(ipv6 ? "[%s]:%u" : "%s:%u", listen->host, listen->port);
    struct cluster_options options = describe(host, agents);
    options.listen = *listen->host != '\0' ? address : NULL;
    ask_clients(host, &options);
    host->cluster = cluster_create(host->loop, &options, err);
    host->session.embedded = host->cluster;
    free(address);
    if (host->cluster != NULL && cluster_exposed(host->cluster))
        log_warning("any client that can reach %s may run commands on this machine: --token-file "
                    "or --credential authenticates clients, 127.0.0.1 keeps other machines out",
                    cluster_address(host->cluster));
    return host->cluster != NULL;
}

void host_announce_cluster(const struct host *host)
{
    log_info("brought a local cluster: %s; tasks are held to their memory, not to their cpus; "
             "sandboxes are in %s",
             cluster_text(host->cluster), cluster_work_dir(host->cluster));
}

// ---- what schedulers ask for ----

// The script's own cluster asks for the token that was made for it; the framework keeps its
// principal there as well.
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
    if (local && credentials.redirect_hosts == NULL)
        credentials.redirect_hosts = "localhost"; // as our masters that stand by name the leader
    credentials.name_only = local && is_private(options);
    if (credentials.name_only && *host->token == '\0' && !http_access_make_token(host->token, err))
        return NULL;
    credentials.token = credentials.name_only ? host->token : NULL;
    return credentials_create(&credentials, err);
}

// Done once, as it is slow.
static bool check_tls(struct host *host, struct error *err)
{
    host->tls_checked = host->tls_checked || tls_check(&host->tls, err);
    return host->tls_checked;
}

static bool bring_cluster(struct host *host, unsigned agents, struct error *err)
{
    const struct cluster_options options = describe(host, agents);
    if (host->environment.checking)
        return cluster_check(&options, err);
    bool fresh = host->cluster == NULL;
    if (!host_start_cluster(host, agents, err))
        return false;
    if (fresh)
        host_announce_cluster(host);
    return true;
}

// With --sandbox: a local cluster runs commands, and an address may name a file.
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

// The address of a master and the option, variable or field that gave it.
struct master_address {
    const char *name, *address;
    bool local;
};

// While checking, an address only has to be valid: no connection is made.
static bool detect(struct host *host, const struct master_address *master,
                   struct credentials *credentials, struct detector **detector, struct error *err)
{
    const struct detector_options options = {.session_timeout = host->options->zk_session_timeout,
                                             .tls = host->options->tls && !master->local,
                                             .credentials = credentials};
    const char *address = master->address;
    if (master->local)
        address = host->cluster != NULL ? cluster_addresses(host->cluster) : "127.0.0.1:5050";
    *detector = detector_create_with(address, &options, host->loop, err);
    return *detector != NULL || error_context(err, "%s", master->name);
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
    if (host->store == NULL)
        return direct;
    return call_barrier_transport_create(state_store_barrier(host->store), direct);
}

bool host_on_connect(void *data, const char *master, const struct credentials_options *credential,
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
    const struct master_address given = {.name = name, .address = address, .local = local};
    if (!may_connect(options, master, err))
        return false;
    struct credentials *credentials = authenticate(host, credential, local, err);
    bool good = credentials != NULL && check_tls(host, err) &&
                (!local || bring_cluster(host, agents, err)) &&
                detect(host, &given, credentials, &driver->detector, err);
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
