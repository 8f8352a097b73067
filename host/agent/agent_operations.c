// SPDX-License-Identifier: Apache-2.0
//
// Operations of an agent: see agent_operations.h. The list has the operations that are not
// acknowledged, in their order; the first report of each is made from the loop.

#include "agent/agent_operations.h"

#include "agent/task_volumes.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "offers/resources.h"
#include "wire/message_copy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RETRY_FIRST (10 * LOOP_SECOND)
#define RETRY_LONGEST (600 * LOOP_SECOND)

#define TYPE(NAME) MESOS__V1__OFFER__OPERATION__TYPE__##NAME

struct reported_operation {
    struct agent_operations *owner;
    TAILQ_ENTRY(reported_operation) link;
    char *framework_id, *id;
    uint8_t uuid[UUID_LENGTH]; // of the report
    struct timer retry;
    uint64_t retry_after; // 0: it was not reported yet
};

struct agent_operations {
    struct loop *loop;
    char *agent_id, *work_dir;
    struct runner *runner;
    agent_operations_update update;
    void *data;
    struct deferral report;
    TAILQ_HEAD(, reported_operation) operations;
};

// ---- reports ----

static void send_report(struct reported_operation *operation)
{
    struct agent_operations *owner = operation->owner;
    Mesos__V1__OperationStatus status = MESOS__V1__OPERATION_STATUS__INIT;
    Mesos__V1__OperationID id = MESOS__V1__OPERATION_ID__INIT;
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    Mesos__V1__UUID uuid = MESOS__V1__UUID__INIT;
    id.value = operation->id;
    agent_id.value = owner->agent_id;
    uuid.value = (ProtobufCBinaryData){.data = operation->uuid, .len = UUID_LENGTH};
    status.operation_id = &id;
    status.agent_id = &agent_id;
    status.uuid = &uuid;
    status.state = MESOS__V1__OPERATION_STATE__OPERATION_FINISHED;
    timer_start(&operation->retry, operation->retry_after);
    owner->update(owner->data, operation->framework_id, &status);
}

static void on_retry(void *data)
{
    struct reported_operation *operation = data;
    operation->retry_after *= 2;
    if (operation->retry_after > RETRY_LONGEST)
        operation->retry_after = RETRY_LONGEST;
    log_debug("operation %s: its update was not acknowledged, sending it again", operation->id);
    send_report(operation);
}

static void on_report(void *data)
{
    struct agent_operations *operations = data;
    struct reported_operation *operation;
    TAILQ_FOREACH(operation, &operations->operations, link)
    {
        if (operation->retry_after > 0)
            continue;
        operation->retry_after = RETRY_FIRST;
        send_report(operation);
    }
}

static void queue_report(struct agent_operations *operations, const char *framework_id,
                         const char *id)
{
    struct reported_operation *operation = memory_new(sizeof *operation);
    operation->owner = operations;
    operation->framework_id = memory_string(framework_id);
    operation->id = memory_string(id);
    uuid_random(operation->uuid);
    timer_init(&operation->retry, operations->loop, on_retry, operation);
    TAILQ_INSERT_TAIL(&operations->operations, operation, link);
    deferral_queue(&operations->report);
}

static void forget(struct reported_operation *operation)
{
    timer_stop(&operation->retry);
    TAILQ_REMOVE(&operation->owner->operations, operation, link);
    free(operation->framework_id);
    free(operation->id);
    free(operation);
}

// ---- volumes ----

// One that cannot be made is made when a task wants it, or the task fails with the reason.
static void make_volume(struct agent_operations *operations, const Mesos__V1__Resource *volume)
{
    struct error err = {0};
    char *path = task_volumes_path(operations->work_dir, operations->agent_id, volume);
    if (!operations->runner->ops->make_volume(operations->runner, path, &err))
        log_warning("cannot make the persistent volume '%s': %s", volume->disk->persistence->id,
                    err.text);
    free(path);
}

static void remove_volume(struct agent_operations *operations, const Mesos__V1__Resource *volume)
{
    char *path = task_volumes_path(operations->work_dir, operations->agent_id, volume);
    operations->runner->ops->remove_volume(operations->runner, path,
                                           task_volumes_is_device(volume));
    free(path);
}

void agent_operations_apply(struct agent_operations *operations, const char *framework_id,
                            const Mesos__V1__Offer__Operation *operation)
{
    if (operation->type == TYPE(CREATE))
        for (size_t i = 0; i < operation->create->n_volumes; i++)
            make_volume(operations, operation->create->volumes[i]);
    if (operation->type == TYPE(DESTROY))
        for (size_t i = 0; i < operation->destroy->n_volumes; i++)
            remove_volume(operations, operation->destroy->volumes[i]);
    if (framework_id != NULL && operation->id != NULL)
        queue_report(operations, framework_id, operation->id->value);
}

// ---- acknowledgements ----

bool agent_operations_acknowledge(struct agent_operations *operations, const char *framework_id,
                                  const char *operation_id, const ProtobufCBinaryData *uuid)
{
    struct reported_operation *operation;
    TAILQ_FOREACH(operation, &operations->operations, link)
    if (operation->retry_after > 0 && uuid->len == UUID_LENGTH &&
        memcmp(operation->uuid, uuid->data, UUID_LENGTH) == 0)
        break;
    if (operation == NULL || strcmp(operation->framework_id, framework_id) != 0 ||
        strcmp(operation->id, operation_id) != 0)
        return false;
    forget(operation);
    return true;
}

void agent_operations_remove_framework(struct agent_operations *operations,
                                       const char *framework_id)
{
    for (struct reported_operation *operation = TAILQ_FIRST(&operations->operations), *next;
         operation != NULL; operation = next) {
        next = TAILQ_NEXT(operation, link);
        if (strcmp(operation->framework_id, framework_id) == 0)
            forget(operation);
    }
}

// ---- life ----

struct agent_operations *agent_operations_create(struct loop *loop,
                                                 const struct agent_operations_options *options,
                                                 agent_operations_update update, void *data)
{
    struct agent_operations *operations = memory_new(sizeof *operations);
    operations->loop = loop;
    operations->agent_id = memory_string(options->agent_id);
    operations->work_dir = memory_string(options->work_dir);
    operations->runner = options->runner;
    operations->update = update;
    operations->data = data;
    deferral_init(&operations->report, loop, on_report, operations);
    TAILQ_INIT(&operations->operations);
    return operations;
}

void agent_operations_destroy(struct agent_operations *operations)
{
    if (operations == NULL)
        return;
    while (!TAILQ_EMPTY(&operations->operations))
        forget(TAILQ_FIRST(&operations->operations));
    deferral_cancel(&operations->report);
    free(operations->agent_id);
    free(operations->work_dir);
    free(operations);
}
