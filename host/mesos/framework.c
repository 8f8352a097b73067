// SPDX-License-Identifier: Apache-2.0
//
// What the driver subscribes as: see framework.h.

#include "mesos/framework.h"

#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define WIRE_MOST (64u << 20)

// Subscribe and UpdateFramework are one message with two names.
_Static_assert(FIELD_SCHEDULER_CALL_SUBSCRIBE_FRAMEWORK_INFO ==
                       FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_FRAMEWORK_INFO &&
                   FIELD_SCHEDULER_CALL_SUBSCRIBE_SUPPRESSED_ROLES ==
                       FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_SUPPRESSED_ROLES &&
                   FIELD_SCHEDULER_CALL_SUBSCRIBE_OFFER_CONSTRAINTS ==
                       FIELD_SCHEDULER_CALL_UPDATE_FRAMEWORK_OFFER_CONSTRAINTS,
               "framework_write() is for both");

static void pack(struct framework *framework)
{
    struct buffer *wire = &framework->wire;
    size_t size = mesos__v1__framework_info__get_packed_size(framework->info);
    buffer_clear(wire);
    uint8_t *end = buffer_reserve(wire, size);
    if (end != NULL)
        wire->length = mesos__v1__framework_info__pack(framework->info, end);
}

// An empty id would make a new framework at every SUBSCRIBE: it is none.
static void drop_empty_id(Mesos__V1__FrameworkInfo *info)
{
    if (info->id == NULL || info->id->value[0] != 0)
        return;
    mesos__v1__framework_id__free_unpacked(info->id, NULL);
    info->id = NULL;
}

bool framework_init(struct framework *framework, struct slice info, struct slice constraints,
                    const char *const *suppressed)
{
    *framework = (struct framework){0};
    framework->info = mesos__v1__framework_info__unpack(NULL, info.length, info.data);
    if (framework->info == NULL)
        return false;
    drop_empty_id(framework->info);
    buffer_init(&framework->wire, WIRE_MOST);
    pack(framework);
    if (framework->wire.length == 0) {
        framework_free(framework);
        return false;
    }
    if (constraints.data != NULL)
        framework->constraints = bytes_copy(constraints.data, constraints.length);
    for (size_t i = 0; suppressed != NULL && suppressed[i] != NULL; i++)
        roles_add(&framework->suppressed, suppressed[i]);
    return true;
}

static struct slice constraints_of(const struct framework *framework)
{
    return framework->constraints ? slice_of(framework->constraints) : (struct slice){.data = NULL};
}

void framework_copy(struct framework *copy, const struct framework *framework)
{
    bool good =
        framework_init(copy, buffer_slice(&framework->wire), constraints_of(framework), NULL);
    if (!good)
        abort(); // what was packed can be unpacked
    for (size_t i = 0; i < framework->suppressed.count; i++)
        roles_add(&copy->suppressed, framework->suppressed.names[i]);
}

static bool same_roles(const struct roles *a, const struct roles *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->names[i], b->names[i]) == 0;
    return same;
}

bool framework_same(const struct framework *a, const struct framework *b)
{
    return slice_equal(buffer_slice(&a->wire), buffer_slice(&b->wire)) &&
           (a->constraints == NULL) == (b->constraints == NULL) &&
           slice_equal(constraints_of(a), constraints_of(b)) &&
           same_roles(&a->suppressed, &b->suppressed);
}

void framework_free(struct framework *framework)
{
    mesos__v1__framework_info__free_unpacked(framework->info, NULL);
    buffer_free(&framework->wire);
    bytes_unref(framework->constraints);
    roles_clear(&framework->suppressed);
}

struct slice framework_id(const struct framework *framework)
{
    const Mesos__V1__FrameworkID *id = framework->info->id;
    return slice_text(id ? id->value : NULL);
}

void framework_set_id(struct framework *framework, struct slice id)
{
    if (slice_equal(framework_id(framework), id))
        return;
    mesos__v1__framework_id__free_unpacked(framework->info->id, NULL);
    framework->info->id = NULL;
    if (id.length > 0) {
        framework->info->id = memory_new(sizeof *framework->info->id);
        mesos__v1__framework_id__init(framework->info->id);
        framework->info->id->value = memory_text((const char *)id.data, id.length);
    }
    pack(framework);
}

void framework_set_principal(struct framework *framework, const char *principal)
{
    if (principal == NULL || framework->info->principal != NULL)
        return;
    framework->info->principal = memory_string(principal);
    pack(framework);
}

bool framework_has_capability(const struct framework *framework,
                              Mesos__V1__FrameworkInfo__Capability__Type type)
{
    for (size_t i = 0; i < framework->info->n_capabilities; i++)
        if (framework->info->capabilities[i]->type == type)
            return true;
    return false;
}

static bool is_listed(const char *role, const char *const *list)
{
    while (*list != NULL && strcmp(*list, role) != 0)
        list++;
    return *list != NULL;
}

// Only a role of the framework: the master ignores a SUPPRESS of any other, and refuses for good
// the SUBSCRIBE that names it.
void framework_suppress(struct framework *framework, const char *const *roles)
{
    const Mesos__V1__FrameworkInfo *info = framework->info;
    bool multi_role = framework_has_capability(
        framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);
    if (!multi_role && (roles == NULL || is_listed(info->role, roles)))
        roles_add(&framework->suppressed, info->role);
    for (size_t i = 0; i < info->n_roles; i++)
        if (roles == NULL || is_listed(info->roles[i], roles))
            roles_add(&framework->suppressed, info->roles[i]);
}

void framework_revive(struct framework *framework, const char *const *roles)
{
    if (roles == NULL)
        roles_clear(&framework->suppressed);
    for (size_t i = 0; roles != NULL && roles[i] != NULL; i++)
        roles_remove(&framework->suppressed, roles[i]);
}

void framework_write(const struct framework *framework, struct buffer *message)
{
    buffer_clear(message);
    wire_put_bytes(message, FIELD_SCHEDULER_CALL_SUBSCRIBE_FRAMEWORK_INFO,
                   buffer_slice(&framework->wire));
    for (size_t i = 0; i < framework->suppressed.count; i++)
        wire_put_bytes(message, FIELD_SCHEDULER_CALL_SUBSCRIBE_SUPPRESSED_ROLES,
                       slice_text(framework->suppressed.names[i]));
    if (framework->constraints != NULL)
        wire_put_bytes(message, FIELD_SCHEDULER_CALL_SUBSCRIBE_OFFER_CONSTRAINTS,
                       slice_of(framework->constraints));
}
