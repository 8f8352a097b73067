// SPDX-License-Identifier: Apache-2.0
//
// Resources of agents: see agent_resources.h. A real agent detects what --resources does not name,
// and reserves a part for the system.

#include "cluster/agent_resources.h"

#include "base/log.h"
#include "base/memory.h"
#include "offers/resource_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FIRST_PORT 31000u
#define LAST_PORT 32000u

// ---- the machine ----

// What is left if an agent reserves a part for the system, as a real one does: 1 GB of memory and
// 5 GB of disk, or half of what there is if that is little.
static double spare(double all, double reserve)
{
    return all > 2 * reserve ? all - reserve : all / 2;
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

// This machine's resources, in equal parts.
static char *machine_resources(const struct agent_machine *machine, unsigned part)
{
    unsigned agents = machine->agents;
    double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN) / agents;
    uint64_t mem = (uint64_t)(spare(machine_memory(), 1024) / agents);
    uint64_t disk = (uint64_t)(spare(machine_disk(machine->work_dir), 5120) / agents);
    unsigned ports = (LAST_PORT - FIRST_PORT + 1) / agents, first = FIRST_PORT + part * ports;
    char *most = memory_format("cpus:%.3f;mem:%llu;disk:%llu", cpus < 0.001 ? 0.001 : cpus,
                               (unsigned long long)mem, (unsigned long long)disk);
    if (ports == 0)
        return most;
    char *all = memory_format("%s;ports:[%u-%u]", most, first, first + ports - 1);
    free(most);
    return all;
}

// ---- the text ----

static bool check_gpus(const struct resources *list, struct error *err)
{
    double gpus = resources_scalar(list, "gpus");
    return gpus == floor(gpus) ||
           error_set(err, ERROR_INVALID, "The 'gpus' resource must be an unsigned integer, got %g",
                     gpus);
}

// A custom name is legal, but may be a mistake that resembles no known name.
static void note_custom(const struct resources *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!resource_names_known(list->items[i]->name))
            log_info("agents have '%s', a custom resource: Mesos knows cpus, mem, disk, gpus and "
                     "ports",
                     list->items[i]->name);
}

static void add_machine(struct resources *list, const char *text, const struct resources *own)
{
    for (size_t i = 0; i < own->count; i++) {
        struct resources one = {&own->items[i], 1};
        if (!resources_parse_has(text, own->items[i]->name))
            resources_add(list, &one);
    }
}

bool agent_resources_parse(struct resources *list, const char *text, const char *role,
                           struct error *err)
{
    if (!resources_parse(list, text, role, err))
        return false;
    if (check_gpus(list, err))
        return true;
    resources_free(list);
    return false;
}

void agent_resources_complete(struct resources *list, const char *text,
                              const struct agent_machine *machine, unsigned part)
{
    char *detected = machine_resources(machine, part);
    struct resources own;
    if (part == 0)
        note_custom(list);
    if (resources_parse(&own, detected, NULL, NULL))
        add_machine(list, text, &own);
    resources_free(&own);
    free(detected);
}
