// SPDX-License-Identifier: Apache-2.0
//
// What is behind the transport of a test bed: see testbed.h. All calls are noted, and are checked
// as a master checks them before it looks at its records. A subscription waits until the test
// answers it, with a cluster as well: its master sees SUBSCRIBE then.

#include "base/log.h"
#include "base/memory.h"
#include "bindings/testing/testbed_internal.h"
#include "master/agent_loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MOST ((size_t)256 << 20) // bytes of calls that the test has not looked at

struct noted_call {
    struct queue_item item;
    struct bytes *call;
};

static void note_call(struct testbed *bed, struct slice bytes)
{
    struct queue *calls = &bed->master.calls;
    if (calls->bytes >= CALLS_MOST) {
        testbed_fail(bed, "the policy has made more calls than a test can hold: 256 MiB of them");
        return;
    }
    struct noted_call *noted = memory_new(sizeof *noted);
    noted->call = bytes_copy(bytes.data, bytes.length);
    noted->item.weight = queue_weight(sizeof *noted, noted->call);
    queue_push(calls, &noted->item);
}

struct bytes *testbed_call(struct testbed *bed)
{
    struct noted_call *noted = queue_pop(&bed->master.calls);
    struct bytes *call = noted ? noted->call : NULL;
    free(noted);
    return call;
}

// ---- the peer of the transport ----

// Every call is one that a master takes; otherwise the test fails with the master's words.
static bool check_call(struct testbed *bed, struct slice bytes, struct error *err)
{
    Mesos__V1__Scheduler__Call *call =
        mesos__v1__scheduler__call__unpack(NULL, bytes.length, bytes.data);
    bool good = call != NULL ? master_validate(call, err)
                             : error_set(err, ERROR_INVALID, "the call cannot be read");
    mesos__v1__scheduler__call__free_unpacked(call, NULL);
    if (good)
        return true;
    char *text = memory_format("the master refuses a call: %s", err->text);
    testbed_fail(bed, text);
    free(text);
    return false;
}

static void on_subscribe(void *data, struct transport *transport, struct slice call)
{
    struct testbed *bed = data;
    struct error err = {0};
    note_call(bed, call);
    if (!check_call(bed, call, &err)) {
        transport_direct_refuse(transport, 400, err.text);
        return;
    }
    bytes_unref(bed->master.asked);
    bed->master.asked = bytes_copy(call.data, call.length);
}

static void on_call(void *data, struct slice call, struct transport_direct_answer *answer)
{
    struct testbed *bed = data;
    note_call(bed, call);
    if (!check_call(bed, call, &answer->error))
        answer->status = 400;
    else if (bed->master.direct != NULL)
        scheduler_direct_peer.call(bed->master.direct, call, answer);
}

static void forget_asked(struct testbed *bed)
{
    bytes_unref(bed->master.asked);
    bed->master.asked = NULL;
}

static void on_closed(void *data)
{
    struct testbed *bed = data;
    forget_asked(bed);
    if (bed->master.direct != NULL)
        scheduler_direct_peer.closed(bed->master.direct);
}

static void on_destroyed(void *data)
{
    struct testbed *bed = data;
    if (bed->master.direct != NULL)
        scheduler_direct_peer.destroyed(bed->master.direct);
    bed->master.direct = NULL;
    bed->master.transport = NULL;
}

bool testbed_master_connect(void *data, const char *master,
                            const struct credentials_options *credential,
                            struct driver_options *options, struct error *err)
{
    static const struct transport_direct_peer peer = {
        .subscribe = on_subscribe, .call = on_call, .closed = on_closed, .destroyed = on_destroyed};
    struct testbed *bed = data;
    (void)master, (void)credential;
    if (bed->master.transport != NULL)
        return error_set(err, ERROR_LIMIT,
                         "a test has one driver, that of the scheduler which the script returns");
    options->detector = detector_create("127.0.0.1:5050", bed->loop, err);
    if (options->detector == NULL)
        return false;
    bed->master.transport = transport_direct_create(bed->loop, &peer, bed);
    options->transport = bed->master.transport;
    options->subscription.backoff_factor = 0;
    options->subscription.missed_intervals = 0;
    options->subscription.answer_deadline = HUGE_VAL;
    options->log_failures = true;
    return true;
}

// ---- the test as the master ----

bool testbed_connected(const struct testbed *bed)
{
    return bed->master.transport != NULL && transport_direct_accepted(bed->master.transport);
}

void testbed_accept(struct testbed *bed, struct slice subscribed)
{
    struct testbed_master *master = &bed->master;
    struct bytes *asked = master->asked;
    if (asked == NULL || master->transport == NULL)
        return;
    master->asked = NULL;
    if (master->direct != NULL) {
        scheduler_direct_peer.subscribe(master->direct, master->transport, slice_of(asked));
    } else {
        transport_direct_accept(master->transport);
        transport_direct_record(master->transport, bytes_copy(subscribed.data, subscribed.length));
    }
    bytes_unref(asked);
    testbed_advance(bed, 0);
}

void testbed_event(struct testbed *bed, struct slice event)
{
    if (bed->master.transport != NULL)
        transport_direct_record(bed->master.transport, bytes_copy(event.data, event.length));
    testbed_advance(bed, 0);
}

void testbed_disconnect(struct testbed *bed)
{
    struct testbed_master *master = &bed->master;
    if (master->transport == NULL)
        return;
    forget_asked(bed);
    transport_direct_end(master->transport, "the test has disconnected the framework");
    if (master->direct != NULL)
        scheduler_direct_peer.closed(master->direct);
    testbed_advance(bed, 0);
}

// ---- the cluster ----

static void on_fate(void *data, const struct runner_command *command, const char *task_id,
                    struct runner_virtual_fate *fate)
{
    struct testbed *bed = data;
    struct error err = {0};
    double seconds = HUGE_VAL;
    int status = 0;
    size_t words = 0;
    while (command->argv != NULL && command->argv[words] != NULL)
        words++;
    const char *line = words > 0 ? command->argv[words - 1] : "";
    if (!bed->events->last(bed->events->data, task_id ? task_id : "", line, &seconds, &status,
                           &err)) {
        testbed_fail(bed, err.text);
        return;
    }
    fate->end.status = status;
    if (seconds < HUGE_VAL)
        fate->duration = loop_seconds(seconds);
}

bool testbed_cluster(struct testbed *bed, struct slice text, struct error *err)
{
    struct cluster_plan plan;
    if (bed->master.cluster.master != NULL || testbed_connected(bed))
        return error_set(err, ERROR_INVALID,
                         "a cluster comes before the framework is registered, "
                         "and once");
    if (bed->master.transport == NULL)
        return error_set(err, ERROR_INVALID, "the driver does not run any more");
    if (!cluster_plan_read(&plan, text, CLUSTER_PLAN_AGENTS, err))
        return false;
    virtual_cluster_create(&bed->master.cluster, bed->loop, &plan, on_fate, bed);
    bed->master.direct = scheduler_direct_create(bed->master.cluster.master, "test");
    bool good = virtual_cluster_fill(&bed->master.cluster, &plan, err);
    cluster_plan_free(&plan);
    return good;
}

bool testbed_end_task(struct testbed *bed, const char *task_id, int status)
{
    const struct runner_end end = {.status = status};
    bool ended = runner_virtual_end_task(bed->master.cluster.runner, task_id, &end);
    testbed_advance(bed, 0);
    return ended;
}

bool testbed_lose_agent(struct testbed *bed, const char *agent_id, struct error *err)
{
    Mesos__V1__AgentID id = MESOS__V1__AGENT_ID__INIT;
    id.value = (char *)(uintptr_t)agent_id;
    struct node *node = master_records_node(bed->master.cluster.master, &id);
    if (node == NULL)
        return error_set(err, ERROR_INVALID, "the cluster has no agent '%s'", agent_id);
    bool lost = agent_loss_remove(node, "the test has lost it", err);
    testbed_advance(bed, 0);
    return lost;
}

void testbed_master_free(struct testbed *bed)
{
    struct testbed_master *master = &bed->master;
    for (struct bytes *call; (call = testbed_call(bed)) != NULL;)
        bytes_unref(call);
    forget_asked(bed);
    if (master->direct != NULL)
        scheduler_direct_peer.destroyed(master->direct);
    virtual_cluster_destroy(&master->cluster);
}
