// SPDX-License-Identifier: Apache-2.0
//
// Options of containers: see the header. The order is that of the fields of ContainerInfo.

#include "agent/container_command.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CPU_SHARES_OF_ONE 1024 // cpu
#define CPU_SHARES_LEAST 2
#define MEMORY_LEAST (UINT64_C(32) << 20)    // that Docker takes
#define EXECUTOR_MEMORY (UINT64_C(32) << 20) // that a command's executor has, in its container

typedef Mesos__V1__ContainerInfo ContainerInfo;
typedef Mesos__V1__ContainerInfo__DockerInfo DockerInfo;
typedef Mesos__V1__Volume Volume;
typedef Mesos__V1__TaskInfo TaskInfo;

static bool fault(struct error *err, const char *text)
{
    return error_set(err, ERROR_INVALID, "%s", text);
}

// ---- what is asked for ----

static const DockerInfo *docker_of(const ContainerInfo *container)
{
    return container->type == MESOS__V1__CONTAINER_INFO__TYPE__DOCKER ? container->docker : NULL;
}

const char *container_command_image(const ContainerInfo *container)
{
    if (container == NULL)
        return NULL;
    if (docker_of(container) != NULL)
        return container->docker->image;
    const Mesos__V1__Image *image = container->mesos ? container->mesos->image : NULL;
    return image != NULL && image->docker != NULL ? image->docker->name : NULL;
}

static bool pulls(const ContainerInfo *container)
{
    const DockerInfo *docker = docker_of(container);
    if (docker != NULL)
        return docker->has_force_pull_image && docker->force_pull_image;
    return container->mesos->image->has_cached && !container->mesos->image->cached;
}

static const char *named_network(const ContainerInfo *container)
{
    return container->n_network_infos > 0 ? container->network_infos[0]->name : NULL;
}

// "net" and "network" among the parameters replace the network.
static const char *network_parameter(const DockerInfo *docker)
{
    for (size_t i = 0; i < docker->n_parameters; i++)
        if (strcmp(docker->parameters[i]->key, "net") == 0 ||
            strcmp(docker->parameters[i]->key, "network") == 0)
            return docker->parameters[i]->value;
    return NULL;
}

static const char *own_network(const ContainerInfo *container)
{
    const DockerInfo *docker = docker_of(container);
    const char *name = named_network(container);
    if (docker == NULL)
        return name != NULL ? name : "host";
    switch (docker->network) {
    case MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__BRIDGE:
        return "bridge";
    case MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__NONE:
        return "none";
    case MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__USER:
        return name;
    default:
        return "host";
    }
}

static const char *network_of(const ContainerInfo *container)
{
    const DockerInfo *docker = docker_of(container);
    const char *given = docker != NULL ? network_parameter(docker) : NULL;
    return given != NULL ? given : own_network(container);
}

bool container_command_own_network(const ContainerInfo *container)
{
    const char *network = network_of(container);
    return network != NULL && strcmp(network, "host") != 0;
}

static double scalar_of(const TaskInfo *info, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < info->n_resources; i++)
        if (strcmp(info->resources[i]->name, name) == 0 && info->resources[i]->scalar != NULL)
            sum += info->resources[i]->scalar->value;
    return sum;
}

// ---- checks ----

static bool check_network(const ContainerInfo *container, struct error *err)
{
    const DockerInfo *docker = docker_of(container);
    if (docker == NULL || docker->network != MESOS__V1__CONTAINER_INFO__DOCKER_INFO__NETWORK__USER)
        return true;
    if (container->n_network_infos == 0)
        return fault(err, "No network info found in container info");
    if (container->n_network_infos > 1)
        return fault(err, "Only a single network can be defined in Docker run");
    return named_network(container) != NULL || fault(err, "No network name found in network info");
}

static bool check_hostname(const ContainerInfo *container, struct error *err)
{
    return container->hostname == NULL || strcmp(own_network(container), "host") != 0 ||
           fault(err, "Unable to set hostname with host network mode");
}

static bool has_port(const TaskInfo *info, uint32_t port)
{
    for (size_t i = 0; i < info->n_resources; i++) {
        const Mesos__V1__Value__Ranges *ranges = info->resources[i]->ranges;
        if (strcmp(info->resources[i]->name, "ports") != 0 || ranges == NULL)
            continue;
        for (size_t j = 0; j < ranges->n_range; j++)
            if (port >= ranges->range[j]->begin && port <= ranges->range[j]->end)
                return true;
    }
    return false;
}

static bool has_ports(const TaskInfo *info)
{
    for (size_t i = 0; i < info->n_resources; i++)
        if (strcmp(info->resources[i]->name, "ports") == 0)
            return true;
    return false;
}

static bool check_ports(const TaskInfo *info, struct error *err)
{
    const DockerInfo *docker = docker_of(info->container);
    size_t count = docker != NULL ? docker->n_port_mappings : 0;
    const char *network = own_network(info->container);
    if (count == 0)
        return true;
    if (strcmp(network, "host") == 0 || strcmp(network, "none") == 0)
        return fault(err, "Port mappings are only supported for bridge and user-defined networks");
    if (!has_ports(info))
        return fault(err, "Port mappings require port resources");
    for (size_t i = 0; i < count; i++)
        if (!has_port(info, docker->port_mappings[i]->host_port))
            return error_set(err, ERROR_INVALID, "Port [%u] not included in resources",
                             docker->port_mappings[i]->host_port);
    return true;
}

static bool check_driver(const char **driver, const char *other, struct error *err)
{
    if (other == NULL)
        return true;
    if (*driver != NULL && strcmp(*driver, other) != 0)
        return fault(err, "Only one volume driver is supported");
    *driver = other;
    return true;
}

// Docker's own volumes are the only source that a real agent gives to Docker.
static bool check_source(const Mesos__V1__Volume__Source *source, bool docker, struct error *err)
{
    if (docker && source->docker_volume == NULL)
        return fault(err, "Of the sources of volumes only 'DOCKER_VOLUME' is supported by docker");
    return source->sandbox_path == NULL ||
           source->sandbox_path->type != MESOS__V1__VOLUME__SOURCE__SANDBOX_PATH__TYPE__PARENT ||
           fault(err, "A SANDBOX_PATH volume of type PARENT is for tasks of a group");
}

static bool check_volume(const Volume *volume, bool docker, const char **driver, struct error *err)
{
    if (volume->host_path != NULL && volume->host_path[0] != '/' &&
        volume->container_path[0] != '/')
        return error_set(err, ERROR_INVALID,
                         "Both host_path '%.300s' and container_path '%.300s' of a volume are "
                         "relative",
                         volume->host_path, volume->container_path);
    if (volume->source != NULL && !check_source(volume->source, docker, err))
        return false;
    if (volume->source == NULL || volume->source->docker_volume == NULL)
        return true;
    return check_driver(driver, volume->source->docker_volume->driver, err);
}

static bool check_volumes(const ContainerInfo *container, struct error *err)
{
    const DockerInfo *docker = docker_of(container);
    const char *driver = NULL;
    for (size_t i = 0; i < container->n_volumes; i++)
        if (!check_volume(container->volumes[i], docker != NULL, &driver, err))
            return false;
    return docker == NULL || check_driver(&driver, docker->volume_driver, err);
}

bool container_command_check(const TaskInfo *info, struct error *err)
{
    return (check_volumes(info->container, err) && check_network(info->container, err) &&
            check_hostname(info->container, err) && check_ports(info, err)) ||
           error_context(err, "Failed to create docker run options");
}

// ---- options ----

static void put(struct task_words *words, const char *option, const char *value)
{
    task_command_put(words, memory_string(option));
    if (value != NULL)
        task_command_put(words, memory_string(value));
}

static void put_owned(struct task_words *words, const char *option, char *value)
{
    task_command_put(words, memory_string(option));
    task_command_put(words, value);
}

static bool is_variable(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == '=';
}

static bool names_variable(const Mesos__V1__Environment *environment, const char *name)
{
    for (size_t i = 0; environment != NULL && i < environment->n_variables; i++)
        if (strcmp(environment->variables[i]->name, name) == 0)
            return true;
    return false;
}

// The PATH is that of the image, and the folder of the sandbox has another name inside.
static void put_environment(struct task_words *words, const struct task_words *environment,
                            const TaskInfo *info, const char *name)
{
    bool path = names_variable(info->command->environment, "PATH");
    for (size_t i = 0; i < environment->count; i++) {
        const char *word = environment->items[i];
        if ((is_variable(word, "PATH") && !path) || is_variable(word, "MESOS_SANDBOX") ||
            is_variable(word, "MESOS_DIRECTORY") || is_variable(word, "MESOS_CONTAINER_NAME"))
            continue;
        put(words, "-e", word);
    }
    put(words, "-e", "MESOS_SANDBOX=" CONTAINER_COMMAND_SANDBOX);
    put_owned(words, "-e", memory_format("MESOS_CONTAINER_NAME=%s", name));
}

// What is behind the colon: the path inside, and the mode.
static char *inside(const Volume *volume)
{
    bool absolute = volume->container_path[0] == '/';
    return memory_format("%s%s:%s", absolute ? "" : CONTAINER_COMMAND_SANDBOX "/",
                         volume->container_path,
                         volume->mode == MESOS__V1__VOLUME__MODE__RO ? "ro" : "rw");
}

// A path, relative ones to the sandbox, or the name of a volume.
static char *outside(struct container_command *command, const Volume *volume, const char *driver,
                     const char *sandbox)
{
    const Mesos__V1__Volume__Source *source = volume->source;
    const char *path = volume->host_path;
    if (path == NULL && source->docker_volume != NULL)
        return memory_string(source->docker_volume->name);
    if (path == NULL)
        path = source->host_path ? source->host_path->path : source->sandbox_path->path;
    if (path[0] == '/' || driver != NULL)
        return memory_string(path);
    task_command_put(&command->folders, memory_format("%s/%s", sandbox, path));
    return memory_format("%s/%s", sandbox, path);
}

static void put_volumes(struct container_command *command, const ContainerInfo *container,
                        const char *sandbox)
{
    struct task_words *words = &command->words;
    const DockerInfo *docker = docker_of(container);
    const char *driver = docker ? docker->volume_driver : NULL;
    for (size_t i = 0; i < container->n_volumes; i++) {
        const Volume *volume = container->volumes[i];
        char *from = outside(command, volume, docker ? docker->volume_driver : NULL, sandbox);
        char *to = inside(volume);
        put_owned(words, "-v", memory_format("%s:%s", from, to));
        free(from);
        free(to);
        if (volume->source != NULL && volume->source->docker_volume != NULL &&
            volume->source->docker_volume->driver != NULL)
            driver = volume->source->docker_volume->driver;
    }
    put_owned(words, "-v", memory_format("%s:%s", sandbox, CONTAINER_COMMAND_SANDBOX));
    if (driver != NULL)
        task_command_put(words, memory_format("--volume-driver=%s", driver));
}

static void put_port(struct task_words *words, uint32_t host, uint32_t port, const char *protocol)
{
    char *text =
        memory_format("%u:%u%s%s", host, port, protocol ? "/" : "", protocol ? protocol : "");
    for (char *at = text; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    put_owned(words, "-p", text);
}

static void put_ports(struct task_words *words, const ContainerInfo *container)
{
    const DockerInfo *docker = docker_of(container);
    for (size_t i = 0; docker != NULL && i < docker->n_port_mappings; i++)
        put_port(words, docker->port_mappings[i]->host_port,
                 docker->port_mappings[i]->container_port, docker->port_mappings[i]->protocol);
    for (size_t i = 0; docker == NULL && i < container->n_network_infos; i++) {
        const Mesos__V1__NetworkInfo *network = container->network_infos[i];
        for (size_t j = 0; j < network->n_port_mappings; j++)
            put_port(words, network->port_mappings[j]->host_port,
                     network->port_mappings[j]->container_port,
                     network->port_mappings[j]->protocol);
    }
}

// The first that names the network is in --net already.
static void put_parameters(struct task_words *words, const DockerInfo *docker)
{
    bool network = false;
    for (size_t i = 0; i < docker->n_parameters; i++) {
        const Mesos__V1__Parameter *parameter = docker->parameters[i];
        bool is_network =
            strcmp(parameter->key, "net") == 0 || strcmp(parameter->key, "network") == 0;
        if (!is_network || network)
            task_command_put(words, memory_format("--%s=%s", parameter->key, parameter->value));
        network = network || is_network;
    }
}

static bool is_shell(const Mesos__V1__CommandInfo *command)
{
    return !command->has_shell || command->shell;
}

// A shell replaces the entry point of the image. With Docker a program is an argument of it;
// Mesos's own containers run the program, and its first argument is its name.
static void put_line(struct task_words *words, const TaskInfo *info)
{
    const Mesos__V1__CommandInfo *command = info->command;
    bool docker = docker_of(info->container) != NULL, program = command->value != NULL;
    size_t first = !docker && program ? 1 : 0;
    if (is_shell(command))
        put(words, "--entrypoint", "/bin/sh");
    else if (!docker && program)
        put(words, "--entrypoint", command->value);
    put(words, container_command_image(info->container), NULL);
    if (is_shell(command)) {
        put(words, "-c", command->value);
        return;
    }
    if (docker && program)
        put(words, command->value, NULL);
    for (size_t i = first; i < command->n_arguments; i++)
        put(words, command->arguments[i], NULL);
}

// ---- commands ----

static void set_limits(struct runner_container *container, const TaskInfo *info)
{
    double shares = scalar_of(info, "cpus") * CPU_SHARES_OF_ONE;
    uint64_t memory = (uint64_t)(scalar_of(info, "mem") * 1024 * 1024);
    container->cpu_shares = shares > CPU_SHARES_LEAST
                                ? (unsigned)(shares < 262144 ? shares : 262144)
                                : CPU_SHARES_LEAST;
    container->memory = container->native ? memory + EXECUTOR_MEMORY : memory;
    if (container->memory < MEMORY_LEAST)
        container->memory = MEMORY_LEAST;
}

static char *name_of(const char *sandbox)
{
    const char *slash = strrchr(sandbox, '/');
    return memory_format("mesos-%s", slash ? slash + 1 : sandbox);
}

void container_command_run(struct container_command *command, const TaskInfo *info,
                           const struct task_words *environment, const char *sandbox)
{
    const ContainerInfo *container = info->container;
    const DockerInfo *docker = docker_of(container);
    struct task_words *words = &command->words;
    *command = (struct container_command){.name = name_of(sandbox)};
    command->container.native = docker == NULL;
    command->container.image = container_command_image(container);
    command->container.pull = pulls(container);
    set_limits(&command->container, info);
    if (docker != NULL && docker->has_privileged && docker->privileged)
        put(words, "--privileged", NULL);
    put_environment(words, environment, info, command->name);
    put_volumes(command, container, sandbox);
    put(words, "--net", network_of(container));
    if (container->hostname != NULL)
        put(words, "--hostname", container->hostname);
    put_ports(words, container);
    if (docker != NULL)
        put_parameters(words, docker);
    put_line(words, info);
    command->container.name = command->name;
    command->container.words = (const char *const *)words->items;
    command->container.folders = (const char *const *)command->folders.items;
}

void container_command_exec(struct container_command *command, const TaskInfo *info,
                            const Mesos__V1__CommandInfo *check, const char *sandbox)
{
    struct task_words *words = &command->words;
    const char *file;
    *command = (struct container_command){.name = name_of(sandbox)};
    command->container.beside = true;
    command->container.image = container_command_image(info->container);
    for (size_t i = 0; check->environment != NULL && i < check->environment->n_variables; i++) {
        const Mesos__V1__Environment__Variable *variable = check->environment->variables[i];
        put_owned(words, "-e",
                  memory_format("%s=%s", variable->name, variable->value ? variable->value : ""));
    }
    put(words, command->name, NULL);
    char **line = task_command_line(check, &file);
    for (size_t i = 0; line[i] != NULL; i++)
        put(words, i == 0 ? file : line[i], NULL);
    free(line);
    command->container.name = command->name;
    command->container.words = (const char *const *)words->items;
}

void container_command_free(struct container_command *command)
{
    task_command_free(&command->words);
    task_command_free(&command->folders);
    free(command->name);
    command->name = NULL;
}
