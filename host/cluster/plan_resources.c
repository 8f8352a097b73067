// SPDX-License-Identifier: Apache-2.0
//
// The resources of a group of agents, in any of the forms that cluster_plan.h shows. A table is
// made the text that it stands for, so that all are read by the same rules.

#include "base/buffer.h"
#include "base/memory.h"
#include "cluster/agent_resources.h"
#include "cluster/plan_group.h"
#include "offers/role_name.h"
#include "wire/message_copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 20)

typedef Mesos__V1__Resource__DiskInfo__Source Source;

// Resources that are reserved, or revocable, in the same way.
struct resource_part {
    struct cluster_plan_group *group;
    const struct plan_field *resources; // NULL: not seen yet
    struct plan_field found;
    const char *role, *principal;
    const char *disk_type, *disk_root; // NULL: not given
    Mesos__V1__Labels labels;
    bool has_labels, revocable;
};

// ---- a table as a text ----

// A range is a number, or a pair of them.
static bool write_range(const struct plan_field *field, void *to, struct error *err)
{
    struct buffer *out = to;
    uint64_t ends[2];
    const json_t *json = field->json;
    struct plan_field first = *field, last = *field;
    if (json_is_array(json) && json_array_size(json) == 2) {
        first = (struct plan_field){.outer = field, .index = 0, .json = json_array_get(json, 0)};
        last = (struct plan_field){.outer = field, .index = 1, .json = json_array_get(json, 1)};
    }
    if (!plan_field_whole(&first, 0, INT64_MAX, &ends[0], err) ||
        !plan_field_whole(&last, 0, INT64_MAX, &ends[1], err))
        return false;
    buffer_format(out, "%s%" PRIu64 "-%" PRIu64, field->index > 0 ? "," : "", ends[0], ends[1]);
    return true;
}

static bool write_item(const struct plan_field *field, void *to, struct error *err)
{
    struct buffer *out = to;
    const char *text;
    if (!plan_field_text(field, &text, err))
        return false;
    if (strpbrk(text, ",;{}") != NULL)
        return plan_field_fault(field, err, "'%.100s': an item has no comma, semicolon or brace",
                                text);
    buffer_format(out, "%s%s", field->index > 0 ? "," : "", text);
    return true;
}

// A list of texts is a set, any other list is one of ranges.
static bool write_list(const struct plan_field *field, struct buffer *out, struct error *err)
{
    bool set = json_is_string(json_array_get(field->json, 0));
    buffer_append_text(out, set ? "{" : "[");
    if (!plan_field_items(field, set ? write_item : write_range, out, err))
        return false;
    buffer_append_text(out, set ? "}" : "]");
    return true;
}

static bool write_resource(const struct plan_field *field, void *to, struct error *err)
{
    struct buffer *out = to;
    double number;
    const char *text;
    if (strpbrk(field->key, ";:") != NULL)
        return plan_field_fault(field, err, "a name has no ';' and no ':'");
    buffer_format(out, "%s%s:", out->length > 0 ? ";" : "", field->key);
    if (json_is_array(field->json))
        return write_list(field, out, err);
    if (json_is_string(field->json)) {
        if (!plan_field_text(field, &text, err))
            return false;
        buffer_append_text(out, text);
        return strchr(text, ';') == NULL || plan_field_fault(field, err, "it has a ';' in it");
    }
    if (!plan_field_number(field, 0, &number, err))
        return false;
    buffer_format(out, "%.15g", number);
    return true;
}

static bool write_text(const struct plan_field *field, struct buffer *out, struct error *err)
{
    const char *text;
    if (!json_is_string(field->json))
        return plan_field_each(field, write_resource, out, err);
    if (!plan_field_text(field, &text, err))
        return false;
    buffer_append_text(out, text);
    return true;
}

// ---- a part ----

// A reservation with a principal or labels is one that an operator or a framework made.
static void reserve(const struct resource_part *part, Mesos__V1__Resource *resource)
{
    for (size_t i = 0; i < resource->n_reservations; i++) {
        Mesos__V1__Resource__ReservationInfo *reservation = resource->reservations[i];
        if (part->principal == NULL && !part->has_labels)
            continue;
        reservation->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
        reservation->principal = memory_string(part->principal);
        if (part->has_labels)
            reservation->labels = message_copy(&part->labels.base);
    }
    if (!part->revocable)
        return;
    resource->revocable = memory_new(sizeof *resource->revocable);
    mesos__v1__resource__revocable_info__init(resource->revocable);
}

// Where the part's disk is: a copy in each of its resources with that name.
static void set_disk(const struct resource_part *part, Mesos__V1__Resource *resource)
{
    Source *source = memory_new(sizeof *source);
    mesos__v1__resource__disk_info__source__init(source);
    if (strcmp(part->disk_type, "MOUNT") == 0) {
        source->type = MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__MOUNT;
        source->mount = memory_new(sizeof *source->mount);
        mesos__v1__resource__disk_info__source__mount__init(source->mount);
        source->mount->root = memory_string(part->disk_root);
    } else {
        source->type = MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__PATH;
        source->path = memory_new(sizeof *source->path);
        mesos__v1__resource__disk_info__source__path__init(source->path);
        source->path->root = memory_string(part->disk_root);
    }
    resource->disk = memory_new(sizeof *resource->disk);
    mesos__v1__resource__disk_info__init(resource->disk);
    resource->disk->source = source;
}

static bool check_disk(const struct resource_part *part, const struct resources *list,
                       struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, "disk") == 0)
            return true;
    return part->disk_type == NULL ||
           plan_field_fault(part->resources, err,
                            "'disk' says where its 'disk' is, and it has none");
}

static bool check_part(const struct resource_part *part, const struct resources *list,
                       struct error *err)
{
    if (!check_disk(part, list, err))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if ((part->principal != NULL || part->has_labels) && list->items[i]->n_reservations == 0)
            return plan_field_fault(part->resources, err,
                                    "'%.100s' is not reserved: 'principal' and 'labels' need a "
                                    "'role'",
                                    list->items[i]->name);
    return true;
}

static void note_named(struct cluster_plan_group *group, const char *text)
{
    char *all =
        memory_format("%s%s%s", group->named ? group->named : "", group->named ? ";" : "", text);
    free(group->named);
    group->named = all;
}

// Resources of one name have one type, in whatever parts they are.
static bool check_named(const struct plan_field *field, const struct cluster_plan_group *group,
                        struct error *err)
{
    struct resources all;
    struct error fault;
    if (!resources_parse(&all, group->named, NULL, &fault))
        return plan_field_fault(field, err, "%s", fault.text);
    resources_free(&all);
    return true;
}

static bool add_part(const struct resource_part *part, struct error *err)
{
    const struct plan_field *field = part->resources;
    struct resources list;
    struct error fault;
    struct buffer text;
    buffer_init(&text, TEXT_LIMIT);
    if (!write_text(field, &text, err)) {
        buffer_free(&text);
        return false;
    }
    bool good = agent_resources_parse(&list, buffer_string(&text), part->role, &fault) ||
                plan_field_fault(field, err, "%s", fault.text);
    note_named(part->group, buffer_string(&text));
    buffer_free(&text);
    if (!good || !check_named(field, part->group, err) || !check_part(part, &list, err)) {
        if (good)
            resources_free(&list);
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        reserve(part, list.items[i]);
        if (part->disk_type != NULL && strcmp(list.items[i]->name, "disk") == 0)
            set_disk(part, list.items[i]);
    }
    resources_add(&part->group->resources, &list);
    resources_free(&list);
    return true;
}

// ---- the keys of a part ----

static bool read_resources(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    (void)err;
    part->found = *field;
    part->resources = &part->found;
    return true;
}

static bool read_role(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    struct error fault;
    return plan_field_text(field, &part->role, err) &&
           (role_name_check(part->role, &fault) || plan_field_fault(field, err, "%s", fault.text));
}

static bool read_principal(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    return plan_field_text(field, &part->principal, err);
}

static bool read_label(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    const char *value;
    if (!plan_field_text(field, &value, err))
        return false;
    Mesos__V1__Label *label = memory_new(sizeof *label);
    mesos__v1__label__init(label);
    label->key = memory_string(field->key);
    label->value = memory_string(value);
    Mesos__V1__Labels *labels = &part->labels;
    labels->labels = memory_resize(labels->labels, (labels->n_labels + 1) * sizeof *labels->labels);
    labels->labels[labels->n_labels++] = label;
    return true;
}

static bool read_labels(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    part->has_labels = true;
    return plan_field_each(field, read_label, part, err);
}

static bool read_revocable(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    return plan_field_truth(field, &part->revocable, err);
}

static bool read_disk_type(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    if (!plan_field_text(field, &part->disk_type, err))
        return false;
    if (strcmp(part->disk_type, "RAW") == 0 || strcmp(part->disk_type, "BLOCK") == 0)
        return plan_field_fault(field, err,
                                "'%s' disks are those of resource providers, which local agents "
                                "do not have: use PATH or MOUNT",
                                part->disk_type);
    return strcmp(part->disk_type, "PATH") == 0 || strcmp(part->disk_type, "MOUNT") == 0 ||
           plan_field_fault(field, err, "'%.100s': PATH or MOUNT expected", part->disk_type);
}

static bool read_disk_root(const struct plan_field *field, void *to, struct error *err)
{
    struct resource_part *part = to;
    if (!plan_field_text(field, &part->disk_root, err))
        return false;
    return (*part->disk_root != '\0' && strstr(part->disk_root, "..") == NULL) ||
           plan_field_fault(field, err,
                            "'%.100s': the path of a folder expected, without '..'; a relative one "
                            "is below the folder of the agent",
                            part->disk_root);
}

static bool read_disk(const struct plan_field *field, void *to, struct error *err)
{
    static const struct plan_key keys[] = {
        {"type", read_disk_type, NULL}, {"root", read_disk_root, NULL}, {NULL, NULL, NULL}};
    const struct resource_part *part = to;
    return plan_field_object(field, keys, to, err) &&
           ((part->disk_type != NULL && part->disk_root != NULL) ||
            plan_field_fault(field, err, "a disk has a type and a root"));
}

static bool read_part(const struct plan_field *field, void *to, struct error *err)
{
    static const struct plan_key keys[] = {{"resources", read_resources, NULL},
                                           {"role", read_role, NULL},
                                           {"principal", read_principal, NULL},
                                           {"labels", read_labels, NULL},
                                           {"revocable", read_revocable, NULL},
                                           {"disk", read_disk, NULL},
                                           {NULL, NULL, NULL}};
    struct resource_part part = {.group = to, .labels = MESOS__V1__LABELS__INIT};
    bool plain = !json_is_object(field->json) || json_object_get(field->json, "resources") == NULL;
    if (plain)
        part.resources = field;
    bool good = (plain || plan_field_object(field, keys, &part, err)) && add_part(&part, err);
    for (size_t i = 0; i < part.labels.n_labels; i++)
        mesos__v1__label__free_unpacked(part.labels.labels[i], NULL);
    free(part.labels.labels);
    return good;
}

bool plan_resources_read(const struct plan_field *field, struct cluster_plan_group *group,
                         struct error *err)
{
    return json_is_array(field->json) ? plan_field_items(field, read_part, group, err)
                                      : read_part(field, group, err);
}
