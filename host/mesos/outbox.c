// SPDX-License-Identifier: Apache-2.0
//
// Operations of the driver become calls: what is sent, gathered, remembered or dropped, and what
// the answers mean. While disconnected a launch comes back as an update, roles and the framework
// are remembered, and the rest is dropped and counted.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- calls ----

static void on_answer(void *data, const struct transport_reply *reply);

static void send_call(struct driver *this, enum call_type type, struct slice message)
{
    if (!call_build(&this->call, type, framework_id(&this->framework), message)) {
        log_error("%s is too large to be sent (%zu bytes)", call_name(type), message.length);
        this->counters.dropped[type]++;
        return;
    }
    this->counters.calls[type]++;
    this->in_flight++;
    if (type == CALL_UPDATE_FRAMEWORK)
        revisions_sent(&this->revisions, &this->framework);
    transport_send(this->transport, buffer_slice(&this->call), on_answer, &this->slots[type]);
    buffer_rest(&this->call);
}

// All declines with one filter value that are waiting go out as one call.
void driver_flush_declines(struct driver *this)
{
    if (this->declines.length == 0)
        return;
    buffer_append_slice(&this->declines, buffer_slice(&this->decline_filters));
    send_call(this, CALL_DECLINE, buffer_slice(&this->declines));
    buffer_rest(&this->declines);
    buffer_clear(&this->decline_filters);
}

static void drop(struct driver *this, enum call_type type)
{
    bool repeated = type == CALL_ACKNOWLEDGE || type == CALL_ACKNOWLEDGE_OPERATION_STATUS;
    this->counters.dropped[type]++;
    log_write(repeated ? LOG_DEBUG : LOG_WARNING, "%s dropped: not connected to a master",
              call_name(type));
}

void driver_send_or_drop(struct driver *this, enum call_type type, struct slice message)
{
    if (!this->connected) {
        drop(this, type);
        return;
    }
    driver_flush_declines(this);
    send_call(this, type, message);
}

void driver_send_update_framework(struct driver *this)
{
    framework_write(&this->framework, &this->message);
    driver_send_or_drop(this, CALL_UPDATE_FRAMEWORK, buffer_slice(&this->message));
    this->outdated = false;
}

// A master that does not know our stream any more says so in the answer to a call: the stream may
// look alive for long after that.
static bool says(const struct transport_reply *reply, const char *words)
{
    const struct slice *body = &reply->body;
    return body->length > 0 && memmem(body->data, body->length, words, strlen(words)) != NULL;
}

static bool means_lost(enum call_type type, const struct transport_reply *reply)
{
    if (reply->status == 403)
        return type != CALL_UPDATE_FRAMEWORK || says(reply, "not subscribed");
    return reply->status == 400 && says(reply, "stream ID");
}

static void refused(struct driver *this, enum call_type type, const struct transport_reply *reply)
{
    struct error err = {0};
    this->counters.refused[type]++;
    if (reply->advice != NULL)
        log_warning("the master refused %s: %s", call_name(type), reply->advice);
    else
        log_warning("the master refused %s (HTTP status %d): %.*s", call_name(type), reply->status,
                    SLICE_ARGS(reply->body));
    this->unsure |= type == CALL_ACCEPT;
    bool lost = means_lost(type, reply);
    if (running(this) && !lost && type == CALL_ACCEPT)
        driver_ask_unsure(this);
    if (!running(this) || !lost)
        return;
    error_set(&err, ERROR_REFUSED, "the master does not know this subscription any more: %.*s",
              SLICE_ARGS(reply->body));
    subscription_renew(&this->subscription, &err);
}

// Nobody knows whether the master carried the call out, and events may still come over a stream
// that hears us no more: only a new registration makes both sides agree again.
static void broken(struct driver *this, enum call_type type, const struct transport_reply *reply)
{
    struct error err = {0};
    error_set(&err, ERROR_IO, "the master did not answer %s: %.*s", call_name(type),
              SLICE_ARGS(reply->body));
    if (running(this))
        subscription_renew(&this->subscription, &err);
}

// ---- launches that were not sent ----

struct loss {
    struct driver *driver;
    const char *why;
    bool aware; // PARTITION_AWARE
};

static void lose_task(void *data, struct slice id)
{
    const struct loss *loss = data;
    driver_enqueue(loss->driver, acknowledgements_disconnected(id, loss->why, loss->aware,
                                                               loop_wall(loss->driver->loop)));
}

// They come back as updates, since a script waits for updates.
static void lose_launches(struct driver *this, struct slice accept, const char *why)
{
    struct loss loss = {.driver = this, .why = why};
    loss.aware = framework_has_capability(
        &this->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    tasks_each_launched(accept, lose_task, &loss);
    deferral_queue(&this->turn);
}

static void accept_disconnected(struct driver *this, struct slice accept)
{
    drop(this, CALL_ACCEPT);
    tasks_launch(this->tasks, accept, false);
    lose_launches(this, accept, "Master disconnected");
}

// The tasks of an ACCEPT that did not reach the master are lost as if it had been called while
// disconnected. Its offers are still ours, as far as the master knows, and go back.
static void take_back_accept(struct driver *this, const struct transport_reply *reply)
{
    enum { CALL_ACCEPT_FIELD = 4, ACCEPT_OFFER_IDS = 1 };
    struct slice accept = wire_find(reply->unsent, CALL_ACCEPT_FIELD), offers = accept, id;
    char *why = memory_format("Launch was lost: %.*s", SLICE_ARGS(reply->body));
    this->counters.launched -= tasks_each_launched(accept, NULL, NULL);
    lose_launches(this, accept, why);
    driver_flush_declines(this);
    while (this->connected && wire_next_bytes(&offers, ACCEPT_OFFER_IDS, &id))
        wire_put_bytes(&this->declines, 1, id);
    free(why);
}

// ---- answers that did not come ----

// They come in crowds when a connection breaks: counted here, told of at the end of the turn.
static void unanswered(struct driver *this, enum call_type type,
                       const struct transport_reply *reply)
{
    bool unsent = reply->unsent.data != NULL;
    this->counters.unanswered[type]++;
    log_debug("%s was not answered: %.*s", call_name(type), SLICE_ARGS(reply->body));
    if (!running(this))
        return;
    if (unsent && type == CALL_ACCEPT)
        take_back_accept(this, reply);
    (unsent ? this->unsent : this->unanswered)[type]++;
    this->unsure |= !unsent && (type == CALL_ACCEPT || type == CALL_KILL);
    deferral_queue(&this->turn);
}

// "3 ACCEPT, 1 KILL"
static size_t list_counts(const size_t *counts, char *text, size_t size)
{
    size_t all = 0, length = 0;
    *text = '\0';
    for (int type = 0; type < CALL_TYPES; type++) {
        if (counts[type] > 0 && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%zu %s", all ? ", " : "",
                                       counts[type], call_name((enum call_type)type));
        all += counts[type];
    }
    return all;
}

static bool counts_any(const size_t *counts, enum call_type a, enum call_type b)
{
    return counts[a] > 0 || counts[b] > 0;
}

// What becomes of them: nobody but the master knows of launches and kills, and agents repeat what
// is not acknowledged.
void driver_tell_unanswered(struct driver *this)
{
    char list[512];
    size_t count = list_counts(this->unanswered, list, sizeof list);
    bool unknown = counts_any(this->unanswered, CALL_ACCEPT, CALL_KILL);
    bool repeated =
        counts_any(this->unanswered, CALL_ACKNOWLEDGE, CALL_ACKNOWLEDGE_OPERATION_STATUS);
    if (count > 0)
        log_warning("%zu call%s had no answer, and may not have reached the master: %s%s%s", count,
                    count == 1 ? "" : "s", list,
                    unknown ? "; reconciliation tells what became of the tasks" : "",
                    repeated ? "; the agents repeat the updates" : "");
    count = list_counts(this->unsent, list, sizeof list);
    if (count > 0)
        log_warning("%zu call%s did not reach the master: %s%s", count, count == 1 ? "" : "s", list,
                    this->unsent[CALL_ACCEPT] ? "; the tasks of launches are reported as lost"
                                              : "");
    memset(this->unanswered, 0, sizeof this->unanswered);
    memset(this->unsent, 0, sizeof this->unsent);
}

// Nobody else tells whether a master received a launch or a kill that it did not answer, or what
// became of the tasks of a launch that it refused.
void driver_ask_unsure(struct driver *this)
{
    const struct task_filter filter = {.states = TASK_STATES_ALL, .unsure = true};
    if (!this->unsure || !this->connected)
        return;
    this->unsure = false;
    buffer_clear(&this->message);
    size_t count = tasks_reconcile(this->tasks, &filter, &this->message);
    if (count == 0)
        return;
    log_info("asking for %zu task%s whose launch or kill the master may not have taken", count,
             count == 1 ? "" : "s");
    driver_send_or_drop(this, CALL_RECONCILE, buffer_slice(&this->message));
}

// An answer that says nothing of the framework leaves it to the next registration.
static enum revision_answer read_answer(const struct transport_reply *reply)
{
    if (reply->status == 200 || reply->status == 202)
        return REVISION_TAKEN;
    bool judged = reply->status == 400 || reply->status == 403;
    return judged && !means_lost(CALL_UPDATE_FRAMEWORK, reply) ? REVISION_REFUSED
                                                               : REVISION_UNKNOWN;
}

// A revision that the master refused must not be what the driver subscribes with the next time. Of
// several that are on their way the last one decides.
static void revision_answered(struct driver *this, const struct transport_reply *reply)
{
    enum revision_answer answer = read_answer(reply);
    revisions_answered(&this->revisions, answer);
    if (answer != REVISION_REFUSED || this->revisions.first != NULL ||
        !revisions_differ(&this->revisions, &this->framework))
        return;
    log_warning("the framework stays as the master knows it");
    revisions_go_back(&this->revisions, &this->framework);
}

static void on_answer(void *data, const struct transport_reply *reply)
{
    struct answer_slot *slot = data;
    struct driver *this = slot->driver;
    enter(this);
    this->in_flight--;
    if (reply->status == 0)
        unanswered(this, slot->type, reply);
    else if (reply->status != 200 && reply->status != 202)
        refused(this, slot->type, reply);
    else if (slot->type == CALL_TEARDOWN)
        this->torn_down = true;
    if (slot->type == CALL_UPDATE_FRAMEWORK)
        revision_answered(this, reply);
    if (reply->broken)
        broken(this, slot->type, reply);
    driver_note_answer(this);
    driver_settle(this);
    leave(this);
}

// ---- operations ----

enum driver_status driver_start(struct driver *this)
{
    if (this->status != DRIVER_NOT_STARTED)
        return this->status;
    this->status = DRIVER_RUNNING;
    subscription_start(&this->subscription);
    return this->status;
}

enum driver_status driver_stop(struct driver *this, bool failover)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected) {
        driver_flush_declines(this);
        if (!failover)
            send_call(this, CALL_TEARDOWN, (struct slice){.data = NULL});
    }
    driver_end(this, DRIVER_STOPPED);
    return this->status;
}

enum driver_status driver_abort(struct driver *this)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (this->connected)
        driver_flush_declines(this);
    driver_end(this, DRIVER_ABORTED);
    return this->status;
}

static void spend_listed(struct offer_table *offers, struct slice message, const char *why)
{
    struct wire wire = wire_open(message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == 1 && field.type == WIRE_BYTES)
            offer_table_spend(offers, wire_find(field.bytes, 1), why);
}

enum driver_status driver_accept(struct driver *this, struct slice accept)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        accept_disconnected(this, accept);
        return this->status;
    }
    this->counters.launched += tasks_launch(this->tasks, accept, true);
    driver_send_or_drop(this, CALL_ACCEPT, accept);
    spend_listed(this->offers, accept, "was accepted already");
    return this->status;
}

enum driver_status driver_decline(struct driver *this, struct slice offer_id, struct slice filters)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!this->connected) {
        drop(this, CALL_DECLINE);
        return this->status;
    }
    struct buffer *waiting = &this->decline_filters;
    buffer_clear(&this->message);
    if (filters.data != NULL)
        wire_put_bytes(&this->message, 2, filters);
    if (!slice_equal(buffer_slice(waiting), buffer_slice(&this->message)))
        driver_flush_declines(this);
    buffer_clear(waiting);
    buffer_append_slice(waiting, buffer_slice(&this->message));
    wire_put_id(&this->declines, 1, offer_id);
    offer_table_spend(this->offers, offer_id, "was declined already");
    deferral_queue(&this->turn);
    return this->status;
}

enum driver_status driver_acknowledge(struct driver *this, struct slice status)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    struct status told = status_read(status);
    driver_acknowledge_status(this, &told);
    return this->status;
}

enum driver_status driver_acknowledge_operation(struct driver *this, struct slice status)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    struct bytes *received = acknowledgements_take(&this->operation_updates, status);
    if (received != NULL)
        driver_acknowledge_operation_status(this, slice_of(received));
    else
        log_warning("the status of operation %.*s is not acknowledged: no such status was "
                    "received, or it was acknowledged already",
                    SLICE_ARGS(wire_find(wire_find(status, 1), 1)));
    bytes_unref(received);
    return this->status;
}

// While disconnected the roles are remembered: SUBSCRIBE brings them to the next master.
static void send_roles(struct driver *this, enum call_type type, const char *const *names)
{
    if (!this->connected) {
        this->outdated = true;
        return;
    }
    buffer_clear(&this->message);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        wire_put_bytes(&this->message, 1, slice_text(names[i]));
    bool all = names == NULL;
    driver_send_or_drop(this, type,
                        all ? (struct slice){.data = NULL} : buffer_slice(&this->message));
}

static void revive(struct framework *framework, const void *names)
{
    framework_revive(framework, names);
}

static void suppress(struct framework *framework, const void *names)
{
    framework_suppress(framework, names);
}

enum driver_status driver_revive(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_revive(&this->framework, names);
    revisions_each(&this->revisions, revive, names);
    send_roles(this, CALL_REVIVE, names);
    return this->status;
}

enum driver_status driver_suppress(struct driver *this, const char *const *names)
{
    if (this->status != DRIVER_RUNNING || (names != NULL && names[0] == NULL))
        return this->status;
    framework_suppress(&this->framework, names);
    revisions_each(&this->revisions, suppress, names);
    send_roles(this, CALL_SUPPRESS, names);
    return this->status;
}

// The new framework, roles and constraints, if they may take the place of the old ones.
static bool read_update(struct driver *this, struct slice wire, struct framework *update,
                        struct error *err)
{
    struct slice roles = wire, role;
    if (!framework_init(update, wire_find(wire, 1), wire_find(wire, 3), NULL))
        return error_set(err, ERROR_INVALID, "updateFramework: the FrameworkInfo is malformed");
    while (wire_next_bytes(&roles, 2, &role))
        roles_add_slice(&update->suppressed, role);
    struct slice known = framework_id(&this->framework), given = framework_id(update);
    if (known.length == 0)
        error_set(err, ERROR_INVALID,
                  "updateFramework must not be called before the framework is registered");
    else if (!slice_equal(known, given))
        error_set(
            err, ERROR_INVALID,
            "updateFramework: the id in the FrameworkInfo is '%.*s', the framework's is '%.*s'",
            SLICE_ARGS(given), SLICE_ARGS(known));
    else
        return true;
    framework_free(update);
    return false;
}

enum driver_status driver_update_framework(struct driver *this, struct slice wire)
{
    struct framework update;
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (!read_update(this, wire, &update, &err)) {
        driver_fail(this, err.text);
        return this->status;
    }
    framework_free(&this->framework);
    this->framework = update;
    if (this->connected)
        driver_send_update_framework(this);
    else
        this->outdated = true;
    return this->status;
}

enum driver_status driver_call(struct driver *this, enum call_type type, struct slice message)
{
    if (this->status != DRIVER_RUNNING)
        return this->status;
    if (type == CALL_KILL && this->connected)
        tasks_kill(this->tasks, message);
    driver_send_or_drop(this, type, message);
    if (type == CALL_ACCEPT_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message, "was accepted already");
    else if (type == CALL_DECLINE_INVERSE_OFFERS)
        spend_listed(this->inverse_offers, message, "was declined already");
    return this->status;
}

enum driver_status driver_reconnect(struct driver *this)
{
    struct error err = {0};
    if (this->status != DRIVER_RUNNING)
        return this->status;
    error_set(&err, ERROR_NONE, "reconnecting, as the framework asked");
    enter(this);
    subscription_renew(&this->subscription, &err);
    enum driver_status status = this->status;
    leave(this);
    return status;
}

void driver_reregister(struct driver *this)
{
    this->reregister = true;
}

void driver_callback_finished(struct driver *this, bool ok)
{
    enter(this);
    driver_finish_delivery(this, ok);
    driver_pump(this);
    leave(this);
}
