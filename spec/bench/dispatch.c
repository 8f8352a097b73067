// SPDX-License-Identifier: Apache-2.0
//
// How much a policy costs, from the bytes of an event to the end of its callback, with validation,
// the table of offers and the collector in it, against what protobuf-c needs to unpack and free the
// same bytes (for updates: to unpack it, and to pack the acknowledgement). Rounds of both take
// turns; what counts is the ratio of the medians. A driver passes over offers that it has from the
// same block, so two copies of the event take turns; a policy that did not get all its offers,
// or an update that was not acknowledged, ends the process.

#include "fixture.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MOST = 41 };

static int rounds = ROUNDS_MOST;

static const char script_head[] =
    "local mesos = require 'mesos'\nlocal s = {}\nlocal sum, expected = 0, %u\n"
    "local function ipairs_of(offers)\n"
    "    if #offers ~= expected then error(#offers .. ' offers') end\n"
    "    return ipairs(offers)\nend\n";

// What a policy does with each event.
static const struct policy {
    const char *name, *script;
    unsigned offers;    // of one event; 0: updates
    const char *figure; // its name in goals.txt, or NULL
} policies[] = {
    {"offers: count", "function s:resourceOffers(d, offers) ipairs_of(offers) end", 500, NULL},
    {"offers: id, cpus, mem",
     "function s:resourceOffers(d, offers) for _, o in ipairs_of(offers) do\n"
     "if o.cpus > 1 and o.mem > 1 and o.id ~= '' then sum = sum + 1 end end end",
     500, "offers-few"},
    {"offers: every field through the view",
     "function s:resourceOffers(d, offers) for _, o in ipairs_of(offers) do\n"
     "local _ = o.id, o.framework_id, o.agent_id, o.hostname, o.cpus, o.mem, o.disk, o.gpus, "
     "o.ports,\n"
     "o.allocation_info, o.url, o:attribute 'rack', o:attribute 'zone', o:attribute 'os',\n"
     "o:attribute 'kernel', o:attribute 'generation', o:attribute 'pool' end end",
     500, "offers-all"},
    {"offers: every one to a table",
     "function s:resourceOffers(d, offers) for _, o in ipairs_of(offers) do local _ = o:table() "
     "end "
     "end",
     500, "offers-table"},
    {"offers: id, cpus, mem of 100", NULL, 100, NULL},
    {"offers: id, cpus, mem of 5,000", NULL, 5000, NULL},
    {"offers: id, cpus, mem of 50,000", NULL, 50000, NULL},
    {"update to acknowledgement",
     "function s:statusUpdate(d, status)\n"
     "if status.state == 'TASK_RUNNING' and status.task_id ~= '' then sum = sum + 1 end end",
     0, "update"},
};

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

static double time_stage(struct stage *stage, struct bytes *const records[2], unsigned times)
{
    uint64_t start = stage_now();
    for (unsigned i = 0; i < times; i++)
        stage_event(stage, records[i % 2]);
    return (double)(stage_now() - start) / times;
}

static void check(struct stage *stage, const struct policy *policy, uint64_t events)
{
    uint64_t bytes, calls = stage_calls(stage, &bytes);
    uint64_t expected = policy->offers ? 0 : events;
    if (stage_failures(stage) == 0 && calls == expected)
        return;
    fprintf(stderr, "bench: %s: %llu callbacks failed, %llu calls instead of %llu\n", policy->name,
            (unsigned long long)stage_failures(stage), (unsigned long long)calls,
            (unsigned long long)expected);
    exit(1);
}

static void print(const struct policy *policy, double mine, double base)
{
    static double of_100;
    printf("%-40s %12.2f us %12.2f us %8.3f\n", policy->name, mine / 1e3, base / 1e3, mine / base);
    if (policy->figure != NULL)
        printf("figure %s %.3f\n", policy->figure, mine / base);
    if (policy->offers == 100)
        of_100 = mine;
    if (policy->offers == 50000 && of_100 > 0)
        printf("figure dispatch-exponent %.3f\n", log(mine / of_100) / log(500));
}

static void run(const struct policy *policy, const char *script)
{
    char head[512], text[2048];
    snprintf(head, sizeof head, script_head, policy->offers);
    snprintf(text, sizeof text, "%s%s\nreturn s\n", head, script);
    struct stage *stage = stage_create(text);
    struct bytes *record = policy->offers ? stage_offers(policy->offers) : stage_update();
    struct bytes *records[] = {record, bytes_copy(record->data, record->length)};
    unsigned times = policy->offers ? 2 + 5000 / policy->offers / 2 * 2 : 20000;
    double ours[ROUNDS_MOST], theirs[ROUNDS_MOST];
    time_stage(stage, records, times);
    for (int i = 0; i < rounds; i++) {
        theirs[i] = time_baseline(record, times, policy->offers == 0);
        ours[i] = time_stage(stage, records, times);
    }
    check(stage, policy, (uint64_t)times * (uint64_t)(rounds + 1));
    print(policy, stage_median(ours, (size_t)rounds), stage_median(theirs, (size_t)rounds));
    stage_destroy(stage);
    bytes_unref(records[0]);
    bytes_unref(records[1]);
}

// True if it is to run: a whole name selects that one only, any other text those that contain it.
static bool is_asked_for(const struct policy *policy, const char *word)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (strcmp(policies[i].name, word) == 0)
            return policy == &policies[i];
    return strstr(policy->name, word) != NULL;
}

// bench-dispatch [POLICY [ROUNDS]]: only the policies that are asked for; fewer rounds are for a
// profiler.
int main(int argc, char **argv)
{
    if (argc > 2)
        rounds = (int)strtoul(argv[2], NULL, 10);
    if (rounds < 1 || rounds > ROUNDS_MOST)
        rounds = ROUNDS_MOST;
    printf("%-40s %15s %15s %8s\n", "from bytes to the end of the callback", "mesos-lua",
           "protobuf-c", "ratio");
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (argc < 2 || is_asked_for(&policies[i], argv[1]))
            run(&policies[i], policies[i].script ? policies[i].script : policies[1].script);
    return 0;
}
