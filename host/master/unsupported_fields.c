// SPDX-License-Identifier: Apache-2.0
//
// The table of fields and the walk over a message: see unsupported_fields.h. A message is walked by
// its descriptor, so only the table decides. The walk looks only at fields that may be refused, or
// that have such fields in them: which these are is found once of each type.

#include "master/unsupported_fields.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "wire/type_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LIMIT ((size_t)1 << 12)
#define NETWORK "its tasks use the network of this machine, and its ports"
#define CONTAINERS "start the local cluster with --containers podman (or docker)"
#define IMAGES                                                                                     \
    "its tasks are processes of this machine, without images: " CONTAINERS                         \
    ", for tasks that are in no group, or run the command itself"
#define LOGIN "log in to the registry with podman (or docker) login before"
#define OWN_NETWORK NETWORK "; those with an image may have another one: " CONTAINERS

// clang-format off
#define DONE(message, field) {message, field, SUPPORT_DONE, NULL}
#define COMPARED(message, field) {message, field, SUPPORT_COMPARED, NULL}
#define METADATA(message, field) {message, field, SUPPORT_METADATA, NULL}
#define CONTAINED(message, field, reason) {message, field, SUPPORT_CONTAINED, reason}
#define REFUSED(message, field, reason) {message, field, SUPPORT_REFUSED, reason}
// clang-format on

// The rows of a message are next to each other.
static const struct unsupported_fields_row rows[] = {
    DONE("TaskInfo", "name"),
    DONE("TaskInfo", "task_id"),
    DONE("TaskInfo", "agent_id"),
    COMPARED("TaskInfo", "resources"),
    DONE("TaskInfo", "executor"),
    METADATA("TaskInfo", "data"), // for executors; those of the agent ignore it
    DONE("TaskInfo", "command"),
    DONE("TaskInfo", "health_check"),
    DONE("TaskInfo", "container"),
    METADATA("TaskInfo", "labels"),
    METADATA("TaskInfo", "discovery"),
    DONE("TaskInfo", "kill_policy"),
    DONE("TaskInfo", "check"),
    DONE("TaskInfo", "max_completion_time"),
    REFUSED("TaskInfo", "limits",
            "its tasks have no limits besides 'resources'; the command can call ulimit"),
    DONE("Offer.Operation.LaunchGroup", "executor"),
    DONE("Offer.Operation.LaunchGroup", "task_group"),
    DONE("TaskGroupInfo", "tasks"),
    DONE("ExecutorInfo", "type"),
    DONE("ExecutorInfo", "executor_id"),
    DONE("ExecutorInfo", "framework_id"),
    DONE("ExecutorInfo", "command"),
    DONE("ExecutorInfo", "container"),
    COMPARED("ExecutorInfo", "resources"),
    METADATA("ExecutorInfo", "name"),
    METADATA("ExecutorInfo", "source"),
    METADATA("ExecutorInfo", "data"), // the executor gets it
    METADATA("ExecutorInfo", "discovery"),
    DONE("ExecutorInfo", "shutdown_grace_period"),
    METADATA("ExecutorInfo", "labels"),
    DONE("ExecutorID", "value"),
    DONE("TaskID", "value"),
    DONE("AgentID", "value"),
    DONE("DurationInfo", "nanoseconds"),
    DONE("KillPolicy", "grace_period"),

    DONE("HealthCheck", "type"),
    DONE("HealthCheck", "command"),
    DONE("HealthCheck", "http"),
    DONE("HealthCheck", "tcp"),
    DONE("HealthCheck", "delay_seconds"),
    DONE("HealthCheck", "interval_seconds"),
    DONE("HealthCheck", "timeout_seconds"),
    DONE("HealthCheck", "grace_period_seconds"),
    DONE("HealthCheck", "consecutive_failures"),
    DONE("HealthCheck.HTTPCheckInfo", "port"),
    DONE("HealthCheck.HTTPCheckInfo", "path"),
    DONE("HealthCheck.HTTPCheckInfo", "scheme"),
    METADATA("HealthCheck.HTTPCheckInfo", "statuses"), // a real executor ignores them, too
    DONE("HealthCheck.HTTPCheckInfo", "protocol"),
    DONE("HealthCheck.TCPCheckInfo", "port"),
    DONE("HealthCheck.TCPCheckInfo", "protocol"),
    DONE("CheckInfo", "type"),
    DONE("CheckInfo", "command"),
    DONE("CheckInfo", "http"),
    DONE("CheckInfo", "tcp"),
    DONE("CheckInfo", "delay_seconds"),
    DONE("CheckInfo", "interval_seconds"),
    DONE("CheckInfo", "timeout_seconds"),
    DONE("CheckInfo.Command", "command"),
    DONE("CheckInfo.Http", "port"),
    DONE("CheckInfo.Http", "path"),
    DONE("CheckInfo.Tcp", "port"),

    DONE("CommandInfo", "uris"),
    DONE("CommandInfo", "environment"),
    DONE("CommandInfo", "value"),
    DONE("CommandInfo", "user"),
    DONE("CommandInfo", "shell"),
    DONE("CommandInfo", "arguments"),
    DONE("CommandInfo.URI", "value"),
    DONE("CommandInfo.URI", "executable"),
    DONE("CommandInfo.URI", "extract"),
    METADATA("CommandInfo.URI", "cache"), // files are copied anew each time
    DONE("CommandInfo.URI", "output_file"),
    DONE("Environment", "variables"),
    DONE("Environment.Variable", "name"),
    DONE("Environment.Variable", "value"),
    DONE("Environment.Variable", "type"),
    REFUSED("Environment.Variable", "secret",
            "it keeps no secrets: give the variable a 'value', or the command a file to read"),

    DONE("ContainerInfo", "type"),
    CONTAINED(
        "ContainerInfo", "volumes",
        "its tasks see the files of this machine: name them in the command, or copy them "
        "into the sandbox with 'command.uris'; those with an image have volumes: " CONTAINERS),
    CONTAINED("ContainerInfo", "docker", IMAGES),
    CONTAINED("ContainerInfo", "hostname",
              "its tasks have the host name of this machine; those with an image and a network of "
              "their own have one: " CONTAINERS),
    DONE("ContainerInfo", "mesos"),
    DONE("ContainerInfo", "network_infos"),
    REFUSED("ContainerInfo", "linux_info",
            "its tasks have the rights, the namespaces and the shared memory of this process; with "
            "an image, 'docker.parameters' has options such as cap-add and shm-size"),
    REFUSED("ContainerInfo", "rlimit_info",
            "its tasks have the limits of this process; the command can call ulimit, and with an "
            "image 'docker.parameters' has the option ulimit"),
    REFUSED("ContainerInfo", "tty_info",
            "its tasks have no terminal; the command can use script(1)"),
    CONTAINED("ContainerInfo.MesosInfo", "image", IMAGES),
    DONE("ContainerInfo.DockerInfo", "image"),
    DONE("ContainerInfo.DockerInfo", "network"),
    DONE("ContainerInfo.DockerInfo", "port_mappings"),
    DONE("ContainerInfo.DockerInfo", "privileged"),
    DONE("ContainerInfo.DockerInfo", "parameters"),
    DONE("ContainerInfo.DockerInfo", "force_pull_image"),
    DONE("ContainerInfo.DockerInfo", "volume_driver"),
    DONE("ContainerInfo.DockerInfo.PortMapping", "host_port"),
    DONE("ContainerInfo.DockerInfo.PortMapping", "container_port"),
    DONE("ContainerInfo.DockerInfo.PortMapping", "protocol"),
    DONE("Parameter", "key"),
    DONE("Parameter", "value"),
    DONE("Image", "type"),
    REFUSED("Image", "appc", "its containers have images of Docker: give the image a 'docker'"),
    DONE("Image", "docker"),
    DONE("Image", "cached"),
    DONE("Image.Docker", "name"),
    REFUSED("Image.Docker", "credential", LOGIN),
    REFUSED("Image.Docker", "config", LOGIN),
    DONE("Volume", "container_path"),
    DONE("Volume", "host_path"),
    DONE("Volume", "mode"),
    REFUSED("Volume", "image", "it mounts no images: name a 'host_path' or a 'source'"),
    DONE("Volume", "source"),
    DONE("Volume.Source", "type"),
    DONE("Volume.Source", "docker_volume"),
    DONE("Volume.Source", "host_path"),
    DONE("Volume.Source", "sandbox_path"),
    REFUSED("Volume.Source", "secret", "it keeps no secrets: name a file by 'host_path'"),
    REFUSED("Volume.Source", "csi_volume", "it has no CSI plugins: name a 'host_path'"),
    DONE("Volume.Source.DockerVolume", "driver"),
    DONE("Volume.Source.DockerVolume", "name"),
    REFUSED("Volume.Source.DockerVolume", "driver_options",
            "create the volume with these options before, by podman (or docker) volume create"),
    DONE("Volume.Source.HostPath", "path"),
    REFUSED("Volume.Source.HostPath", "mount_propagation",
            "with an image, 'docker.parameters' can have a volume with the option rshared"),
    DONE("Volume.Source.SandboxPath", "type"),
    DONE("Volume.Source.SandboxPath", "path"),
    REFUSED("NetworkInfo", "groups", NETWORK),
    METADATA("NetworkInfo", "labels"),
    REFUSED("NetworkInfo", "ip_addresses", NETWORK),
    CONTAINED("NetworkInfo", "name", OWN_NETWORK),
    CONTAINED("NetworkInfo", "port_mappings", OWN_NETWORK),
    DONE("NetworkInfo.PortMapping", "host_port"),
    DONE("NetworkInfo.PortMapping", "container_port"),
    DONE("NetworkInfo.PortMapping", "protocol"),

    DONE("Offer.Operation", "type"),
    DONE("Offer.Operation", "id"),
    DONE("Offer.Operation", "launch"),
    DONE("Offer.Operation", "launch_group"),
    DONE("Offer.Operation", "reserve"),
    DONE("Offer.Operation", "unreserve"),
    DONE("Offer.Operation", "create"),
    DONE("Offer.Operation", "destroy"),
    DONE("Offer.Operation", "grow_volume"),
    DONE("Offer.Operation", "shrink_volume"),
    DONE("Offer.Operation", "create_disk"),
    DONE("Offer.Operation", "destroy_disk"),
    COMPARED("Offer.Operation.Reserve", "resources"),
    COMPARED("Offer.Operation.Reserve", "source"), // a real master refuses it, too
    COMPARED("Offer.Operation.Unreserve", "resources"),
    COMPARED("Offer.Operation.Create", "volumes"),
    COMPARED("Offer.Operation.Destroy", "volumes"),
    COMPARED("Offer.Operation.GrowVolume", "volume"),
    COMPARED("Offer.Operation.GrowVolume", "addition"),
    COMPARED("Offer.Operation.ShrinkVolume", "volume"),
    DONE("Offer.Operation.ShrinkVolume", "subtract"),
    COMPARED("Offer.Operation.CreateDisk", "source"), // no agent has disks of resource providers
    DONE("Offer.Operation.CreateDisk", "target_type"),
    DONE("Offer.Operation.CreateDisk", "target_profile"),
    COMPARED("Offer.Operation.DestroyDisk", "source"),
    DONE("Offer.Operation.Launch", "task_infos"),
    DONE("OperationID", "value"),
    DONE("Filters", "refuse_seconds"),

    DONE("FrameworkInfo", "user"),
    DONE("FrameworkInfo", "name"),
    DONE("FrameworkInfo", "id"),
    DONE("FrameworkInfo", "failover_timeout"),
    METADATA("FrameworkInfo", "checkpoint"), // the agents here never restart
    DONE("FrameworkInfo", "role"),
    METADATA("FrameworkInfo", "hostname"),
    DONE("FrameworkInfo", "principal"),
    METADATA("FrameworkInfo", "webui_url"),
    DONE("FrameworkInfo", "capabilities"),
    METADATA("FrameworkInfo", "labels"),
    DONE("FrameworkInfo", "roles"),
    DONE("FrameworkInfo", "offer_filters"),
    DONE("FrameworkInfo.Capability", "type"),
    DONE("FrameworkInfo.OfferFiltersEntry", "key"),
    DONE("FrameworkInfo.OfferFiltersEntry", "value"),
    DONE("FrameworkID", "value"),
    DONE("OfferFilters", "min_allocatable_resources"),
    DONE("OfferFilters.MinAllocatableResources", "quantities"),
    DONE("OfferFilters.ResourceQuantities", "quantities"),
    DONE("OfferFilters.ResourceQuantities.QuantitiesEntry", "key"),
    DONE("OfferFilters.ResourceQuantities.QuantitiesEntry", "value"),
    DONE("Value.Scalar", "value"),
};

enum { ROWS = sizeof rows / sizeof *rows };

const struct unsupported_fields_row *unsupported_fields_row(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}

static const char *short_name(const ProtobufCMessageDescriptor *type)
{
    return type->name + strlen(type->package_name) + 1;
}

static const struct unsupported_fields_row *rows_of(const ProtobufCMessageDescriptor *type)
{
    const char *name = short_name(type);
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].message, name) == 0)
            return &rows[i];
    return NULL;
}

static const struct unsupported_fields_row *find_in(const struct unsupported_fields_row *first,
                                                    const char *field)
{
    for (const struct unsupported_fields_row *row = first;
         row != NULL && row < rows + ROWS && strcmp(row->message, first->message) == 0; row++)
        if (strcmp(row->field, field) == 0)
            return row;
    return NULL;
}

const struct unsupported_fields_row *unsupported_fields_find(const ProtobufCMessageDescriptor *type,
                                                             const char *field)
{
    return find_in(rows_of(type), field);
}

// ---- what the walk looks at ----

struct field_look {
    const ProtobufCFieldDescriptor *field;
    const struct unsupported_fields_row *row; // NULL: the field is not known
    const struct field_looks *below;          // into the messages of the field; NULL: not at all
};

// In the order of the type's fields.
struct field_looks {
    struct type_entry entry;
    unsigned count;
    struct field_look looks[];
};

static struct type_entry *find_looks(const ProtobufCMessageDescriptor *type);

static void free_looks(struct type_entry *entry)
{
    free(entry);
}

static struct type_table all_looks = {.make = find_looks, .free = free_looks};

// The table has room for all types of Mesos.
static const struct field_looks *looks_of(const ProtobufCMessageDescriptor *type)
{
    return (const struct field_looks *)type_table_get(&all_looks, type);
}

static bool is_walked(const struct unsupported_fields_row *row)
{
    return row->support == SUPPORT_DONE || row->support == SUPPORT_CONTAINED;
}

// False: the field is never refused, nor is anything in it.
static bool find_look(const ProtobufCFieldDescriptor *field,
                      const struct unsupported_fields_row *row, struct field_look *look)
{
    *look = (struct field_look){.field = field, .row = row};
    if (row == NULL)
        return true;
    if (is_walked(row) && field->type == PROTOBUF_C_TYPE_MESSAGE)
        look->below = looks_of(field->descriptor);
    bool anything = look->below != NULL && look->below->count > 0;
    return anything || row->support == SUPPORT_REFUSED || row->support == SUPPORT_CONTAINED;
}

// No message that is carried out has one of its own type in it.
static struct type_entry *find_looks(const ProtobufCMessageDescriptor *type)
{
    const struct unsupported_fields_row *first = rows_of(type);
    struct field_looks *found = memory_new(sizeof *found + type->n_fields * sizeof found->looks[0]);
    found->entry.type = type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        found->count += find_look(field, find_in(first, field->name), &found->looks[found->count]);
    }
    return &found->entry;
}

// ---- the walk ----

static size_t number_at(const ProtobufCMessage *message, unsigned offset)
{
    size_t number;
    memcpy(&number, (const char *)message + offset, sizeof number);
    return number;
}

static const void *pointer_at(const ProtobufCMessage *message, unsigned offset)
{
    const void *pointer;
    memcpy(&pointer, (const char *)message + offset, sizeof pointer);
    return pointer;
}

static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return number_at(message, field->quantifier_offset) > 0;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING) {
        const void *value = pointer_at(message, field->offset);
        return value != NULL && value != field->default_value;
    }
    protobuf_c_boolean present = true;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        memcpy(&present, (const char *)message + field->quantifier_offset, sizeof present);
    return present;
}

// The path of the field that the walk has reached.
struct field_path {
    const struct field_path *up;
    const char *field;
    size_t index; // from 1, in a list
};

static void write_path(const struct field_path *path, struct buffer *out)
{
    if (path->up != NULL)
        write_path(path->up, out);
    buffer_format(out, "%s%s", path->up ? "." : "", path->field);
    if (path->index > 0)
        buffer_format(out, "[%zu]", path->index);
}

static char *refuse(const struct field_path *path, const char *reason)
{
    struct buffer text;
    buffer_init(&text, PATH_LIMIT);
    write_path(path, &text);
    char *fault = memory_format("The local cluster does not carry out '%s': %s",
                                buffer_string(&text), reason);
    buffer_free(&text);
    return fault;
}

static char *walk(const ProtobufCMessage *message, const struct field_looks *looks,
                  const struct field_path *up, bool contained);

static bool is_refused(const struct unsupported_fields_row *row, bool contained)
{
    return row == NULL || row->support == SUPPORT_REFUSED ||
           (row->support == SUPPORT_CONTAINED && !contained);
}

// Walks the messages of a field that is carried out.
static char *descend(const ProtobufCMessage *message, const struct field_look *look,
                     struct field_path *path, bool contained)
{
    const void *value = pointer_at(message, look->field->offset);
    if (look->field->label != PROTOBUF_C_LABEL_REPEATED)
        return walk(value, look->below, path, contained);
    size_t count = number_at(message, look->field->quantifier_offset);
    char *fault = NULL;
    for (size_t i = 0; i < count && fault == NULL; i++) {
        path->index = i + 1;
        fault = walk(((ProtobufCMessage *const *)value)[i], look->below, path, contained);
    }
    return fault;
}

static char *walk(const ProtobufCMessage *message, const struct field_looks *looks,
                  const struct field_path *up, bool contained)
{
    char *fault = NULL;
    for (unsigned i = 0; i < looks->count && fault == NULL; i++) {
        const struct field_look *look = &looks->looks[i];
        struct field_path path = {up, look->field->name, 0};
        if (!is_set(message, look->field))
            continue;
        if (is_refused(look->row, contained))
            fault = refuse(&path, look->row ? look->row->reason : "it does not know this field");
        else if (look->below != NULL)
            fault = descend(message, look, &path, contained);
    }
    return fault;
}

char *unsupported_fields_fault(const ProtobufCMessage *message, bool contained)
{
    return walk(message, looks_of(message->descriptor), NULL, contained);
}
