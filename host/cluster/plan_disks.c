// SPDX-License-Identifier: Apache-2.0
//
// The folders of disks; see the header. An absolute root is the same folder for all agents, a
// relative one is below the folder of each.

#include "cluster/plan_disks.h"

#include <string.h>

struct plan_disk {
    size_t group;
    const char *root;
    bool mount;
};

static bool read_disk(const struct cluster_plan *plan, size_t group, size_t resource,
                      struct plan_disk *disk)
{
    const Mesos__V1__Resource__DiskInfo *info = plan->groups[group].resources.items[resource]->disk;
    if (info == NULL || info->source == NULL)
        return false;
    bool mount = info->source->mount != NULL;
    *disk = (struct plan_disk){group, mount ? info->source->mount->root : info->source->path->root,
                               mount};
    return true;
}

static bool refuse_shared(const struct cluster_plan *plan, const struct plan_disk *disk,
                          struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "agents[%zu]: the %s disk '%.200s' cannot be that of %u agents: give each a "
                     "group of its own, or the disk a relative 'root'",
                     disk->group + 1, disk->mount ? "MOUNT" : "PATH", disk->root,
                     plan->groups[disk->group].count);
}

static bool collide(const struct plan_disk *one, const struct plan_disk *other)
{
    bool same_agents = one->group == other->group;
    return strcmp(one->root, other->root) == 0 &&
           (same_agents ? one->mount || other->mount : *one->root == '/');
}

// Compares it with those behind it.
static bool check_disk(const struct cluster_plan *plan, const struct plan_disk *disk,
                       size_t resource, struct error *err)
{
    struct plan_disk other;
    if (*disk->root == '/' && plan->groups[disk->group].count > 1)
        return refuse_shared(plan, disk, err);
    for (size_t i = disk->group; i < plan->group_count; i++)
        for (size_t j = i == disk->group ? resource + 1 : 0; j < plan->groups[i].resources.count;
             j++)
            if (read_disk(plan, i, j, &other) && collide(disk, &other))
                return error_set(err, ERROR_INVALID,
                                 "agents[%zu]: the folder '%.200s' is another disk already, of "
                                 "agents[%zu]: give each disk a 'root' of its own",
                                 i + 1, disk->root, disk->group + 1);
    return true;
}

bool plan_disks_check(const struct cluster_plan *plan, struct error *err)
{
    struct plan_disk disk;
    for (size_t i = 0; i < plan->group_count; i++)
        for (size_t j = 0; j < plan->groups[i].resources.count; j++)
            if (read_disk(plan, i, j, &disk) && !check_disk(plan, &disk, j, err))
                return false;
    return true;
}
