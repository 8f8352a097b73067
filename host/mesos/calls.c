// SPDX-License-Identifier: Apache-2.0
//
// Putting calls together: see calls.h.

#include "mesos/calls.h"

#include "wire/wire.h"

enum { FIELD_FRAMEWORK_ID = 1, FIELD_TYPE = 2 };

// The name of each type, and the field of Call that holds its message (0: it has none).
static const struct {
    const char *name;
    uint32_t field;
} rows[CALL_TYPES] = {
    [CALL_SUBSCRIBE] = {"SUBSCRIBE", 3},
    [CALL_TEARDOWN] = {"TEARDOWN", 0},
    [CALL_ACCEPT] = {"ACCEPT", 4},
    [CALL_DECLINE] = {"DECLINE", 5},
    [CALL_REVIVE] = {"REVIVE", 15},
    [CALL_KILL] = {"KILL", 6},
    [CALL_SHUTDOWN] = {"SHUTDOWN", 7},
    [CALL_ACKNOWLEDGE] = {"ACKNOWLEDGE", 8},
    [CALL_RECONCILE] = {"RECONCILE", 9},
    [CALL_MESSAGE] = {"MESSAGE", 10},
    [CALL_REQUEST] = {"REQUEST", 11},
    [CALL_SUPPRESS] = {"SUPPRESS", 16},
    [CALL_ACCEPT_INVERSE_OFFERS] = {"ACCEPT_INVERSE_OFFERS", 13},
    [CALL_DECLINE_INVERSE_OFFERS] = {"DECLINE_INVERSE_OFFERS", 14},
    [CALL_ACKNOWLEDGE_OPERATION_STATUS] = {"ACKNOWLEDGE_OPERATION_STATUS", 17},
    [CALL_RECONCILE_OPERATIONS] = {"RECONCILE_OPERATIONS", 18},
    [CALL_UPDATE_FRAMEWORK] = {"UPDATE_FRAMEWORK", 19},
};

const char *call_name(enum call_type type)
{
    return rows[type].name;
}

static bool put_framework_id(struct buffer *call, struct slice framework_id)
{
    if (framework_id.length == 0)
        return true;
    return wire_put_id(call, FIELD_FRAMEWORK_ID, framework_id);
}

bool call_build(struct buffer *call, enum call_type type, struct slice framework_id,
                struct slice message)
{
    buffer_clear(call);
    if (!put_framework_id(call, framework_id))
        return false;
    if (!wire_put_varint(call, FIELD_TYPE, type))
        return false;
    if (message.data == NULL || rows[type].field == 0)
        return true;
    return wire_put_bytes(call, rows[type].field, message);
}
