// SPDX-License-Identifier: Apache-2.0
//
// Resources as text: for people, and as Mesos writes them in its messages. See resources.h.

#include "offers/resources_internal.h"

#include "base/memory.h"

#include <string.h>

#define TEXT_LIMIT ((size_t)64 << 20)

static char *finish_text(struct buffer *out)
{
    char *text = memory_string(buffer_string(out));
    buffer_free(out);
    return text;
}

static void write_value(const Resource *resource, struct buffer *out)
{
    if (resource->type <= MESOS__V1__VALUE__TYPE__SET)
        resource_values_of(resource)->write(resource, out);
}

char *resources_text(const struct resources *list)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (size_t i = 0; i < list->count; i++) {
        const Resource *resource = list->items[i];
        const char *role = resource_reserved_role(resource);
        buffer_format(&out, "%s%s", i ? ";" : "", resource->name);
        if (role != NULL)
            buffer_format(&out, "(%s)", role);
        buffer_append_text(&out, resource->revocable ? REVOCABLE ":" : ":");
        write_value(resource, &out);
    }
    return finish_text(&out);
}

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    return row ? row->name : "UNKNOWN";
}

static void describe_labels(const Mesos__V1__Labels *labels, struct buffer *out)
{
    buffer_append_text(out, ",{");
    for (size_t i = 0; i < labels->n_labels; i++) {
        const Mesos__V1__Label *label = labels->labels[i];
        buffer_format(out, "%s%s", i ? ", " : "", label->key);
        if (label->value != NULL)
            buffer_format(out, ": %s", label->value);
    }
    buffer_append_text(out, "}");
}

static void describe_reservation(const Reservation *reservation, struct buffer *out)
{
    buffer_format(
        out, "(%s,%s",
        enum_name(&mesos__v1__resource__reservation_info__type__descriptor, (int)reservation->type),
        reservation->role ? reservation->role : "");
    if (reservation->principal != NULL)
        buffer_format(out, ",%s", reservation->principal);
    if (reservation->labels != NULL && reservation->labels->n_labels > 0)
        describe_labels(reservation->labels, out);
    buffer_append_text(out, ")");
}

static void describe_source(const Mesos__V1__Resource__DiskInfo__Source *source, struct buffer *out)
{
    const char *root = NULL;
    buffer_append_text(out, enum_name(&mesos__v1__resource__disk_info__source__type__descriptor,
                                      (int)source->type));
    if (source->id != NULL || source->profile != NULL) {
        buffer_format(out, "(%s,%s,%s)", source->vendor ? source->vendor : "",
                      source->id ? source->id : "", source->profile ? source->profile : "");
        return;
    }
    if (source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__MOUNT && source->mount)
        root = source->mount->root;
    if (source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__PATH && source->path)
        root = source->path->root;
    if (root != NULL)
        buffer_format(out, ":%s", root);
}

static void describe_volume(const Mesos__V1__Volume *volume, struct buffer *out)
{
    if (volume->host_path != NULL)
        buffer_format(out, ":%s:%s:%s", volume->host_path, volume->container_path,
                      volume->mode == MESOS__V1__VOLUME__MODE__RO ? "ro" : "rw");
    else
        buffer_format(out, ":%s", volume->container_path);
}

static void describe_disk(const Mesos__V1__Resource__DiskInfo *disk, struct buffer *out)
{
    buffer_append_text(out, "[");
    if (disk->source != NULL)
        describe_source(disk->source, out);
    if (disk->persistence != NULL)
        buffer_format(out, "%s%s", disk->source ? "," : "", disk->persistence->id);
    if (disk->volume != NULL)
        describe_volume(disk->volume, out);
    buffer_append_text(out, "]");
}

static void describe(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, resource->name);
    if (resource_allocation_role(resource) != NULL)
        buffer_format(out, "(allocated: %s)", resource_allocation_role(resource));
    if (resource->n_reservations > 0) {
        buffer_append_text(out, "(reservations: [");
        for (size_t i = 0; i < resource->n_reservations; i++) {
            buffer_append_text(out, i ? "," : "");
            describe_reservation(resource->reservations[i], out);
        }
        buffer_append_text(out, "])");
    }
    if (resource->disk != NULL)
        describe_disk(resource->disk, out);
    buffer_append_text(out, resource->revocable ? REVOCABLE : "");
    buffer_append_text(out, resource->shared ? "<SHARED>" : "");
    buffer_append_text(out, ":");
    write_value(resource, out);
}

char *resource_describe(const Resource *resource)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    describe(resource, &out);
    return finish_text(&out);
}

// The copies of a shared resource are one, with their number.
static void describe_entry(const struct resources *list, size_t index, struct buffer *out)
{
    const Resource *resource = list->items[index];
    const struct resources before = {list->items, index};
    if (resource->shared != NULL && resources_copies(&before, resource) > 0)
        return;
    buffer_append_text(out, index ? "; " : "");
    describe(resource, out);
    if (resource->shared != NULL)
        buffer_format(out, "<%zu>", resources_copies(list, resource));
}

char *resources_describe(const struct resources *list)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (size_t i = 0; i < list->count; i++)
        describe_entry(list, i, &out);
    if (list->count == 0)
        buffer_append_text(&out, "{}");
    return finish_text(&out);
}
