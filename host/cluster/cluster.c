// SPDX-License-Identifier: Apache-2.0
//
// The interface of the embedded cluster: it reads the options, creates the parts, and destroys them
// in the order of their dependencies.

#include "cluster/cluster.h"

#include "agent/runner_process.h"
#include "agent/work_dir.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/agent_resources.h"
#include "cluster/cluster_http.h"
#include "master/master.h"
#include "operator/status_document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_GRACE (2 * LOOP_SECOND)
#define LISTEN "127.0.0.1:0"

struct cluster {
    struct runner *runner;
    struct cluster_http *http;
    struct master *master;
    struct work_dir *work_dir;
    struct buffer text; // the agents; ends with a zero byte
    bool own_work_dir;  // a fresh one
};

// ---- agents ----

// Neighbours of one description are a group of the text: "2 agents with cpus:4 zone=a, 1 with
// cpus:8 zone=b". Their ports differ: those of the first are shown.
static void write_group(struct cluster *cluster, unsigned count, const char *agent)
{
    struct buffer *text = &cluster->text;
    bool first = text->length == 0;
    buffer_format(text, "%s%u%s with %s", first ? "" : ", ", count,
                  !first       ? ""
                  : count == 1 ? " agent"
                               : " agents",
                  agent);
}

static char *text_of(const struct resources *list, const struct agent_description *description)
{
    char *resources = resources_text(list), *attributes = agent_description_text(description);
    char *text = memory_format("%s%s", resources, attributes);
    free(resources);
    free(attributes);
    return text;
}

static bool check_agents(const struct cluster_options *options, struct error *err)
{
    if (options->described_count == 0)
        return true;
    if (options->resources != NULL)
        return error_set(err, ERROR_INVALID,
                         "--resources is for agents that are alike: with --agent each one names "
                         "its own");
    return options->agents == 0 ||
           error_set(err, ERROR_INVALID,
                     "--agent describes one agent each: with it there is no --agents N, and no N "
                     "in local:N");
}

static bool describe(struct agent_description *description, const struct cluster_options *options,
                     unsigned number, struct error *err)
{
    *description = (struct agent_description){.resources = memory_string(options->resources)};
    return options->described_count == 0 ||
           agent_description_parse(description, options->described[number], err);
}

static bool are_alike(const struct cluster_options *options, unsigned a, unsigned b)
{
    return options->described_count == 0 ||
           strcmp(options->described[a], options->described[b]) == 0;
}

// Agent number `number`. Its text, to be freed, or NULL.
static char *add_agent(struct cluster *cluster, const struct cluster_options *options,
                       const struct agent_machine *machine, unsigned number, struct error *err)
{
    struct agent_description description;
    struct resources list;
    char *text = NULL;
    if (describe(&description, options, number, err) &&
        agent_resources(&list, description.resources, machine, number, err)) {
        text = text_of(&list, &description);
        master_add_agent(cluster->master, &list, &description);
        resources_free(&list);
    }
    agent_description_free(&description);
    return text;
}

static bool add_agents(struct cluster *cluster, const struct cluster_options *options,
                       unsigned agents, struct error *err)
{
    const struct agent_machine machine = {agents, cluster_work_dir(cluster)};
    char *shown = NULL; // of the first of the group
    unsigned count = 0;
    for (unsigned i = 0; i < agents; i++) {
        char *text = add_agent(cluster, options, &machine, i, err);
        if (text == NULL) {
            free(shown);
            return error_context(
                err, options->described_count ? "--agent" : "the resources of the local cluster");
        }
        bool same = i > 0 && are_alike(options, i - 1, i);
        if (i > 0 && !same)
            write_group(cluster, count, shown);
        free(same ? text : shown);
        shown = same ? shown : text;
        count = same ? count + 1 : 1;
    }
    write_group(cluster, count, shown);
    buffer_append(&cluster->text, "", 1);
    free(shown);
    return true;
}

static unsigned count_agents(const struct cluster_options *options)
{
    if (options->described_count > 0)
        return (unsigned)options->described_count;
    return options->agents > 0 ? options->agents : 1;
}

// ---- life ----

static void create_master(struct cluster *cluster, const struct cluster_options *given,
                          struct loop *loop)
{
    const char *ip = cluster_http_ip(cluster->http), *path = getenv("PATH");
    bool anywhere = strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
    const struct master_options options = {
        .ip = anywhere ? "127.0.0.1" : ip,
        .port = cluster_http_port(cluster->http),
        .hostname = anywhere || strncmp(ip, "127.", 4) == 0 ? "localhost" : ip,
        .work_dir = cluster_work_dir(cluster),
        .path = path ? path : "/usr/local/bin:/usr/bin:/bin",
        .switch_users = geteuid() == 0,
        .offer_timeout = loop_seconds(given->offer_timeout),
        .runner = cluster->runner,
    };
    cluster->master = master_create(loop, &options);
    cluster_http_serve(cluster->http, cluster->master);
}

static bool open_http(struct cluster *cluster, struct loop *loop,
                      const struct cluster_options *options, struct error *err)
{
    const struct http_access_options access = {.token = options->token,
                                               .token_file = options->token_file,
                                               .credential_file = options->credential_file};
    struct cluster_http_options http = {.listen = options->listen ? options->listen : LISTEN,
                                        .hosts = options->hosts,
                                        .access = http_access_create(&access, err)};
    if (http.access != NULL)
        cluster->http = cluster_http_create(loop, &http, err);
    return cluster->http != NULL;
}

struct cluster *cluster_create(struct loop *loop, const struct cluster_options *options,
                               struct error *err)
{
    struct cluster *cluster = memory_new(sizeof *cluster);
    buffer_init(&cluster->text, SIZE_MAX / 2);
    if (check_agents(options, err) && open_http(cluster, loop, options, err))
        cluster->work_dir = work_dir_create(loop, options->work_dir, options->keep, err);
    if (cluster->work_dir == NULL)
        goto failed;
    cluster->runner = runner_process_create(loop);
    create_master(cluster, options, loop);
    if (!add_agents(cluster, options, count_agents(options), err))
        goto failed;
    log_debug("the local cluster listens on %s: %s", cluster_address(cluster),
              cluster_text(cluster));
    return cluster;
failed:
    cluster_destroy(cluster);
    return NULL;
}

const char *cluster_address(const struct cluster *cluster)
{
    return cluster_http_address(cluster->http);
}

const char *cluster_work_dir(const struct cluster *cluster)
{
    return work_dir_path(cluster->work_dir);
}

const char *cluster_text(const struct cluster *cluster)
{
    return (const char *)cluster->text.data;
}

bool cluster_exposed(const struct cluster *cluster)
{
    return cluster_http_exposed(cluster->http);
}

char *cluster_state(const struct cluster *cluster)
{
    return status_document(cluster->master);
}

void cluster_stop(struct cluster *cluster, void (*done)(void *data), void *data)
{
    master_stop(cluster->master, STOP_GRACE, done, data);
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->runner != NULL)
        cluster->runner->ops->destroy(cluster->runner);
    cluster_http_destroy(cluster->http);
    master_destroy(cluster->master);
    work_dir_destroy(cluster->work_dir);
    buffer_free(&cluster->text);
    free(cluster);
}
