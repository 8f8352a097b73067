// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with an operation on resources: see operation_validation.h. Agents of the local
// cluster have all capabilities that a master asks for.

#include "master/operation_validation.h"

#include "base/memory.h"
#include "master/master_internal.h"
#include "master/operation_rules.h"
#include "offers/resource_conversions.h"

typedef Mesos__V1__Offer__Operation Operation;
typedef struct operation_attempt Attempt;

#define TYPE(NAME) MESOS__V1__OFFER__OPERATION__TYPE__##NAME

char *operation_validation_agent(const struct node *node)
{
    const struct master *master = node->master;
    return memory_format("%s at slave(1)@%s:%u (%s)", node->id, master->ip, master->port,
                         master->hostname);
}

// ---- the form of an operation ----

// The field of a type, which a message of that type has to set.
static const struct field {
    const char *article, *name, *field, *end;
} fields[] = {
    [TYPE(RESERVE)] = {"A", "RESERVE offer", "reserve", "."},
    [TYPE(UNRESERVE)] = {"An", "UNRESERVE offer", "unreserve", "."},
    [TYPE(CREATE)] = {"A", "CREATE offer", "create", "."},
    [TYPE(DESTROY)] = {"A", "DESTROY offer", "destroy", "."},
    [TYPE(GROW_VOLUME)] = {"A", "GROW_VOLUME", "grow_volume", ""},
    [TYPE(SHRINK_VOLUME)] = {"A", "SHRINK_VOLUME offer", "shrink_volume", ""},
    [TYPE(CREATE_DISK)] = {"A", "CREATE_DISK offer", "create_disk", "."},
    [TYPE(DESTROY_DISK)] = {"A", "DESTROY_DISK offer", "destroy_disk", "."},
};

bool operation_validation_known(const Operation *operation)
{
    size_t type = (size_t)operation->type;
    return operation->has_type && type < sizeof fields / sizeof fields[0] &&
           fields[type].name != NULL;
}

char *operation_validation_form(const Operation *operation)
{
    struct resources lists[RESOURCE_LISTS];
    size_t count = resource_conversions_lists(operation, lists);
    const struct field *field = &fields[operation->type];
    if (count == 0)
        return memory_format("%s %s operation must have the Offer.Operation.%s field set%s",
                             field->article, field->name, field->field, field->end);
    struct error err = {0};
    for (size_t i = 0; i < count; i++)
        if (lists[i].count > RESOURCE_LIST_MOST)
            return memory_format("The local cluster takes at most %d resources in a list",
                                 RESOURCE_LIST_MOST);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lists[i].count; j++)
            if (!resource_check(lists[i].items[j], &err))
                return memory_string(err.text);
    return NULL;
}

char *operation_validation_fault(const Attempt *attempt)
{
    static char *(*const checks[])(const Attempt *) = {
        [TYPE(RESERVE)] = reservation_validation_reserve,
        [TYPE(UNRESERVE)] = reservation_validation_unreserve,
        [TYPE(CREATE)] = volume_validation_create,
        [TYPE(DESTROY)] = volume_validation_destroy,
        [TYPE(GROW_VOLUME)] = volume_validation_grow,
        [TYPE(SHRINK_VOLUME)] = volume_validation_shrink,
        [TYPE(CREATE_DISK)] = volume_validation_create_disk,
        [TYPE(DESTROY_DISK)] = volume_validation_destroy_disk,
    };
    return checks[attempt->operation->type](attempt);
}
