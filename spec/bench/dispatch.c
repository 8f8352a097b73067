// SPDX-License-Identifier: Apache-2.0
//
// How much a policy costs, from the bytes of an event to the end of its callback, with validation,
// the table of offers and the collector in it, against what protobuf-c needs to unpack and free the
// same bytes (for updates: to unpack it, and to pack the acknowledgement). Rounds of both take
// turns; what counts is the ratio of the medians.

#include "stage.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 41 };

static const char script_head[] = "local mesos = require 'mesos'\nlocal s = {}\nlocal sum = 0\n";

// What a policy does with each event, and what is to be reached.
static const struct policy {
    const char *name, *script;
    unsigned offers; // of one event; 0: updates
    double reach;
} policies[] = {
    {"offers: count", "function s:resourceOffers(d, offers) sum = sum + #offers end", 500, 0},
    {"offers: id, cpus, mem",
     "function s:resourceOffers(d, offers) for _, o in ipairs(offers) do\n"
     "if o.cpus > 1 and o.mem > 1 and o.id ~= '' then sum = sum + 1 end end end",
     500, 0.20},
    {"offers: every field through the view",
     "function s:resourceOffers(d, offers) for _, o in ipairs(offers) do\n"
     "local _ = o.id, o.framework_id, o.agent_id, o.hostname, o.cpus, o.mem, o.disk, o.gpus, "
     "o.ports,\n"
     "o.allocation_info, o.url, o:attribute 'rack', o:attribute 'zone', o:attribute 'os',\n"
     "o:attribute 'kernel', o:attribute 'generation', o:attribute 'pool' end end",
     500, 0.80},
    {"offers: every one to a table",
     "function s:resourceOffers(d, offers) for _, o in ipairs(offers) do local _ = o:table() end "
     "end",
     500, 2.0},
    {"offers: id, cpus, mem of 100", NULL, 100, 0},
    {"offers: id, cpus, mem of 5,000", NULL, 5000, 0},
    {"offers: id, cpus, mem of 50,000", NULL, 50000, 0},
    {"update to acknowledgement",
     "function s:statusUpdate(d, status)\n"
     "if status.state == 'TASK_RUNNING' and status.task_id ~= '' then sum = sum + 1 end end",
     0, 0.60},
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

static void unpack(const struct bytes *record)
{
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(NULL, record->length, record->data);
    mesos__v1__scheduler__event__free_unpacked(event, NULL);
}

static void unpack_and_acknowledge(const struct bytes *record)
{
    uint8_t out[512];
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(NULL, record->length, record->data);
    Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
    Mesos__V1__Scheduler__Call__Acknowledge acknowledge =
        MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;
    Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
    framework_id.value = "f";
    acknowledge.agent_id = event->update->status->agent_id;
    acknowledge.task_id = event->update->status->task_id;
    acknowledge.uuid = event->update->status->uuid;
    call.framework_id = &framework_id;
    call.has_type = 1;
    call.type = MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE;
    call.acknowledge = &acknowledge;
    mesos__v1__scheduler__call__pack(&call, out);
    mesos__v1__scheduler__event__free_unpacked(event, NULL);
}

// Nanoseconds for one event.
static double time_baseline(const struct bytes *record, unsigned times, bool update)
{
    uint64_t start = stage_now();
    for (unsigned i = 0; i < times; i++)
        (update ? unpack_and_acknowledge : unpack)(record);
    return (double)(stage_now() - start) / times;
}

static double time_stage(struct stage *stage, struct bytes *record, unsigned times)
{
    uint64_t start = stage_now();
    for (unsigned i = 0; i < times; i++)
        stage_event(stage, record);
    return (double)(stage_now() - start) / times;
}

static void run(const struct policy *policy, const char *script)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s\nreturn s\n", script_head, script);
    struct stage *stage = stage_create(text);
    struct bytes *record = policy->offers ? stage_offers(policy->offers) : stage_update();
    unsigned times = policy->offers ? 1 + 5000 / policy->offers : 20000;
    double ours[ROUNDS], theirs[ROUNDS];
    time_stage(stage, record, times);
    for (int i = 0; i < ROUNDS; i++) {
        theirs[i] = time_baseline(record, times, policy->offers == 0);
        ours[i] = time_stage(stage, record, times);
    }
    double mine = median(ours), base = median(theirs);
    printf("%-40s %12.2f us %12.2f us %8.3f", policy->name, mine / 1e3, base / 1e3, mine / base);
    if (policy->reach > 0)
        printf("  %s %.2f", mine / base <= policy->reach ? "within" : "ABOVE", policy->reach);
    printf("\n");
    bytes_unref(record);
    stage_destroy(stage);
}

// With an argument, only the policies whose names contain it.
int main(int argc, char **argv)
{
    printf("%-40s %15s %15s %8s\n", "from bytes to the end of the callback", "mesos-lua",
           "protobuf-c", "ratio");
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (argc < 2 || strstr(policies[i].name, argv[1]) != NULL)
            run(&policies[i], policies[i].script ? policies[i].script : policies[1].script);
    return 0;
}
