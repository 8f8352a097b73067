// SPDX-License-Identifier: Apache-2.0
//
// Operations of a threaded driver: see operation.h.

#include "api/operation.h"

#include "base/memory.h"
#include "mesos/framework_defaults.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

struct driver_operation *operation_create(operation_act act)
{
    struct driver_operation *operation = memory_new(sizeof *operation);
    operation->act = act;
    buffer_init(&operation->message, OPERATION_BYTES_MOST);
    return operation;
}

void operation_destroy(struct driver_operation *operation)
{
    if (operation == NULL)
        return;
    buffer_free(&operation->message);
    free(operation);
}

// ---- on the loop's thread ----

void operation_call(struct driver *driver, const struct driver_operation *operation)
{
    driver_call(driver, operation->type, buffer_slice(&operation->message));
}

void operation_accept(struct driver *driver, const struct driver_operation *operation)
{
    driver_accept(driver, buffer_slice(&operation->message));
}

void operation_decline(struct driver *driver, const struct driver_operation *operation)
{
    struct slice message = buffer_slice(&operation->message), rest = message, id;
    struct slice filters = wire_find(message, FIELD_SCHEDULER_CALL_DECLINE_FILTERS);
    while (wire_next_bytes(&rest, FIELD_SCHEDULER_CALL_DECLINE_OFFER_IDS, &id))
        driver_decline(driver, wire_text(id), filters);
}

void operation_acknowledge(struct driver *driver, const struct driver_operation *operation)
{
    struct slice status = buffer_slice(&operation->message);
    if (operation->type == CALL_ACKNOWLEDGE)
        driver_acknowledge(driver, status);
    else
        driver_acknowledge_operation(driver, status);
}

// The roles stand behind each other in the message, each with its zero byte.
void operation_roles(struct driver *driver, const struct driver_operation *operation)
{
    const struct buffer *texts = &operation->message;
    const char **roles = memory_new((texts->length + 1) * sizeof *roles);
    size_t count = 0;
    for (size_t at = 0; at < texts->length; at += strlen((const char *)texts->data + at) + 1)
        roles[count++] = (const char *)texts->data + at;
    const char *const *list = operation->all ? NULL : roles;
    if (operation->type == CALL_REVIVE)
        driver_revive(driver, list);
    else
        driver_suppress(driver, list);
    free(roles);
}

void operation_update_framework(struct driver *driver, const struct driver_operation *operation)
{
    struct buffer update;
    buffer_init(&update, OPERATION_BYTES_MOST);
    buffer_append_slice(&update, buffer_slice(&operation->message));
    if (framework_defaults_keep(driver_framework(driver), &update))
        driver_update_framework(driver, buffer_slice(&update));
    buffer_free(&update);
}

void operation_reconnect(struct driver *driver, const struct driver_operation *operation)
{
    (void)operation;
    driver_reconnect(driver);
}

void operation_reregister(struct driver *driver, const struct driver_operation *operation)
{
    (void)operation;
    driver_reregister(driver);
}
