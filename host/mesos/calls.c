// SPDX-License-Identifier: Apache-2.0
//
// Calls on their way: see calls.h.

#include "mesos/calls.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdio.h>
#include <string.h>

// ---- one call ----

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

// ---- answers ----

// When a connection breaks, many calls are left unanswered: they are counted here, and logged at
// the end of the turn.
static void note_unanswered(struct calls *calls, enum call_type type,
                            const struct http_reply *reply)
{
    calls->counters.unanswered[type]++;
    (reply->unsent.data != NULL ? calls->unsent : calls->unanswered)[type]++;
    log_debug("%s was not answered: %.*s", calls_name(type), SLICE_ARGS(reply->body));
}

static void note_refused(struct calls *calls, enum call_type type, const struct http_reply *reply)
{
    calls->counters.refused[type]++;
    if (reply->advice != NULL)
        log_warning("the master refused %s: %s", calls_name(type), reply->advice);
    else
        log_warning("the master refused %s (HTTP status %d): %.*s", calls_name(type), reply->status,
                    SLICE_ARGS(reply->body));
}

static void on_reply(void *data, const struct http_reply *reply)
{
    struct calls_slot *slot = data;
    struct calls *calls = slot->calls;
    calls->in_flight--;
    if (reply->status == 0)
        note_unanswered(calls, slot->type, reply);
    else if (reply->status != 200 && reply->status != 202)
        note_refused(calls, slot->type, reply);
    calls->events->answered(calls->data, slot->type, reply);
}

// "3 ACCEPT, 1 KILL"
static size_t list_counts(const size_t *counts, char *text, size_t size)
{
    size_t all = 0, length = 0;
    *text = '\0';
    for (int type = 0; type < CALL_TYPES; type++) {
        if (counts[type] > 0 && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%zu %s", all ? ", " : "",
                                       counts[type], calls_name((enum call_type)type));
        all += counts[type];
    }
    return all;
}

static bool counts_any(const size_t *counts, enum call_type a, enum call_type b)
{
    return counts[a] > 0 || counts[b] > 0;
}

// Reconciliation tells the state of tasks after lost launches and kills, and agents repeat updates
// that are not acknowledged.
void calls_log_unanswered(struct calls *calls)
{
    char list[512];
    size_t count = list_counts(calls->unanswered, list, sizeof list);
    bool unknown = counts_any(calls->unanswered, CALL_ACCEPT, CALL_KILL);
    bool repeated =
        counts_any(calls->unanswered, CALL_ACKNOWLEDGE, CALL_ACKNOWLEDGE_OPERATION_STATUS);
    if (count > 0)
        log_warning("%zu call%s had no answer, and may not have reached the master: %s%s%s", count,
                    count == 1 ? "" : "s", list,
                    unknown ? "; reconciliation tells what became of the tasks" : "",
                    repeated ? "; the agents repeat the updates" : "");
    count = list_counts(calls->unsent, list, sizeof list);
    if (count > 0)
        log_warning("%zu call%s did not reach the master: %s%s", count, count == 1 ? "" : "s", list,
                    calls->unsent[CALL_ACCEPT] ? "; the tasks of launches are reported as lost"
                                               : "");
    memset(calls->unanswered, 0, sizeof calls->unanswered);
    memset(calls->unsent, 0, sizeof calls->unsent);
}

// ---- sending ----

static bool send_now(struct calls *calls, enum call_type type, struct slice message)
{
    if (!calls_build(&calls->call, type, framework_id(calls->framework), message)) {
        log_error("%s is too large to be sent (%zu bytes)", calls_name(type), message.length);
        calls->counters.dropped[type]++;
        return false;
    }
    calls->counters.sent[type]++;
    calls->in_flight++;
    transport_send(calls->transport, buffer_slice(&calls->call), on_reply, &calls->slots[type]);
    buffer_shrink(&calls->call);
    return true;
}

bool calls_send(struct calls *calls, enum call_type type, struct slice message)
{
    calls_flush(calls);
    return send_now(calls, type, message);
}

void calls_drop(struct calls *calls, enum call_type type)
{
    bool repeated = type == CALL_ACKNOWLEDGE || type == CALL_ACKNOWLEDGE_OPERATION_STATUS;
    calls->counters.dropped[type]++;
    log_write(repeated ? LOG_DEBUG : LOG_WARNING, "%s dropped: not connected to a master",
              calls_name(type));
}

void calls_decline(struct calls *calls, struct slice offer_id, struct slice filters)
{
    struct buffer *waiting = &calls->decline_filters;
    if (!slice_equal(buffer_slice(waiting), filters))
        calls_flush(calls);
    buffer_clear(waiting);
    buffer_append_slice(waiting, filters);
    wire_put_id(&calls->declines, FIELD_SCHEDULER_CALL_DECLINE_OFFER_IDS, offer_id);
}

void calls_flush(struct calls *calls)
{
    if (calls->declines.length == 0)
        return;
    buffer_append_slice(&calls->declines, buffer_slice(&calls->decline_filters));
    send_now(calls, CALL_DECLINE, buffer_slice(&calls->declines));
    buffer_shrink(&calls->declines);
    buffer_clear(&calls->decline_filters);
}

void calls_forget(struct calls *calls)
{
    buffer_clear(&calls->declines);
    buffer_clear(&calls->decline_filters);
}

// ---- life ----

void calls_init(struct calls *calls, struct transport *transport, const struct framework *framework,
                const struct calls_events *events, void *data)
{
    *calls = (struct calls){
        .transport = transport, .framework = framework, .events = events, .data = data};
    buffer_init(&calls->call, CALL_BYTES_MOST);
    buffer_init(&calls->declines, CALL_BYTES_MOST);
    buffer_init(&calls->decline_filters, CALL_BYTES_MOST);
    for (int i = 0; i < CALL_TYPES; i++)
        calls->slots[i] = (struct calls_slot){.calls = calls, .type = (enum call_type)i};
}

void calls_free(struct calls *calls)
{
    buffer_free(&calls->call);
    buffer_free(&calls->declines);
    buffer_free(&calls->decline_filters);
}
