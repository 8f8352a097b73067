// SPDX-License-Identifier: Apache-2.0
//
// What the master's answers to calls mean for the driver. Launches that did not reach the master
// come back as updates; launches and kills whose outcome is uncertain are reconciled; if the master
// does not know the subscription any more, the driver subscribes again.

#include "mesos/driver_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "tasks/launches.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdlib.h>
#include <string.h>

// ---- launches that did not reach the master ----

static void enqueue_dropped(struct driver *driver, struct slice id, bool aware, const char *why)
{
    struct bytes *update = acknowledgements_disconnected(id, why, aware, loop_wall(driver->loop));
    event_queue_push(&driver->delivery.queue,
                     (struct queued){.kind = QUEUED_RECORD,
                                     .type = MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE,
                                     .block = update});
}

void driver_drop_launches(struct driver *driver, struct slice accept, const char *why)
{
    bool aware = framework_has_capability(
        &driver->framework, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE);
    struct launches launches = launches_of(accept);
    for (struct launch launch; launches_next(&launches, &launch);)
        enqueue_dropped(driver, wire_text(wire_find(launch.task, FIELD_TASK_INFO_TASK_ID)), aware,
                        why);
    deferral_queue(&driver->turn);
}

// The tasks of an ACCEPT that did not reach the master are dropped as if it had been called while
// disconnected. For the master its offers are still outstanding, so they are declined.
static void undo_accept(struct driver *driver, const struct http_reply *reply)
{
    struct slice accept = wire_find(reply->unsent, FIELD_SCHEDULER_CALL_ACCEPT), offers = accept,
                 id;
    char *why = memory_format("Launch was lost: %.*s", SLICE_ARGS(reply->body));
    driver->counters.launched -= launches_count(accept);
    driver_drop_launches(driver, accept, why);
    calls_flush(&driver->calls);
    while (connected(driver) &&
           wire_next_bytes(&offers, FIELD_SCHEDULER_CALL_ACCEPT_OFFER_IDS, &id))
        calls_decline(&driver->calls, wire_text(id), (struct slice){.data = NULL});
    free(why);
}

// ---- what is uncertain ----

void driver_reconcile_uncertain(struct driver *driver)
{
    const struct task_filter filter = {.states = TASK_STATES_ALL, .uncertain = true};
    if (!driver->uncertain || !connected(driver))
        return;
    driver->uncertain = false;
    buffer_clear(&driver->message);
    size_t count = tasks_reconcile(driver->tasks, &filter, &driver->message);
    if (count == 0)
        return;
    log_info("asking for %zu task%s whose launch or kill the master may not have taken", count,
             count == 1 ? "" : "s");
    driver_send_or_drop(driver, CALL_RECONCILE, buffer_slice(&driver->message));
}

// ---- answers ----

// A master that does not know our stream any more says so in the answer to a call. The stream may
// look alive long after that.
static bool says(const struct http_reply *reply, const char *words)
{
    const struct slice *body = &reply->body;
    return body->length > 0 && memmem(body->data, body->length, words, strlen(words)) != NULL;
}

static bool means_lost(enum call_type type, const struct http_reply *reply)
{
    if (reply->status == 403)
        return type != CALL_UPDATE_FRAMEWORK || says(reply, "not subscribed");
    return reply->status == 400 && says(reply, "stream ID");
}

static bool is_refused(const struct http_reply *reply)
{
    return reply->status != 0 && reply->status != 200 && reply->status != 202;
}

static void on_refused(struct driver *driver, enum call_type type, const struct http_reply *reply)
{
    struct error err = {0};
    bool lost = means_lost(type, reply);
    driver->uncertain |= type == CALL_ACCEPT;
    if (!running(driver))
        return;
    if (lost) {
        error_set(&err, ERROR_REFUSED, "the master does not know this subscription any more: %.*s",
                  SLICE_ARGS(reply->body));
        subscription_renew(&driver->subscription, &err);
    } else if (type == CALL_ACCEPT) {
        driver_reconcile_uncertain(driver);
    }
}

static void on_unanswered(struct driver *driver, enum call_type type,
                          const struct http_reply *reply)
{
    bool unsent = reply->unsent.data != NULL;
    if (!running(driver))
        return;
    if (unsent && type == CALL_ACCEPT)
        undo_accept(driver, reply);
    driver->uncertain |= !unsent && (type == CALL_ACCEPT || type == CALL_KILL);
    deferral_queue(&driver->turn);
}

// It is not known whether the master carried the call out, and events may still come over the old
// stream: only a new registration makes both sides agree again.
static void on_broken(struct driver *driver, enum call_type type, const struct http_reply *reply)
{
    struct error err = {0};
    error_set(&err, ERROR_IO, "the master did not answer %s: %.*s", calls_name(type),
              SLICE_ARGS(reply->body));
    if (running(driver))
        subscription_renew(&driver->subscription, &err);
}

// After an answer that says nothing of the framework the next registration decides.
static enum revision_answer read_revision_answer(const struct http_reply *reply)
{
    if (reply->status == 200 || reply->status == 202)
        return REVISION_ACCEPTED;
    bool judged = reply->status == 400 || reply->status == 403;
    return judged && !means_lost(CALL_UPDATE_FRAMEWORK, reply) ? REVISION_REFUSED
                                                               : REVISION_UNKNOWN;
}

static void on_answered(void *data, enum call_type type, const struct http_reply *reply)
{
    struct driver *driver = data;
    enter(driver);
    if (reply->status == 0)
        on_unanswered(driver, type, reply);
    else if (is_refused(reply))
        on_refused(driver, type, reply);
    else if (type == CALL_TEARDOWN)
        driver->torn_down = true;
    if (type == CALL_UPDATE_FRAMEWORK)
        driver_revision_answered(driver, read_revision_answer(reply));
    if (reply->broken)
        on_broken(driver, type, reply);
    if (driver->delivery.backpressured && !driver->lifetime.ended)
        deferral_queue(&driver->turn); // events may go on
    driver_try_finish(driver);
    leave(driver);
}

const struct calls_events driver_calls_events = {.answered = on_answered};
