// SPDX-License-Identifier: Apache-2.0
//
// Persistent volumes of tasks: see task_volumes.h.

#include "agent/task_volumes.h"

#include "base/memory.h"
#include "offers/resources.h"

#include <stdlib.h>
#include <string.h>

typedef Mesos__V1__Resource Resource;

// Where the volumes of that disk are; free() it.
static char *root_of(const char *work_dir, const char *agent_id, const Resource *volume)
{
    const Mesos__V1__Resource__DiskInfo__Source *source = volume->disk->source;
    const char *root = source == NULL          ? NULL
                       : source->mount != NULL ? source->mount->root
                       : source->path != NULL  ? source->path->root
                                               : NULL;
    if (root == NULL)
        return memory_format("%s/slaves/%s", work_dir, agent_id);
    return *root == '/' ? memory_string(root)
                        : memory_format("%s/slaves/%s/%s", work_dir, agent_id, root);
}

bool task_volumes_is_device(const Resource *volume)
{
    return volume->disk->source != NULL && volume->disk->source->mount != NULL;
}

// A "/" of a role is a space in the name of its folder, as roles have no spaces.
char *task_volumes_path(const char *work_dir, const char *agent_id, const Resource *volume)
{
    char *root = root_of(work_dir, agent_id, volume);
    if (task_volumes_is_device(volume))
        return root;
    char *role = memory_string(resource_reserved_role(volume));
    for (char *slash = strchr(role, '/'); slash != NULL; slash = strchr(slash, '/'))
        *slash = ' ';
    char *path = memory_format("%s/volumes/roles/%s/%s", root, role, volume->disk->persistence->id);
    free(root);
    free(role);
    return path;
}

// A relative path none of whose parts is "..", "." or empty.
static bool stays_inside(const char *path)
{
    for (const char *part = path; part != NULL;) {
        const char *slash = strchr(part, '/');
        size_t length = slash ? (size_t)(slash - part) : strlen(part);
        if (length == 0 || (length <= 2 && strncmp(part, "..", length) == 0))
            return false;
        part = slash ? slash + 1 : NULL;
    }
    return true;
}

static void add_link(struct task_volumes *volumes, char *target, const Resource *volume)
{
    volumes->links = memory_resize(volumes->links, (volumes->count + 1) * sizeof *volumes->links);
    volumes->links[volumes->count++] = (struct runner_link){
        .name = memory_string(volume->disk->volume->container_path),
        .target = target,
        .shared = volume->shared != NULL,
    };
}

// A volume that is not there is made.
static bool prepare(struct task_volumes *volumes, const struct task_volumes_place *place,
                    const Resource *volume, struct error *err)
{
    const char *id = volume->disk->persistence->id, *name = volume->disk->volume->container_path;
    if (!stays_inside(name))
        return error_set(
            err, ERROR_INVALID,
            "The 'container_path' '%.200s' of the persistent volume '%s' is not a path "
            "inside the sandbox",
            name, id);
    char *path = task_volumes_path(place->work_dir, place->agent_id, volume);
    bool good = place->runner->ops->make_volume(place->runner, path, err);
    if (good)
        add_link(volumes, memory_string(path), volume);
    else
        error_context(err, "Failed to create the persistent volume '%s' at '%.400s'", id, path);
    free(path);
    return good;
}

bool task_volumes_prepare(struct task_volumes *volumes, const struct task_volumes_place *place,
                          Resource *const *resources, size_t count, struct error *err)
{
    struct resources own = {0};
    bool good = true;
    *volumes = (struct task_volumes){0};
    for (size_t i = 0; i < count; i++)
        if (resource_is_volume(resources[i]))
            resources_add_message(&own, resources[i]);
    for (size_t i = 0; i < own.count && good; i++)
        good = prepare(volumes, place, own.items[i], err);
    resources_free(&own);
    return good;
}

static void free_link(struct runner_link *link)
{
    free(link->name);
    free(link->target);
}

void task_volumes_free(struct task_volumes *volumes)
{
    for (size_t i = 0; i < volumes->count; i++)
        free_link(&volumes->links[i]);
    free(volumes->links);
    *volumes = (struct task_volumes){0};
}

static bool has_link(const struct task_volumes *volumes, const char *name)
{
    for (size_t i = 0; i < volumes->count; i++)
        if (strcmp(volumes->links[i].name, name) == 0)
            return true;
    return false;
}

void task_volumes_move(struct task_volumes *to, struct task_volumes *from)
{
    to->links = memory_resize(to->links, (to->count + from->count + 1) * sizeof *to->links);
    for (size_t i = 0; i < from->count; i++) {
        if (has_link(to, from->links[i].name))
            free_link(&from->links[i]);
        else
            to->links[to->count++] = from->links[i];
    }
    from->count = 0;
    task_volumes_free(from);
}

void task_volumes_remove(struct task_volumes *volumes, size_t index)
{
    free_link(&volumes->links[index]);
    volumes->links[index] = volumes->links[--volumes->count];
}
