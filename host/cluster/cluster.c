// SPDX-License-Identifier: Apache-2.0
//
// The interface of the embedded cluster: it reads the options, creates the parts, and destroys them
// in the order of their dependencies.

#include "cluster/cluster.h"

#include "agent/runner_container.h"
#include "agent/runner_process.h"
#include "agent/work_dir.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/agent_resources.h"
#include "cluster/cluster_http.h"
#include "cluster/cluster_plan.h"
#include "cluster/faults.h"
#include "cluster/masters.h"
#include "cluster/plan_roles.h"
#include "master/master.h"
#include "operator/status_document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_GRACE (2 * LOOP_SECOND)
#define LISTEN "127.0.0.1:0"

enum { AGENTS_ADDED = 10000 }; // while it runs

struct cluster {
    struct runner *runner;
    struct masters *masters;
    struct master *master;
    struct faults *faults;
    struct fault_course *course; // of faults; NULL: none are planned
    struct work_dir *work_dir;
    struct cluster_plan plan;
    struct buffer text; // the agents; ends with a zero byte
    unsigned added;     // agents, while it runs
    bool own_work_dir;  // a fresh one
};

// ---- what it is to be like ----

static bool check_options(const struct cluster_options *options, struct error *err)
{
    if (options->file != NULL &&
        (options->described_count > 0 || options->resources != NULL || options->agents > 0))
        return error_set(err, ERROR_INVALID,
                         "--cluster FILE describes all agents: with it there is no --agent, no "
                         "--resources, no --agents N, and no N in local:N");
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

// The faults of a file of their own take the place of those of the cluster's file.
static bool plan_faults(struct cluster_plan *plan, const struct cluster_options *options,
                        struct error *err)
{
    struct fault_plan faults;
    if (options->faults_file == NULL)
        return true;
    if (plan->faults.count > 0)
        return error_set(err, ERROR_INVALID,
                         "--faults and `faults` of --cluster: one of them is enough");
    if (!fault_plan_read(&faults, options->faults, err))
        return error_context(err, "--faults: %s", options->faults_file);
    fault_plan_free(&plan->faults);
    plan->faults = faults;
    return true;
}

// Neighbours with one text are a group.
static bool plan_described(struct cluster_plan *plan, const struct cluster_options *options,
                           struct error *err)
{
    const char *const *texts = options->described;
    unsigned count = 1;
    for (size_t i = 0; i < options->described_count; i++, count++) {
        if (i + 1 < options->described_count && strcmp(texts[i], texts[i + 1]) == 0)
            continue;
        if (!cluster_plan_add(plan, texts[i], count, err))
            return error_context(err, "--agent");
        count = 0;
    }
    return true;
}

static bool plan_agents(struct cluster_plan *plan, const struct cluster_options *options,
                        struct error *err)
{
    unsigned agents = options->agents > 0 ? options->agents : 1;
    if (!check_options(options, err))
        return false;
    if (options->file != NULL)
        return cluster_plan_read(plan, options->plan, CLUSTER_PLAN_AGENTS, err) ||
               error_context(err, "%s", options->file);
    if (options->described_count > 0)
        return plan_described(plan, options, err);
    return cluster_plan_add_alike(plan, options->resources, agents, err) ||
           error_context(err, "the resources of the local cluster");
}

static bool make_plan(struct cluster_plan *plan, const struct cluster_options *options,
                      struct error *err)
{
    return plan_agents(plan, options, err) && plan_faults(plan, options, err);
}

bool cluster_check(const struct cluster_options *options, struct error *err)
{
    struct cluster_plan plan = {.group_count = 0};
    bool good = make_plan(&plan, options, err);
    cluster_plan_free(&plan);
    return good;
}

// ---- agents ----

// A piece of the text: "2 agents with cpus:4 zone=a, 1 with cpus:8 zone=b". Their ports differ:
// those of the first are shown.
static void write_group(struct cluster *cluster, unsigned count, const struct resources *list,
                        const struct agent_description *description)
{
    struct buffer *text = &cluster->text;
    bool first = text->length == 0;
    char *resources = resources_text(list), *attributes = agent_description_text(description);
    const char *noun = count == 1 ? " agent" : " agents";
    buffer_format(text, "%s%u%s with %s%s", first ? "" : ", ", count, first ? noun : "", resources,
                  attributes);
    free(resources);
    free(attributes);
}

// Adds agent number `number` of a group, from 1, which is number `part`, from 0, of the cluster.
static void add_agent(struct cluster *cluster, const struct cluster_plan_group *group,
                      unsigned number, const struct agent_machine *machine, unsigned part)
{
    struct agent_description description;
    struct resources list;
    agent_description_copy(&description, &group->description);
    free(description.hostname);
    description.hostname = cluster_plan_hostname(group, number);
    resources_copy(&list, &group->resources);
    agent_resources_complete(&list, group->named, machine, part);
    if (number == 1 && cluster->added == 0)
        write_group(cluster, group->count, &list, &description);
    master_add_agent(cluster->master, &list, &description);
    resources_free(&list);
    agent_description_free(&description);
}

static void add_group(struct cluster *cluster, const struct cluster_plan_group *group,
                      const struct agent_machine *machine, unsigned part)
{
    for (unsigned i = 0; i < group->count; i++)
        add_agent(cluster, group, i + 1, machine, part + i);
}

static void add_agents(struct cluster *cluster)
{
    const struct agent_machine machine = {cluster_plan_agents(&cluster->plan),
                                          cluster_work_dir(cluster)};
    unsigned part = 0;
    for (size_t i = 0; i < cluster->plan.group_count; i++) {
        add_group(cluster, &cluster->plan.groups[i], &machine, part);
        part += cluster->plan.groups[i].count;
    }
    buffer_append(&cluster->text, "", 1);
}

// ---- parts ----

static void create_master(struct cluster *cluster, const struct cluster_options *given,
                          struct loop *loop)
{
    const struct cluster_http *http = masters_leading(cluster->masters);
    const char *ip = cluster_http_ip(http), *path = getenv("PATH");
    bool anywhere = strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
    const struct master_options options = {
        .ip = anywhere ? "127.0.0.1" : ip,
        .port = cluster_http_port(http),
        .region = cluster->plan.region,
        .zone = cluster->plan.zone,
        .hostname = anywhere || strncmp(ip, "127.", 4) == 0 ? "localhost" : ip,
        .work_dir = cluster_work_dir(cluster),
        .path = path ? path : "/usr/local/bin:/usr/bin:/bin",
        .switch_users = geteuid() == 0,
        .secret = !cluster_http_open(masters_leading(cluster->masters)),
        .offer_timeout = loop_seconds(given->offer_timeout),
        .agent_timeout = loop_seconds(given->agent_timeout),
        .registration_timeout = loop_seconds(given->registration_timeout),
        .containers = given->containers != NULL,
        .runner = cluster->runner,
    };
    cluster->master = master_create(loop, &options);
    masters_serve(cluster->masters, cluster->master);
}

static bool open_http(struct cluster *cluster, struct loop *loop,
                      const struct cluster_options *options, struct error *err)
{
    const struct masters_options masters = {
        .count = options->masters ? options->masters : 1,
        .listen = options->listen ? options->listen : LISTEN,
        .hosts = options->hosts,
        .zk = options->zk,
        .zk_timeout = options->zk_timeout,
        .access = {.token = options->token,
                   .token_file = options->token_file,
                   .credential_file = options->credential_file,
                   .principals = cluster->plan.principals,
                   .principal_count = cluster->plan.principal_count}};
    cluster->masters = masters_create(loop, &masters, err);
    return cluster->masters != NULL;
}

// ---- faults ----

static struct cluster_http *leading(void *data)
{
    const struct cluster *cluster = data;
    return masters_leading(cluster->masters);
}

static bool on_cut(void *data, const char *stream_id)
{
    return cluster_http_cut(leading(data), stream_id);
}

static bool on_stall(void *data, const char *stream_id, bool stalled)
{
    return cluster_http_stall(leading(data), stream_id, stalled);
}

static void on_slow(void *data, uint64_t delay)
{
    cluster_http_slow(leading(data), delay);
}

static void on_refuse(void *data, int status, unsigned calls)
{
    cluster_http_refuse(leading(data), status, calls);
}

// Like the first one, unless there is a text.
static bool on_add_agent(void *data, const char *text, struct error *err)
{
    struct cluster *cluster = data;
    unsigned agents = cluster_plan_agents(&cluster->plan);
    const struct agent_machine machine = {agents, cluster_work_dir(cluster)};
    struct cluster_plan plan = {.group_count = 0};
    if (cluster->added == AGENTS_ADDED)
        return error_set(err, ERROR_LIMIT, "%u agents were added already", cluster->added);
    if (text != NULL && !cluster_plan_add(&plan, text, 1, err)) {
        cluster_plan_free(&plan);
        return false;
    }
    const struct cluster_plan_group *group = text ? plan.groups : cluster->plan.groups;
    cluster->added++;
    add_agent(cluster, group, group->count + (text ? 0 : cluster->added), &machine,
              cluster->added % agents);
    cluster_plan_free(&plan);
    return true;
}

static bool on_fail_over(void *data, bool forget, double seconds, struct error *err)
{
    struct cluster *cluster = data;
    return masters_fail_over(cluster->masters, forget, seconds, err);
}

static void create_faults(struct cluster *cluster, const struct cluster_options *options,
                          struct loop *loop)
{
    const struct fault_plan *plan = &cluster->plan.faults;
    uint64_t seed = options->seed ? options->seed : plan->seed ? plan->seed : 1;
    const struct faults_cluster parts = {.loop = loop,
                                         .master = cluster->master,
                                         .cut = on_cut,
                                         .stall = on_stall,
                                         .slow = on_slow,
                                         .refuse = on_refuse,
                                         .add_agent = on_add_agent,
                                         .fail_over = on_fail_over,
                                         .data = cluster};
    cluster->faults = faults_create(&parts, seed);
    if (plan->count == 0)
        return;
    log_info("%zu faults are planned, with the seed %llu", plan->count, (unsigned long long)seed);
    cluster->course = fault_course_start(loop, plan, seed, cluster->faults);
}

bool cluster_fault(struct cluster *cluster, const char *words, struct buffer *output,
                   struct error *err)
{
    if (strcmp(words, "list") == 0)
        faults_list(cluster->faults, output);
    else if (*words == '\0' || strcmp(words, "help") == 0)
        faults_usage(output);
    else
        return faults_make(cluster->faults, words, output, err);
    return true;
}

// ---- life ----

// A path, or one of the two names.
static bool check_containers(const struct cluster_options *options, struct error *err)
{
    const char *name = options->containers;
    if (name == NULL || strchr(name, '/') != NULL || strcmp(name, "podman") == 0 ||
        strcmp(name, "docker") == 0)
        return true;
    return error_set(err, ERROR_INVALID,
                     "--containers %.100s: the programs are podman and docker, or a path to one of "
                     "them",
                     name);
}

static struct runner *create_runner(struct loop *loop, const struct cluster_options *options)
{
    struct runner *processes = runner_process_create(loop, options->ca_file);
    return options->containers ? runner_container_create(loop, options->containers, processes)
                               : processes;
}

struct cluster *cluster_create(struct loop *loop, const struct cluster_options *options,
                               struct error *err)
{
    struct cluster *cluster = memory_new(sizeof *cluster);
    buffer_init(&cluster->text, SIZE_MAX / 2);
    if (make_plan(&cluster->plan, options, err) && check_containers(options, err) &&
        open_http(cluster, loop, options, err))
        cluster->work_dir = work_dir_create(loop, options->work_dir, options->keep, err);
    if (cluster->work_dir == NULL)
        goto failed;
    cluster->runner = create_runner(loop, options);
    create_master(cluster, options, loop);
    create_faults(cluster, options, loop);
    add_agents(cluster);
    if (!plan_roles_set(&cluster->plan, cluster->master, err)) {
        error_context(err, "%s", options->file);
        goto failed;
    }
    log_debug("the local cluster listens on %s: %s", cluster_address(cluster),
              cluster_text(cluster));
    return cluster;
failed:
    cluster_destroy(cluster);
    return NULL;
}

const char *cluster_address(const struct cluster *cluster)
{
    return cluster_http_address(masters_leading(cluster->masters));
}

const char *cluster_addresses(const struct cluster *cluster)
{
    return masters_addresses(cluster->masters);
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
    return cluster_http_exposed(masters_leading(cluster->masters));
}

char *cluster_state(const struct cluster *cluster)
{
    return status_document(cluster->master);
}

void cluster_stop(struct cluster *cluster, void (*done)(void *data), void *data)
{
    fault_course_stop(cluster->course);
    cluster->course = NULL;
    masters_stop(cluster->masters);
    master_stop(cluster->master, STOP_GRACE, done, data);
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->runner != NULL)
        cluster->runner->ops->destroy(cluster->runner);
    fault_course_stop(cluster->course);
    faults_destroy(cluster->faults);
    master_destroy(cluster->master); // which ends streams to executors
    masters_destroy(cluster->masters);
    work_dir_destroy(cluster->work_dir);
    cluster_plan_free(&cluster->plan);
    buffer_free(&cluster->text);
    free(cluster);
}
