// SPDX-License-Identifier: Apache-2.0
//
// A framework and its master in one process: see world.h. Each driver of the script has a link,
// which is its detector and its transport; what a link has to tell it tells in a timer, never
// inside a call. Links are freed with the world, since both parts of one are destroyed by the
// driver.

#include "world.h"

#include "base/memory.h"
#include "bindings/lib/eval.h"
#include "bindings/lib/state_table.h"
#include "bindings/module.h"
#include "leader/detector.h"
#include "loop/loop_uv.h"
#include "mesos/driver.h"
#include "mesos/transport.h"
#include "script/script.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINKS_MOST = 256, INNER_TURNS = 100 };

// Of a call whose answer is to come.
struct answer {
    struct answer *next;
    transport_on_reply on_reply;
    void *data;
};

struct link {
    struct link *next;
    struct world *world;
    struct detector detector;
    struct transport transport;
    struct timer found, opened, answered;
    struct answer *first, **last;
    bool open;
};

struct call {
    struct call *next;
    struct bytes *bytes;
};

// Time that passes in world_pass() alone.
struct stopwatch {
    struct loop loop;
    uint64_t time;
};

struct world {
    struct world_settings settings;
    clock_t start;
    struct stopwatch clock;
    struct loop *loop;
    struct script *script;
    struct scheduler *scheduler;
    struct scheduler_services services;
    struct scheduler_environment environment;
    struct sources *sources; // the text that is loaded next
    struct link *links;
    unsigned count;
    struct call *first, **last;
    bool ended;
    bool replacing; // the end that a new version asks for is not that of the world
};

// ---- the loop ----

static uint64_t clock_now(struct loop *loop)
{
    return ((struct stopwatch *)loop)->time;
}

static double clock_wall(struct loop *loop)
{
    return 1.8e9 + (double)((struct stopwatch *)loop)->time / 1e9;
}

static void do_nothing(struct loop *loop)
{
    (void)loop;
}

static const struct loop_ops clock_ops = {
    .now = clock_now, .wall = clock_wall, .arm = do_nothing, .destroy = loop_free};

static struct loop *open_loop(struct world *world)
{
    if (world->settings.real)
        return loop_uv_create(NULL);
    loop_init(&world->clock.loop, &clock_ops);
    return &world->clock.loop;
}

struct passing {
    bool late;
    bool (*done)(void *data);
    void *data;
};

static bool over(void *data)
{
    const struct passing *passing = data;
    return passing->late || passing->done(passing->data);
}

static void on_late(void *data)
{
    struct passing *passing = data;
    passing->late = true;
}

static bool never(void *data)
{
    (void)data;
    return false;
}

static bool at_rest(void *data)
{
    const struct world *world = data;
    return world->scheduler == NULL || scheduler_callback(world->scheduler) == NULL;
}

// Runs turns until `done`, or until so much time has passed.
static void pass_real(struct world *world, double seconds, bool (*done)(void *data), void *data)
{
    struct passing passing = {.done = done, .data = data};
    struct timer timer;
    timer_init(&timer, world->loop, on_late, &passing);
    timer_start(&timer, loop_seconds(seconds));
    loop_uv_run(world->loop, over, &passing);
    timer_stop(&timer);
}

bool world_tired(const struct world *world)
{
    double spent = (double)(clock() - world->start) / CLOCKS_PER_SEC;
    return world->settings.patience > 0 && spent >= world->settings.patience;
}

void world_pass(struct world *world, double seconds, unsigned turns)
{
    if (world->settings.real) {
        pass_real(world, seconds, never, NULL);
        return;
    }
    uint64_t *time = &world->clock.time, end = *time + loop_seconds(seconds);
    for (uint64_t due; turns > 0 && (due = loop_due(world->loop)) <= end; turns--) {
        if (world_tired(world))
            return;
        if (due > *time)
            *time = due;
        loop_run_timers(world->loop);
        loop_run_deferred(world->loop);
    }
    if (turns > 0)
        *time = end;
}

void world_settle(struct world *world, double seconds)
{
    if (world->settings.real)
        pass_real(world, seconds, at_rest, world);
    else
        for (; seconds > 0 && !at_rest(world); seconds -= 0.001)
            world_pass(world, 0.001, INNER_TURNS);
}

// ---- a link ----

static struct link *of_detector(struct detector *detector)
{
    return (struct link *)((char *)detector - offsetof(struct link, detector));
}

static struct link *of_transport(struct transport *transport)
{
    return (struct link *)((char *)transport - offsetof(struct link, transport));
}

static void look(struct detector *detector)
{
    timer_start(&of_detector(detector)->found, 1000000);
}

static void stop_looking(struct detector *detector)
{
    timer_stop(&of_detector(detector)->found);
}

static void on_found(void *data)
{
    struct link *link = data;
    link->detector.events->leader(link->detector.data, "http://master:5050");
}

static bool open_stream(struct transport *transport, const char *master, struct slice subscribe,
                        struct error *err)
{
    (void)master, (void)subscribe, (void)err;
    timer_start(&of_transport(transport)->opened, 1000000);
    return true;
}

static void on_opened(void *data)
{
    static const char subscribed[] = "\x08\x01\x12\x05\x0a\x03\x0a\x01"
                                     "f";
    struct link *link = data;
    link->open = true;
    link->transport.events->accepted(link->transport.data);
    if (link->open)
        link->transport.events->record(link->transport.data,
                                       bytes_copy(subscribed, sizeof subscribed - 1));
}

static bool pop_answer(struct link *link, struct answer *answer)
{
    struct answer *first = link->first;
    if (first == NULL)
        return false;
    *answer = *first;
    link->first = first->next;
    if (link->first == NULL)
        link->last = &link->first;
    free(first);
    return true;
}

static void give_answers(struct link *link, const struct http_reply *reply)
{
    for (struct answer answer; pop_answer(link, &answer);)
        answer.on_reply(answer.data, reply);
}

static void close_stream(struct transport *transport)
{
    static const struct http_reply broken = {.status = 0, .broken = true};
    struct link *link = of_transport(transport);
    link->open = false;
    timer_stop(&link->opened);
    timer_stop(&link->answered);
    give_answers(link, &broken);
}

static void on_answered(void *data)
{
    static const struct http_reply accepted = {.status = 202};
    give_answers(data, &accepted);
}

static void note_call(struct world *world, struct slice bytes)
{
    struct call *call = memory_new(sizeof *call);
    *call = (struct call){.bytes = bytes_copy(bytes.data, bytes.length)};
    *world->last = call;
    world->last = &call->next;
}

static void send_call(struct transport *transport, struct slice bytes, transport_on_reply on_reply,
                      void *data)
{
    struct link *link = of_transport(transport);
    note_call(link->world, bytes);
    if (on_reply == NULL)
        return;
    struct answer *answer = memory_new(sizeof *answer);
    *answer = (struct answer){.on_reply = on_reply, .data = data};
    *link->last = answer;
    link->last = &answer->next;
    timer_start(&link->answered, 1000000);
}

static void pause_stream(struct transport *transport, bool paused)
{
    (void)transport, (void)paused;
}

static const struct detector_ops detector_ops = {
    .start = look, .retry = look, .stop = stop_looking, .destroy = stop_looking};

static const struct transport_ops transport_ops = {
    .open = open_stream,
    .close = close_stream,
    .send = send_call,
    .pause = pause_stream,
    .destroy = close_stream,
};

static bool on_connect(void *data, const char *master, const struct credentials_options *credential,
                       struct driver_options *options, struct error *err)
{
    struct world *world = data;
    (void)master, (void)credential;
    if (world->count >= LINKS_MOST)
        return error_set(err, ERROR_LIMIT, "this master takes no more drivers");
    struct link *link = memory_new(sizeof *link);
    *link = (struct link){.next = world->links,
                          .world = world,
                          .detector.ops = &detector_ops,
                          .transport.ops = &transport_ops};
    link->last = &link->first;
    timer_init(&link->found, world->loop, on_found, link);
    timer_init(&link->opened, world->loop, on_opened, link);
    timer_init(&link->answered, world->loop, on_answered, link);
    world->links = link;
    world->count++;
    options->detector = &link->detector;
    options->transport = &link->transport;
    return true;
}

void world_event(struct world *world, struct slice record)
{
    for (struct link *link = world->links; link != NULL; link = link->next)
        if (link->open)
            link->transport.events->record(link->transport.data,
                                           bytes_copy(record.data, record.length));
    world_pass(world, 0, INNER_TURNS);
}

void world_break(struct world *world)
{
    struct error reason = {0};
    error_set(&reason, ERROR_IO, "the stream broke");
    for (struct link *link = world->links; link != NULL; link = link->next) {
        bool was_open = link->open;
        link->open = false;
        if (was_open)
            link->transport.events->ended(link->transport.data, &reason);
    }
    world_pass(world, 0, INNER_TURNS);
}

// ---- the script ----

static void stop_drivers(struct world *world)
{
    world->environment.ending = true;
    for (struct scheduler *each = world->environment.first; each; each = scheduler_next(each)) {
        scheduler_stop(each);
        scheduler_give_up(each);
    }
}

static void on_exit_asked(void *data, int code)
{
    struct world *world = data;
    (void)code;
    if (world->replacing)
        return;
    world->ended = true;
    stop_drivers(world);
}

// A script's own driver:run(), which does not get to run for ever.
static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    struct world *world = data;
    for (unsigned turns = INNER_TURNS; turns > 0 && !done(done_data); turns--)
        world_pass(world, 0.01, 1);
    for (unsigned turns = 9 * INNER_TURNS; !done(done_data) && !world_tired(world); turns--) {
        if (turns == 0)
            abort();
        stop_drivers(world);
        world_pass(world, 0.01, 1);
    }
}

static void on_warning(void *data, const char *text)
{
    (void)data, (void)text;
}

// A script is read from memory, as a version that is brought back is.
static bool load_text(struct world *world, struct script *script, struct slice text,
                      struct error *err)
{
    char path[] = "script.lua";
    struct bytes *bytes = bytes_copy(text.data, text.length);
    const struct source source = {.path = path, .text = bytes};
    sources_unref(world->sources);
    world->sources = sources_create();
    sources_add(world->sources, &source);
    bytes_unref(bytes);
    return script_read_sources(script, world->sources, 0, NULL, err) && script_run(script, err);
}

static struct script *create_script(struct world *world, struct error *err)
{
    const struct script_module modules[] = {{"mesos", module_open, &world->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {.loop = world->loop,
                                             .modules = modules,
                                             .memory_limit = world->settings.memory_limit,
                                             .callback_limit = world->settings.callback_limit,
                                             .sandbox = world->settings.sandbox,
                                             .hash_seed = world->settings.hash_seed,
                                             .idle_collection = world->settings.real,
                                             .on_exit = on_exit_asked,
                                             .data = world};
    return script_create(&settings, err);
}

bool world_load(struct world *world, struct slice text, struct error *err)
{
    world->script = create_script(world, err);
    return world->script != NULL && load_text(world, world->script, text, err) &&
           scheduler_adopt(world->script, &world->environment, on_warning, NULL, &world->scheduler,
                           err);
}

static bool is_connected(void *data)
{
    const struct world *world = data;
    return driver_connected(scheduler_driver(world->scheduler));
}

void world_start(struct world *world)
{
    if (world->scheduler == NULL || world->ended)
        return;
    driver_start(scheduler_driver(world->scheduler));
    if (world->settings.real)
        pass_real(world, 5, is_connected, world);
    else
        world_pass(world, 0.005, INNER_TURNS);
}

static bool replace(struct world *world, struct script *script, struct slice text,
                    struct buffer *changes, struct error *err)
{
    return load_text(world, script, text, err) &&
           (!script_exit_requested(script, NULL) ||
            error_set(err, ERROR_SCRIPT, "it asked for the end")) &&
           scheduler_replace(world->scheduler, script, on_warning, NULL, changes, err);
}

// As host/app/reload.c does it.
bool world_reload(struct world *world, struct slice text, struct error *err)
{
    struct buffer changes, state;
    if (world->scheduler == NULL || world->ended ||
        driver_status(scheduler_driver(world->scheduler)) != DRIVER_RUNNING)
        return error_set(err, ERROR_INVALID, "nothing runs");
    buffer_init(&changes, 4096);
    buffer_init(&state, STATE_TABLE_MOST);
    driver_hold(scheduler_driver(world->scheduler));
    world->replacing = world->environment.replacing = true;
    bool saved = state_table_save(world->script, &state, err);
    struct script *script = saved ? create_script(world, err) : NULL;
    bool good = script != NULL && state_table_restore(script, buffer_slice(&state), err) &&
                replace(world, script, text, &changes, err);
    world->replacing = world->environment.replacing = false;
    script_destroy(good ? world->script : script);
    if (good)
        world->script = script;
    driver_release(scheduler_driver(world->scheduler));
    buffer_free(&changes);
    buffer_free(&state);
    world_pass(world, 0, INNER_TURNS);
    return good;
}

// ---- the operator ----

struct asking {
    struct buffer *told; // NULL: no client waits any more
    bool ended;
};

static void on_evaluated(void *data, const struct eval_end *end)
{
    struct asking *asking = data;
    if (asking->told != NULL) {
        buffer_append_slice(asking->told, end->output);
        buffer_append_text(asking->told, end->error ? end->error : "");
        asking->ended = true;
    } else {
        free(asking);
    }
}

void world_eval(struct world *world, struct slice code, struct buffer *told)
{
    if (world->script == NULL)
        return;
    struct asking *asking = memory_new(sizeof *asking);
    *asking = (struct asking){.told = told};
    eval_start(eval_create(world->script, world->scheduler, code, on_evaluated, asking));
    world_pass(world, 0, INNER_TURNS);
    if (asking->ended)
        free(asking);
    else
        asking->told = NULL;
}

bool world_save(struct world *world, struct buffer *out, struct error *err)
{
    if (world->script == NULL)
        return error_set(err, ERROR_INVALID, "there is no script");
    return state_table_save(world->script, out, err);
}

bool world_restore(struct world *world, struct slice bytes, struct error *err)
{
    if (world->script == NULL)
        return error_set(err, ERROR_INVALID, "there is no script");
    return state_table_restore(world->script, bytes, err);
}

// ---- what is seen from outside ----

struct bytes *world_call(struct world *world)
{
    struct call *call = world->first;
    if (call == NULL)
        return NULL;
    struct bytes *bytes = call->bytes;
    world->first = call->next;
    if (world->first == NULL)
        world->last = &world->first;
    free(call);
    return bytes;
}

struct scheduler *world_scheduler(struct world *world)
{
    return world->scheduler;
}

struct script *world_script(struct world *world)
{
    return world->script;
}

bool world_ended(const struct world *world)
{
    return world->ended;
}

// ---- life ----

struct world *world_create(const struct world_settings *settings)
{
    struct world *world = memory_new(sizeof *world);
    world->settings = *settings;
    world->start = clock();
    world->last = &world->first;
    world->loop = open_loop(world);
    world->services =
        (struct scheduler_services){.connect = on_connect, .run = on_run, .data = world};
    world->environment =
        (struct scheduler_environment){.loop = world->loop, .services = &world->services};
    return world;
}

static void close_loop(struct world *world)
{
    if (world->settings.real)
        loop_uv_drain(world->loop);
    loop_destroy(world->loop);
}

static void free_links(struct world *world)
{
    while (world->links != NULL) {
        struct link *link = world->links;
        world->links = link->next;
        free(link);
    }
}

void world_destroy(struct world *world)
{
    stop_drivers(world);
    world_pass(world, 0.005, INNER_TURNS);
    while (world->environment.first != NULL)
        scheduler_destroy(world->environment.first);
    script_destroy(world->script);
    close_loop(world);
    free_links(world);
    for (struct bytes *call; (call = world_call(world)) != NULL;)
        bytes_unref(call);
    sources_unref(world->sources);
    free(world);
}
