// SPDX-License-Identifier: Apache-2.0
//
// Operations that their frameworks have not acknowledged; see master_records.h.

#include "master/master_records.h"

#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>

struct master_operation *operation_records_add(struct master_framework *framework,
                                               struct node *node,
                                               const Mesos__V1__Offer__Operation *info)
{
    struct master_operation *operation = memory_new(sizeof *operation);
    struct master_operation *former = operation_records_find(framework, info->id->value);
    operation->framework = framework;
    operation->node = node;
    operation->id = memory_string(info->id->value);
    operation->info = message_copy(&info->base);
    operation->state = MESOS__V1__OPERATION_STATE__OPERATION_PENDING;
    if (former != NULL)
        string_map_remove(&framework->operation_table, &former->entry);
    string_map_put(&framework->operation_table, &operation->entry, operation->id, operation);
    TAILQ_INSERT_TAIL(&framework->operations, operation, link);
    framework->operation_count++;
    return operation;
}

struct master_operation *operation_records_find(const struct master_framework *framework,
                                                const char *id)
{
    return string_map_find(&framework->operation_table, id);
}

void operation_records_remove(struct master_operation *operation)
{
    struct master_framework *framework = operation->framework;
    node_drain_note(&operation->node->drain);
    if (operation_records_find(framework, operation->id) == operation)
        string_map_remove(&framework->operation_table, &operation->entry);
    TAILQ_REMOVE(&framework->operations, operation, link);
    framework->operation_count--;
    protobuf_c_message_free_unpacked(&operation->info->base, NULL);
    if (operation->status != NULL)
        mesos__v1__operation_status__free_unpacked(operation->status, NULL);
    free(operation->id);
    free(operation);
}
