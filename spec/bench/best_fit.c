// SPDX-License-Identifier: Apache-2.0
//
// Looking for places: gives the policy of policies/best_fit.lua one event of 10,000 offers. It
// takes the times itself, as it compares what it does with the same in Lua.

#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

enum { OFFERS = 10000, TEXT_MOST = 65536 };

static char *read_policy(const char *path)
{
    static char text[TEXT_MOST];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (length == 0) {
        fprintf(stderr, "bench: cannot read %s: run this in the root of the tree\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

int main(void)
{
    struct stage *stage = stage_create(read_policy("spec/bench/policies/best_fit.lua"));
    struct bytes *record = stage_offers(OFFERS);
    stage_event(stage, record);
    bool fine = stage_failures(stage) == 0;
    stage_destroy(stage);
    bytes_unref(record);
    return fine ? 0 : 1;
}
