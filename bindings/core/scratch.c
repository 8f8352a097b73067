// SPDX-License-Identifier: Apache-2.0
//
// Scratch memory: see scratch.h.

#include "bindings/core/scratch.h"

#include "bindings/core/userdata.h"

#define SCRATCH_LIMIT (64u << 20)

static const char scratch_name[] = "mesos.scratch";

struct scratch {
    struct userdata base;
    struct buffer buffer;
};

static void end_scratch(lua_State *L, struct userdata *userdata)
{
    (void)L;
    buffer_free(&((struct scratch *)userdata)->buffer);
}

struct buffer *scratch_push(lua_State *L)
{
    struct scratch *scratch = userdata_push(L, scratch_name, sizeof *scratch, 0, end_scratch);
    buffer_init(&scratch->buffer, SCRATCH_LIMIT);
    return &scratch->buffer;
}

void scratch_open(lua_State *L)
{
    userdata_type(L, scratch_name);
    lua_pop(L, 1);
}
