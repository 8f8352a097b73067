// SPDX-License-Identifier: Apache-2.0
//
// Putting calls together: see calls.h.

#include "mesos/calls.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#define ROW(name) [CALL_##name] = {#name, FIELD_SCHEDULER_CALL_##name}

// The name of each type, and the field of Call that holds its message (0: it has none).
static const struct {
    const char *name;
    uint32_t field;
} rows[CALL_TYPES] = {
    ROW(SUBSCRIBE),
    [CALL_TEARDOWN] = {"TEARDOWN", 0},
    ROW(ACCEPT),
    ROW(DECLINE),
    ROW(REVIVE),
    ROW(KILL),
    ROW(SHUTDOWN),
    ROW(ACKNOWLEDGE),
    ROW(RECONCILE),
    ROW(MESSAGE),
    ROW(REQUEST),
    ROW(SUPPRESS),
    ROW(ACCEPT_INVERSE_OFFERS),
    ROW(DECLINE_INVERSE_OFFERS),
    ROW(ACKNOWLEDGE_OPERATION_STATUS),
    ROW(RECONCILE_OPERATIONS),
    ROW(UPDATE_FRAMEWORK),
};

const char *calls_name(enum call_type type)
{
    return rows[type].name;
}

static bool put_framework_id(struct buffer *call, struct slice framework_id)
{
    if (framework_id.length == 0)
        return true;
    return wire_put_id(call, FIELD_SCHEDULER_CALL_FRAMEWORK_ID, framework_id);
}

bool calls_build(struct buffer *call, enum call_type type, struct slice framework_id,
                 struct slice message)
{
    buffer_clear(call);
    if (!put_framework_id(call, framework_id))
        return false;
    if (!wire_put_varint(call, FIELD_SCHEDULER_CALL_TYPE, type))
        return false;
    if (message.data == NULL || rows[type].field == 0)
        return true;
    return wire_put_bytes(call, rows[type].field, message);
}
