// SPDX-License-Identifier: Apache-2.0
//
// The life and the time of a test bed: see testbed.h. It does in one process, and without waiting,
// what host/app does: it makes the Lua state, adopts the scheduler, replaces the script, and takes
// everything down in the order of its dependencies.

#include "bindings/testing/testbed_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "bindings/lib/state_table.h"
#include "bindings/module.h"
#include "bindings/scheduler/submissions.h"
#include "loop/loop_virtual.h"
#include "script/script.h"

#include <stdlib.h>
#include <string.h>

// Turns of the loop at one moment, after which it will not come to rest.
enum { TURNS_MOST = 10000 };

static const double slow = 1;     // seconds of real time, as --callback-warn
static const double too_slow = 2; // and as --callback-limit and --load-limit

// ---- what goes wrong ----

void testbed_fail(struct testbed *bed, const char *text)
{
    if (bed->failure == NULL)
        bed->failure = memory_string(text);
}

char *testbed_failure(struct testbed *bed)
{
    char *failure = bed->failure;
    bed->failure = NULL;
    return failure;
}

static void fail_in(struct testbed *bed, const char *kind, const char *name, const char *text)
{
    char *failure = memory_format("%s%s: %s", kind, name, text);
    testbed_fail(bed, failure);
    free(failure);
}

static bool on_callback_ended(void *data, const char *callback, const char *text)
{
    if (text != NULL)
        fail_in(data, "callback ", callback, text);
    return false;
}

static void on_failure(void *data, const char *what, const char *text)
{
    fail_in(data, "", what, text);
}

// ---- time ----

double testbed_now(const struct testbed *bed)
{
    return loop_wall(bed->loop);
}

// Runs turns until nothing is due by `end`, or `done`.
static void run(struct testbed *bed, uint64_t end, bool (*done)(const struct testbed *bed))
{
    uint64_t moment = loop_now(bed->loop);
    unsigned turns = 0;
    while ((done == NULL || !done(bed)) && loop_virtual_turn(bed->loop, end)) {
        uint64_t now = loop_now(bed->loop);
        turns = now == moment ? turns + 1 : 0;
        moment = now;
        if (turns < TURNS_MOST)
            continue;
        testbed_fail(bed, "the policy does not come to rest: it makes work without end at one "
                          "moment, such as timers of 0 seconds or calls in answer to calls");
        return;
    }
}

// In time that has not passed.
static void settle(struct testbed *bed)
{
    run(bed, loop_now(bed->loop), NULL);
}

void testbed_advance(struct testbed *bed, double seconds)
{
    run(bed, loop_now(bed->loop) + loop_seconds(seconds), NULL);
}

static bool has_asked(const struct testbed *bed)
{
    return bed->master.asked != NULL;
}

bool testbed_await_subscribe(struct testbed *bed, double seconds)
{
    run(bed, loop_now(bed->loop) + loop_seconds(seconds), has_asked);
    return has_asked(bed);
}

// ---- the script ----

static void stop_drivers(struct testbed *bed)
{
    bed->environment.ending = true;
    for (struct scheduler *each = bed->environment.first; each; each = scheduler_next(each)) {
        scheduler_stop(each);
        scheduler_give_up(each);
    }
}

static void on_exit_asked(void *data, int code)
{
    struct testbed *bed = data;
    (void)code;
    if (!bed->replacing)
        stop_drivers(bed);
}

// Never called: driver:start() of a script's own driver has raised.
static void on_run(void *data, bool (*done)(void *data), void *done_data)
{
    (void)data, (void)done, (void)done_data;
}

static void on_warning(void *data, const char *text)
{
    const struct testbed *bed = data;
    log_warning("%s: %s", bed->path, text);
}

// A first version has the state that the test begins with; the next takes that of the one before.
static bool open_world(struct testbed *bed, struct script *script, struct error *err)
{
    bool begins = bed->state->length > 0 && bed->script == NULL;
    return policy_world_open(&bed->world, script, err) &&
           (!begins || state_table_restore(script, slice_of(bed->state), err));
}

static struct script *create_script(struct testbed *bed, struct error *err)
{
    const struct script_module modules[] = {{"mesos", module_open, &bed->environment},
                                            {.name = NULL}};
    const struct script_settings settings = {.loop = bed->loop,
                                             .modules = modules,
                                             .callback_warn = slow,
                                             .callback_limit = too_slow,
                                             .load_limit = too_slow,
                                             .hash_seed = policy_world_hash_seed(&bed->world),
                                             .on_exit = on_exit_asked,
                                             .on_failure = on_failure,
                                             .data = bed};
    struct script *script = script_create(&settings, err);
    if (script == NULL || open_world(bed, script, err))
        return script;
    script_destroy(script);
    return NULL;
}

static bool run_script(struct testbed *bed, struct script *script, struct error *err)
{
    bool loaded = script_load(script, bed->path, bed->argument_count, bed->arguments, err);
    return script_check_exit(script, err) && loaded;
}

static bool adopt(struct testbed *bed, struct error *err)
{
    if (!scheduler_adopt(bed->script, &bed->environment, on_warning, bed, &bed->scheduler, err))
        return false;
    return bed->scheduler != NULL ||
           error_set(err, ERROR_INVALID,
                     "%s returns no scheduler: mesos.testing drives the scheduler that a script "
                     "returns, not one that builds its driver itself",
                     bed->path);
}

static void copy_arguments(struct testbed *bed, int argc, const char *const *argv)
{
    bed->arguments = memory_new(((size_t)argc + 1) * sizeof *bed->arguments);
    for (int i = 0; i < argc; i++)
        bed->arguments[i] = memory_string(argv[i]);
    bed->argument_count = argc;
}

bool testbed_load(struct testbed *bed, const char *path, int argc, const char *const *argv,
                  struct error *err)
{
    bed->path = memory_string(path);
    copy_arguments(bed, argc, argv);
    bed->script = create_script(bed, err);
    if (bed->script == NULL || !run_script(bed, bed->script, err) || !adopt(bed, err))
        return false;
    scheduler_observe(bed->scheduler, on_callback_ended, bed);
    driver_start(scheduler_driver(bed->scheduler));
    settle(bed);
    return true;
}

// ---- another version ----

static bool replace(struct testbed *bed, struct script *script, struct error *err)
{
    struct buffer changes;
    buffer_init(&changes, 4096);
    bool good = run_script(bed, script, err) &&
                scheduler_replace(bed->scheduler, script, on_warning, bed, &changes, err);
    buffer_free(&changes);
    return good;
}

// Leaves the new script, or none.
static struct script *load_version(struct testbed *bed, struct error *err)
{
    struct buffer state;
    buffer_init(&state, STATE_TABLE_MOST);
    bool saved = state_table_save(bed->script, &state, err);
    struct script *script = saved ? create_script(bed, err) : NULL;
    bool good = script != NULL && state_table_restore(script, buffer_slice(&state), err) &&
                replace(bed, script, err);
    buffer_free(&state);
    if (good)
        return script;
    script_destroy(script);
    return NULL;
}

bool testbed_reload(struct testbed *bed, const char *path, struct error *err)
{
    struct driver *driver = scheduler_driver(bed->scheduler);
    char *before = bed->path;
    if (driver_status(driver) != DRIVER_RUNNING)
        return error_set(err, ERROR_INVALID, "nothing is reloaded: the driver does not run");
    bed->path = memory_string(path ? path : before);
    driver_hold(driver);
    bed->replacing = bed->environment.replacing = true;
    struct script *script = load_version(bed, err);
    bed->replacing = bed->environment.replacing = false;
    free(script != NULL ? before : bed->path);
    if (script == NULL) {
        bed->path = before;
    } else {
        script_destroy(bed->script);
        bed->script = script;
    }
    driver_release(driver);
    settle(bed);
    return script != NULL;
}

// ---- what the test asks ----

enum driver_status testbed_status(const struct testbed *bed)
{
    return driver_status(scheduler_driver(bed->scheduler));
}

bool testbed_state(struct testbed *bed, struct buffer *out, struct error *err)
{
    return state_table_save(bed->script, out, err);
}

// A job that waits may outlive the test's interest in its answer.
struct testbed_job {
    struct buffer *answer; // NULL: nothing waits for it
    bool ended, good;
};

static void on_answer(void *data, const struct submission_end *end)
{
    struct testbed_job *job = data;
    if (job->answer == NULL) {
        free(job);
        return;
    }
    job->ended = true;
    job->good = end->ok;
    buffer_append_slice(job->answer, end->text);
}

bool testbed_submit(struct testbed *bed, struct slice bytes, bool *ended, bool *good,
                    struct buffer *answer, struct error *err)
{
    struct testbed_job *job = memory_new(sizeof *job);
    struct bytes *copy = bytes_copy(bytes.data, bytes.length);
    job->answer = answer;
    if (!scheduler_submit(bed->scheduler, copy, on_answer, job, err)) {
        free(job);
        return false;
    }
    settle(bed);
    *ended = job->ended;
    *good = job->good;
    job->answer = NULL;
    if (job->ended)
        free(job);
    return true;
}

// ---- life ----

struct testbed *testbed_create(const struct testbed_settings *settings)
{
    struct testbed *bed = memory_new(sizeof *bed);
    bed->events = settings->events;
    bed->state = bytes_copy(settings->state.data, settings->state.length);
    bed->loop = loop_virtual_create(settings->time);
    bed->world = (struct policy_world){.loop = bed->loop,
                                       .seed = settings->seed,
                                       .stub = settings->events->stub,
                                       .data = settings->events->data};
    queue_init(&bed->master.calls);
    bed->services =
        (struct scheduler_services){.connect = testbed_master_connect, .run = on_run, .data = bed};
    bed->environment = (struct scheduler_environment){
        .loop = bed->loop, .services = &bed->services, .testing = true};
    return bed;
}

static void free_arguments(struct testbed *bed)
{
    for (int i = 0; i < bed->argument_count; i++)
        free(bed->arguments[i]);
    free(bed->arguments);
}

void testbed_destroy(struct testbed *bed)
{
    if (bed->scheduler != NULL)
        scheduler_observe(bed->scheduler, NULL, NULL);
    while (bed->environment.first != NULL)
        scheduler_destroy(bed->environment.first);
    script_destroy(bed->script);
    testbed_master_free(bed);
    loop_destroy(bed->loop);
    bytes_unref(bed->state);
    free_arguments(bed);
    free(bed->failure);
    free(bed->path);
    free(bed);
}
