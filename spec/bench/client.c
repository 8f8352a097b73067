// SPDX-License-Identifier: Apache-2.0
//
// The whole client: the real program on a stream of large OFFERS events, with a policy that looks
// at every offer and declines it, against Python's json.loads of the same events and nothing else.
// What counts is CPU time, that of the kernel included; rounds of both take turns. Every offer must
// have been seen, and be declined, in no more than one call for each event.

#include "fake_master.h"
#include "fixture.h"

#include "base/buffer.h"
#include "wire/json_message.h"

#include "mesos/v1/scheduler/scheduler.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OFFERS = 10000, ROUNDS = 7, WARM = 2, EVENTS = 20 };

// The time between the end of one callback and that of a later one is that of all between.
static const char script[] =
    "local mesos = require 'mesos'\n"
    "local s = { framework = { name = 'bench' } }\n"
    "local seen, sum, start = 0, 0, 0\n"
    "function s:resourceOffers(driver, offers)\n"
    "    for _, o in ipairs(offers) do\n"
    "        if o.cpus > 1 and o.mem > 1 and o.id ~= '' then sum = sum + 1 end\n"
    "        driver:declineOffer(o.id)\n"
    "    end\n"
    "    seen = seen + 1\n"
    "    if seen == %d then start = os.clock() print('warm') io.stdout:flush() end\n"
    "    if seen == %d then print(os.clock() - start, sum) io.stdout:flush() end\n"
    "end\n"
    "return s\n";

static const char python[] = "import json, sys, time\n"
                             "texts = [open(path).read() for path in sys.argv[1:]]\n"
                             "times = []\n"
                             "for text in texts * 2:\n"
                             "    start = time.process_time()\n"
                             "    event = json.loads(text)\n"
                             "    times.append(time.process_time() - start)\n"
                             "    assert len(event['offers']['offers']) == %d\n"
                             "    del event\n"
                             "print(sorted(times)[len(times) // 2])\n";

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

// Seconds of CPU, and of the clock, for one event.
struct cost {
    double cpu, wall;
};

static double declines; // calls an offer, of the last run

static struct cost run_client(struct peer *peer, struct bytes *const events[2])
{
    char text[1024];
    struct cost cost;
    long seen = 0;
    snprintf(text, sizeof text, script, WARM, WARM + EVENTS);
    peer_start(peer, text, NULL);
    peer_wait_subscribed(peer);
    for (int i = 0; i < WARM + EVENTS; i++)
        peer_send(peer, events[i % 2]);
    check(strcmp(peer_line(peer), "warm") == 0, "the policy printed something else");
    uint64_t start = peer_now();
    check(sscanf(peer_line(peer), "%lf %ld", &cost.cpu, &seen) == 2, "no figures");
    cost.wall = (double)(peer_now() - start) / 1e9 / EVENTS;
    cost.cpu /= EVENTS;
    check(seen == (long)OFFERS * (WARM + EVENTS), "the policy missed offers");
    const struct peer_counts *counts = peer_counts(peer);
    while (counts->declined < (uint64_t)OFFERS * (WARM + EVENTS))
        peer_turn(peer, 60000);
    check(counts->declines <= WARM + EVENTS, "more than one DECLINE for each event");
    check(counts->calls == counts->declines, "other calls than DECLINE");
    declines = (double)counts->declines / (double)counts->declined;
    peer_end(peer);
    return cost;
}

static void write_json(const struct bytes *record, const char *path)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX / 2);
    Mesos__V1__Scheduler__Event *event =
        mesos__v1__scheduler__event__unpack(NULL, record->length, record->data);
    FILE *file = fopen(path, "w");
    check(json_message_write(&event->base, &text) && file != NULL, "cannot write JSON");
    fwrite(text.data, 1, text.length, file);
    check(fclose(file) == 0, "cannot write JSON");
    printf("an event has %zu bytes, in JSON %zu\n", record->length, text.length);
    mesos__v1__scheduler__event__free_unpacked(event, NULL);
    buffer_free(&text);
}

static double run_python(const char *folder)
{
    char command[2048], program[1024];
    double seconds;
    snprintf(program, sizeof program, python, OFFERS);
    snprintf(command, sizeof command, "/usr/bin/python3 -c \"%s\" %s/0 %s/1", program, folder,
             folder);
    FILE *output = popen(command, "r");
    check(output != NULL && fscanf(output, "%lf", &seconds) == 1, "python3");
    check(pclose(output) == 0, "python3");
    return seconds;
}

static void measure(struct peer *peer, struct bytes *const events[2], const char *folder)
{
    double cpu[ROUNDS], wall[ROUNDS], theirs[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct cost cost = run_client(peer, events);
        cpu[i] = cost.cpu;
        wall[i] = cost.wall;
        theirs[i] = run_python(folder);
    }
    double mine = stage_median(cpu, ROUNDS), base = stage_median(theirs, ROUNDS);
    printf("%d offers: %.2f ms of CPU an event (%.2f ms by the clock), json.loads %.2f ms\n",
           OFFERS, mine * 1e3, stage_median(wall, ROUNDS) * 1e3, base * 1e3);
    printf("figure client %.1f\n", base / mine);
    printf("figure declines %.6f\n", declines);
}

int main(void)
{
    char folder[] = "/tmp/mesos-lua-bench-XXXXXX", path[64];
    check(mkdtemp(folder) != NULL, "cannot create a folder");
    struct bytes *events[] = {stage_offers_from(0, OFFERS), stage_offers_from(OFFERS, OFFERS)};
    struct peer *peer = peer_create();
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        write_json(events[i], path);
    }
    measure(peer, events, folder);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        unlink(path);
        bytes_unref(events[i]);
    }
    rmdir(folder);
    peer_destroy(peer);
    return 0;
}
