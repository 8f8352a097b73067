// SPDX-License-Identifier: Apache-2.0
//
// Looking for places: gives the policy of policies/best_fit.lua events of 10,000 offers. It takes
// the times itself, as it compares what it does with the same in Lua.

#include "fixture.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

enum { OFFERS = 10000, TEXT_MOST = 65536 };

static const char *read_policy(const char *path)
{
    static char text[TEXT_MOST];
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(text, 1, sizeof text - 1, file) == 0) {
        fprintf(stderr, "bench: cannot read %s: run this in the root of the tree\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

// bench-best_fit [ROUNDS]: fewer are for a profiler. A driver passes over offers that it has from
// the same block, so two copies of the event take turns.
int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 11;
    struct stage *stage = stage_create(read_policy("spec/bench/policies/best_fit.lua"));
    log_set_level(LOG_ERROR); // a round takes longer than a callback should
    struct bytes *record = stage_offers(OFFERS);
    struct bytes *records[] = {record, bytes_copy(record->data, record->length)};
    for (unsigned i = 0; i < rounds; i++)
        stage_event(stage, records[i % 2]);
    struct bytes *update = stage_update(); // the sign to print
    stage_event(stage, update);
    bool fine = stage_failures(stage) == 0;
    stage_destroy(stage);
    bytes_unref(update);
    bytes_unref(records[0]);
    bytes_unref(records[1]);
    return fine ? 0 : 1;
}
