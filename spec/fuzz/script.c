// SPDX-License-Identifier: Apache-2.0
//
// Scripts made of any bytes, as the policy of a framework: with events, new versions, an operator's
// code and a breaking connection, under limits and in hard times. Whatever they do, the host lives
// on, ends in order, and has all its memory back.
//
// A world that is slow, such as one that collects a full heap at each allocation, is not stuck: it
// is given two seconds. One that is stuck is libFuzzer's to find.
//
// The bytes are decisions (spec/support/scripts.h). To see the script of an input that failed:
// MESOS_LUA_FUZZ_SHOW=1 fuzz_script FILE.

#include "base/log.h"
#include "fault_injection.h"
#include "mesos/v1/scheduler/scheduler.pb-c.h"
#include "scripts.h"
#include "wire/wire.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 1 << 20, STEPS_MOST = 24, TURNS = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// ---- events ----

static void put_text(struct buffer *out, uint32_t number, const char *text)
{
    wire_put_bytes(out, number, slice_text(text));
}

static void put_id(struct buffer *out, uint32_t number, const char *text)
{
    wire_put_id(out, number, slice_text(text));
}

static void put_resource(struct buffer *out)
{
    size_t resource = wire_begin(out, 5);
    put_text(out, 1, "cpus");
    wire_put_varint(out, 2, MESOS__V1__VALUE__TYPE__SCALAR);
    size_t scalar = wire_begin(out, 3);
    wire_put_double(out, 1, 4);
    wire_end(out, scalar);
    wire_end(out, resource);
}

static void put_offer(struct buffer *out, const char *id)
{
    size_t offer = wire_begin(out, 1);
    put_id(out, 1, id);
    put_id(out, 2, "f");
    put_id(out, 3, "a1");
    put_text(out, 4, "host");
    put_resource(out);
    wire_end(out, offer);
}

static void put_offers(struct buffer *out)
{
    size_t offers = wire_begin(out, 3);
    put_offer(out, "o1");
    put_offer(out, "o2");
    wire_end(out, offers);
}

static void put_update(struct buffer *out)
{
    size_t update = wire_begin(out, 5), status = wire_begin(out, 1);
    put_id(out, 1, "t1");
    wire_put_varint(out, 2, MESOS__V1__TASK_STATE__TASK_RUNNING);
    put_id(out, 5, "a1");
    wire_put_bytes(out, 11, slice_text("0123456789abcdef"));
    wire_end(out, status);
    wire_end(out, update);
}

static void put_rescind(struct buffer *out)
{
    size_t rescind = wire_begin(out, 4);
    put_id(out, 1, "o2");
    wire_end(out, rescind);
}

static void put_message(struct buffer *out)
{
    size_t message = wire_begin(out, 6);
    put_id(out, 1, "a1");
    put_id(out, 2, "e1");
    put_text(out, 3, "data");
    wire_end(out, message);
}

static void put_failure(struct buffer *out)
{
    size_t failure = wire_begin(out, 7);
    put_id(out, 1, "a1");
    wire_end(out, failure);
}

static void put_error(struct buffer *out)
{
    size_t error = wire_begin(out, 8);
    put_text(out, 1, "the end");
    wire_end(out, error);
}

static const struct {
    Mesos__V1__Scheduler__Event__Type type;
    void (*put)(struct buffer *out);
} events[] = {
    {MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS, put_offers},
    {MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE, put_update},
    {MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND, put_rescind},
    {MESOS__V1__SCHEDULER__EVENT__TYPE__MESSAGE, put_message},
    {MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE, put_failure},
    {MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR, put_error},
};

static void send_event(struct world *world, unsigned which)
{
    struct buffer out;
    buffer_init(&out, TEXT_MOST);
    wire_put_varint(&out, 1, events[which].type);
    events[which].put(&out);
    world_event(world, buffer_slice(&out));
    buffer_free(&out);
}

// ---- steps ----

static void show(const struct buffer *text)
{
    if (getenv("MESOS_LUA_FUZZ_SHOW") != NULL)
        fprintf(stderr, "%.*s----\n", SLICE_ARGS(buffer_slice(text)));
}

static void load(struct world *world, struct tape *tape, bool sandbox, bool again)
{
    struct buffer text;
    struct error err = {0};
    buffer_init(&text, TEXT_MOST);
    scripts_write(tape, sandbox, &text);
    show(&text);
    bool good = again ? world_reload(world, buffer_slice(&text), &err)
                      : world_load(world, buffer_slice(&text), &err);
    if (!good && !world_ended(world) && err.text[0] == '\0')
        abort();
    buffer_free(&text);
}

static void evaluate(struct world *world, struct tape *tape, bool sandbox)
{
    struct buffer code, told;
    buffer_init(&code, TEXT_MOST);
    buffer_init(&told, TEXT_MOST);
    scripts_write_code(tape, sandbox, &code);
    show(&code);
    world_eval(world, buffer_slice(&code), &told);
    buffer_free(&code);
    buffer_free(&told);
}

static void keep(struct world *world)
{
    struct buffer kept;
    struct error err = {0};
    buffer_init(&kept, TEXT_MOST);
    if (!world_save(world, &kept, &err) && err.text[0] == '\0')
        abort();
    buffer_free(&kept);
}

static void step(struct world *world, struct tape *tape, bool sandbox)
{
    unsigned kind = tape_draw(tape, 24);
    if (kind == 0)
        load(world, tape, sandbox, true);
    else if (kind < 3)
        evaluate(world, tape, sandbox);
    else if (kind == 3)
        world_break(world);
    else if (kind == 4)
        keep(world);
    else if (kind < 9)
        world_pass(world, kind == 5 ? 5 : 0.005, TURNS);
    else
        send_event(world, tape_draw(tape, sizeof events / sizeof *events));
}

static void make_hard(struct tape *tape)
{
    struct hardship hardship = {.seed = 1 + tape_draw(tape, 256)};
    unsigned kind = tape_draw(tape, 8);
    if (kind == 1)
        hardship.collect = 1 + tape_draw(tape, 50);
    else if (kind == 2)
        hardship.errors = 0.2;
    else if (kind == 3)
        hardship.refuse = 1 + 16 * tape_draw(tape, 256);
    if (kind == 3)
        hardship.burst = tape_draw(tape, 200);
    hardship.doors = kind == 1 && tape_draw(tape, 2) == 1;
    hardship_set(&hardship);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {.at = data, .end = data + size, .loops = 1};
    bool sandbox = tape_draw(&tape, 2) == 1;
    const struct world_settings settings = {
        .sandbox = sandbox, .memory_limit = 2 << 20, .callback_limit = 0.02, .patience = 2};
    log_set_level(getenv("MESOS_LUA_FUZZ_SHOW") ? LOG_INFO : LOG_QUIET);
    make_hard(&tape);
    struct world *world = world_create(&settings);
    load(world, &tape, sandbox, false);
    world_start(world);
    for (int i = 0; i < STEPS_MOST && tape.at < tape.end && !world_ended(world); i++)
        if (!world_tired(world))
            step(world, &tape, sandbox);
    hardship_set(NULL);
    world_destroy(world);
    if (hardship_report().bytes != 0)
        abort();
    return 0;
}
