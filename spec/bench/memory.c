// SPDX-License-Identifier: Apache-2.0
//
// What outstanding offers cost in the real program: the growth of its resident memory from none of
// them to a policy that keeps 10,000 views in a table, against the bytes of the events that brought
// them. The policy has had other offers before and declined them when new ones came, so this
// is the state in which a framework lives, with what the allocators and the collector leave behind.

#include "fake_master.h"
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFERS = 10000, SETS = 6, QUIET = 200, ROUNDS = 5 };

static const char script[] = "local s = { framework = { name = 'bench' } }\n"
                             "local kept, sum = {}, 0\n"
                             "function s:resourceOffers(driver, offers)\n"
                             "    for i, o in ipairs(offers) do\n"
                             "        if o.cpus > 1 and o.mem > 1 then sum = sum + 1 end\n"
                             "        kept[i] = o\n"
                             "    end\n"
                             "    print(#kept, sum) io.stdout:flush()\n"
                             "end\n"
                             "function s:statusUpdate(driver)\n"
                             "    for _, o in ipairs(kept) do driver:declineOffer(o.id) end\n"
                             "    kept = {}\n"
                             "    print 'declined' io.stdout:flush()\n"
                             "end\n"
                             "return s\n";

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

// Its own: without the pages of programs and libraries, of which a first event touches some.
static uint64_t resident(const struct peer *peer)
{
    return peer_memory(peer, "smaps_rollup", "Anonymous") * 1024;
}

// When it has not shrunk for a while: the collector works in idle time.
static uint64_t settled(struct peer *peer)
{
    uint64_t least = UINT64_MAX, now;
    for (int same = 0; same < ROUNDS; same++) {
        peer_rest(peer, QUIET);
        if ((now = resident(peer)) < least) {
            least = now;
            same = -1;
        }
    }
    return least;
}

static void bring(struct peer *peer, struct bytes *event, int set)
{
    int kept = 0;
    long seen = 0;
    peer_send(peer, event);
    check(sscanf(peer_line(peer), "%d %ld", &kept, &seen) == 2, "no figures");
    check(kept == OFFERS && seen == (long)OFFERS * (set + 1), "the policy missed offers");
}

// The policy declines them all. What stays.
static uint64_t take_back(struct peer *peer, struct bytes *update)
{
    peer_send(peer, update);
    check(strcmp(peer_line(peer), "declined") == 0, "the policy printed something else");
    return settled(peer);
}

int main(void)
{
    struct bytes *events[] = {stage_offers_from(0, OFFERS), stage_offers_from(OFFERS, OFFERS)};
    struct bytes *update = stage_update();
    struct peer *peer = peer_create();
    peer_start(peer, script, NULL);
    peer_wait_subscribed(peer);
    double empty = (double)settled(peer), grown = 0, bytes = 0;
    for (int i = 0; i < SETS; i++) {
        bytes = (double)events[i % 2]->length;
        bring(peer, events[i % 2], i);
        grown = (double)settled(peer) - empty;
        double left = (double)take_back(peer, update) - empty;
        printf("set %d: %.1f MiB, %.2f of the bytes; without them %.1f MiB\n", i + 1,
               grown / 1048576, grown / bytes, left / 1048576);
    }
    check(peer_counts(peer)->declined == (uint64_t)OFFERS * SETS, "offers not declined");
    printf("figure memory %.2f\n", grown / bytes);
    peer_end(peer);
    peer_destroy(peer);
    bytes_unref(events[0]);
    bytes_unref(events[1]);
    bytes_unref(update);
    return 0;
}
