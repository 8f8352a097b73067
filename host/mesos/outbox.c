// SPDX-License-Identifier: Apache-2.0
//
// Calls on their way: see outbox.h.

#include "mesos/outbox.h"

#include "base/log.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdio.h>
#include <string.h>

// ---- answers ----

// When a connection breaks, many calls are left unanswered: they are counted here, and logged at
// the end of the turn.
static void note_unanswered(struct outbox *outbox, enum call_type type,
                            const struct http_reply *reply)
{
    outbox->counters.unanswered[type]++;
    (reply->unsent.data != NULL ? outbox->unsent : outbox->unanswered)[type]++;
    log_debug("%s was not answered: %.*s", calls_name(type), SLICE_ARGS(reply->body));
}

static void note_refused(struct outbox *outbox, enum call_type type, const struct http_reply *reply)
{
    outbox->counters.refused[type]++;
    if (reply->advice != NULL)
        log_warning("the master refused %s: %s", calls_name(type), reply->advice);
    else
        log_warning("the master refused %s (HTTP status %d): %.*s", calls_name(type), reply->status,
                    SLICE_ARGS(reply->body));
}

static void on_reply(void *data, const struct http_reply *reply)
{
    struct outbox_slot *slot = data;
    struct outbox *outbox = slot->outbox;
    outbox->in_flight--;
    if (reply->status == 0)
        note_unanswered(outbox, slot->type, reply);
    else if (reply->status != 200 && reply->status != 202)
        note_refused(outbox, slot->type, reply);
    outbox->events->answered(outbox->data, slot->type, reply);
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
void outbox_log_unanswered(struct outbox *outbox)
{
    char list[512];
    size_t count = list_counts(outbox->unanswered, list, sizeof list);
    bool unknown = counts_any(outbox->unanswered, CALL_ACCEPT, CALL_KILL);
    bool repeated =
        counts_any(outbox->unanswered, CALL_ACKNOWLEDGE, CALL_ACKNOWLEDGE_OPERATION_STATUS);
    if (count > 0)
        log_warning("%zu call%s had no answer, and may not have reached the master: %s%s%s", count,
                    count == 1 ? "" : "s", list,
                    unknown ? "; reconciliation tells what became of the tasks" : "",
                    repeated ? "; the agents repeat the updates" : "");
    count = list_counts(outbox->unsent, list, sizeof list);
    if (count > 0)
        log_warning("%zu call%s did not reach the master: %s%s", count, count == 1 ? "" : "s", list,
                    outbox->unsent[CALL_ACCEPT] ? "; the tasks of launches are reported as lost"
                                                : "");
    memset(outbox->unanswered, 0, sizeof outbox->unanswered);
    memset(outbox->unsent, 0, sizeof outbox->unsent);
}

// ---- sending ----

static bool send_now(struct outbox *outbox, enum call_type type, struct slice message)
{
    if (!calls_build(&outbox->call, type, framework_id(outbox->framework), message)) {
        log_error("%s is too large to be sent (%zu bytes)", calls_name(type), message.length);
        outbox->counters.dropped[type]++;
        return false;
    }
    outbox->counters.calls[type]++;
    outbox->in_flight++;
    transport_send(outbox->transport, buffer_slice(&outbox->call), on_reply, &outbox->slots[type]);
    buffer_shrink(&outbox->call);
    return true;
}

bool outbox_send(struct outbox *outbox, enum call_type type, struct slice message)
{
    outbox_flush(outbox);
    return send_now(outbox, type, message);
}

void outbox_drop(struct outbox *outbox, enum call_type type)
{
    bool repeated = type == CALL_ACKNOWLEDGE || type == CALL_ACKNOWLEDGE_OPERATION_STATUS;
    outbox->counters.dropped[type]++;
    log_write(repeated ? LOG_DEBUG : LOG_WARNING, "%s dropped: not connected to a master",
              calls_name(type));
}

void outbox_decline(struct outbox *outbox, struct slice offer_id, struct slice filters)
{
    struct buffer *waiting = &outbox->decline_filters;
    if (!slice_equal(buffer_slice(waiting), filters))
        outbox_flush(outbox);
    buffer_clear(waiting);
    buffer_append_slice(waiting, filters);
    wire_put_id(&outbox->declines, FIELD_SCHEDULER_CALL_DECLINE_OFFER_IDS, offer_id);
}

void outbox_flush(struct outbox *outbox)
{
    if (outbox->declines.length == 0)
        return;
    buffer_append_slice(&outbox->declines, buffer_slice(&outbox->decline_filters));
    send_now(outbox, CALL_DECLINE, buffer_slice(&outbox->declines));
    buffer_shrink(&outbox->declines);
    buffer_clear(&outbox->decline_filters);
}

void outbox_forget(struct outbox *outbox)
{
    buffer_clear(&outbox->declines);
    buffer_clear(&outbox->decline_filters);
}

// ---- life ----

void outbox_init(struct outbox *outbox, struct transport *transport,
                 const struct framework *framework, const struct outbox_events *events, void *data)
{
    *outbox = (struct outbox){
        .transport = transport, .framework = framework, .events = events, .data = data};
    buffer_init(&outbox->call, OUTBOX_CALL_BYTES_MOST);
    buffer_init(&outbox->declines, OUTBOX_CALL_BYTES_MOST);
    buffer_init(&outbox->decline_filters, OUTBOX_CALL_BYTES_MOST);
    for (int i = 0; i < CALL_TYPES; i++)
        outbox->slots[i] = (struct outbox_slot){.outbox = outbox, .type = (enum call_type)i};
}

void outbox_free(struct outbox *outbox)
{
    buffer_free(&outbox->call);
    buffer_free(&outbox->declines);
    buffer_free(&outbox->decline_filters);
}
