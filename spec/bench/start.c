// SPDX-License-Identifier: Apache-2.0
//
// From the start of the real program to its SUBSCRIBE on the wire, with the first example as the
// script, and what memory it then has, when nothing happens.

#include "fake_master.h"
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 101, QUIET = 300 };

static char *read_file(const char *path)
{
    static char text[64 * 1024];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

int main(void)
{
    double times[ROUNDS], resident = 0, shared = 0, proportional = 0;
    const char *script = read_file("examples/hello.lua");
    struct peer *peer = peer_create();
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = peer_now();
        peer_start(peer, script, NULL);
        peer_wait_subscribed(peer);
        times[i] = (double)(peer_counts(peer)->subscribed_at - start) / 1e6;
        if (i == 0) {
            peer_rest(peer, QUIET);
            resident = (double)peer_memory(peer, "smaps_rollup", "Rss") / 1024;
            proportional = (double)peer_memory(peer, "smaps_rollup", "Pss") / 1024;
            shared = (double)(peer_memory(peer, "smaps_rollup", "Shared_Clean") +
                              peer_memory(peer, "smaps_rollup", "Private_Clean")) /
                     1024;
        }
        peer_end(peer);
    }
    peer_destroy(peer);
    double middle = stage_median(times, ROUNDS);
    printf("SUBSCRIBE after %.2f ms, 90 of 100 within %.2f ms, at the latest %.2f ms\n", middle,
           times[ROUNDS * 9 / 10], times[ROUNDS - 1]);
    printf("idle: %.1f MiB resident, %.1f of them pages of files, %.1f MiB if those are shared "
           "out\n",
           resident, shared, proportional);
    printf("figure start %.2f\nfigure idle %.1f\n", middle, resident);
    return 0;
}
