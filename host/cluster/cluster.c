// SPDX-License-Identifier: Apache-2.0
//
// The face of the embedded cluster: it reads the options, creates the parts and ends them in the
// order in which they lean on each other.

#include "cluster/cluster.h"

#include "base/log.h"
#include "base/memory.h"
#include "cluster/cluster_http.h"
#include "cluster/master.h"
#include "cluster/runner_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STOP_GRACE (2 * LOOP_SECOND)
#define LISTEN "127.0.0.1:0"
#define FIRST_PORT 31000u
#define LAST_PORT 32000u

struct cluster {
    struct runner *runner;
    struct cluster_http *http;
    struct master *master;
    unsigned agents;
    char *work_dir, *resources;
};

// ---- the work folder ----

static char *fresh_folder(struct error *err)
{
    const char *base = getenv("TMPDIR");
    char *path = memory_format("%s/mesos-lua-XXXXXX", base && *base ? base : "/tmp");
    // Others may pass through, as tasks may run as other users.
    if (mkdtemp(path) != NULL && chmod(path, 0755) == 0)
        return path;
    error_set(err, ERROR_IO, "cannot create the work folder '%s': %s", path, strerror(errno));
    free(path);
    return NULL;
}

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good)
            return false;
    }
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static char *named_folder(const char *name, struct error *err)
{
    char *path = memory_string(name);
    char *whole = make_folders(path) ? realpath(path, NULL) : NULL;
    if (whole == NULL || access(whole, W_OK | X_OK) != 0) {
        error_set(err, ERROR_IO, "cannot use '%s' as the work folder: %s", name, strerror(errno));
        free(whole);
        whole = NULL;
    }
    free(path);
    return whole;
}

static char *open_work_dir(const char *name, struct error *err)
{
    if (name == NULL)
        return fresh_folder(err);
    if (*name == '\0') {
        error_set(err, ERROR_INVALID, "the work folder has an empty name");
        return NULL;
    }
    return named_folder(name, err);
}

// ---- resources ----

// What an agent keeps back for the system, as a real one does: 1 GB of memory and 5 GB of disk, or
// half of what there is if that is little.
static double spare(double all, double kept)
{
    return all > 2 * kept ? all - kept : all / 2;
}

static double machine_memory(void)
{
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1024.0 * 1024.0);
}

static double machine_disk(const char *folder)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return 0;
    return (double)disk.f_bavail * (double)disk.f_frsize / (1024.0 * 1024.0);
}

// This machine's resources, in `agents` equal parts.
static char *machine_resources(unsigned agents, unsigned part, const char *work_dir)
{
    double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN) / agents;
    uint64_t mem = (uint64_t)(spare(machine_memory(), 1024) / agents);
    uint64_t disk = (uint64_t)(spare(machine_disk(work_dir), 5120) / agents);
    unsigned ports = (LAST_PORT - FIRST_PORT + 1) / agents, first = FIRST_PORT + part * ports;
    char *most = memory_format("cpus:%.3f;mem:%llu;disk:%llu", cpus < 0.001 ? 0.001 : cpus,
                               (unsigned long long)mem, (unsigned long long)disk);
    if (ports == 0)
        return most;
    char *all = memory_format("%s;ports:[%u-%u]", most, first, first + ports - 1);
    free(most);
    return all;
}

static bool has(const struct resources *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            return true;
    return false;
}

// As with a real agent, what the text does not name is the machine's.
static bool agent_resources(struct cluster *cluster, const char *text, unsigned part,
                            struct resources *list, struct error *err)
{
    char *machine = machine_resources(cluster->agents, part, cluster->work_dir);
    struct resources own = {0};
    bool good = resources_parse(list, text ? text : "", NULL, err) &&
                resources_parse(&own, machine, NULL, err);
    for (size_t i = 0; good && i < own.count; i++) {
        struct resources one = {&own.items[i], 1};
        if (!has(list, own.items[i]->name))
            resources_add(list, &one);
    }
    resources_free(&own);
    free(machine);
    return good;
}

static bool add_agents(struct cluster *cluster, const char *text, struct error *err)
{
    for (unsigned i = 0; i < cluster->agents; i++) {
        struct resources list = {0};
        if (!agent_resources(cluster, text, i, &list, err))
            return error_context(err, "the resources of the local cluster");
        if (i == 0)
            cluster->resources = resources_text(&list);
        master_add_agent(cluster->master, &list);
        resources_free(&list);
    }
    return true;
}

// ---- life ----

static void create_master(struct cluster *cluster, struct loop *loop)
{
    const char *ip = cluster_http_ip(cluster->http), *path = getenv("PATH");
    bool anywhere = strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
    const struct master_options options = {
        .ip = anywhere ? "127.0.0.1" : ip,
        .port = cluster_http_port(cluster->http),
        .hostname = anywhere || strncmp(ip, "127.", 4) == 0 ? "localhost" : ip,
        .work_dir = cluster->work_dir,
        .path = path ? path : "/usr/local/bin:/usr/bin:/bin",
        .switch_users = geteuid() == 0,
        .runner = cluster->runner,
    };
    cluster->master = master_create(loop, &options);
    cluster_http_serve(cluster->http, cluster->master);
}

struct cluster *cluster_create(struct loop *loop, const struct cluster_options *options,
                               struct error *err)
{
    struct cluster *cluster = memory_new(sizeof *cluster);
    cluster->agents = options->agents ? options->agents : 1;
    cluster->http = cluster_http_create(loop, options->listen ? options->listen : LISTEN, err);
    if (cluster->http != NULL)
        cluster->work_dir = open_work_dir(options->work_dir, err);
    if (cluster->work_dir == NULL)
        goto failed;
    cluster->runner = runner_process_create(loop);
    create_master(cluster, loop);
    if (!add_agents(cluster, options->resources, err))
        goto failed;
    log_debug("the local cluster listens on %s, with %u agents", cluster_address(cluster),
              cluster->agents);
    return cluster;
failed:
    if (cluster->work_dir != NULL && options->work_dir == NULL)
        rmdir(cluster->work_dir);
    cluster_destroy(cluster);
    return NULL;
}

const char *cluster_address(const struct cluster *cluster)
{
    return cluster_http_address(cluster->http);
}

const char *cluster_work_dir(const struct cluster *cluster)
{
    return cluster->work_dir;
}

const char *cluster_resources(const struct cluster *cluster)
{
    return cluster->resources;
}

char *cluster_state(const struct cluster *cluster)
{
    return master_state(cluster->master);
}

unsigned cluster_agents(const struct cluster *cluster)
{
    return cluster->agents;
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
    free(cluster->work_dir);
    free(cluster->resources);
    free(cluster);
}
