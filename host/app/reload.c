// SPDX-License-Identifier: Apache-2.0
//
// New versions: see reload.h. Everything that events wait for happens in on_turn(), which the loop
// calls when no Lua code runs. Failures only note what is due and hold back the events. If a
// callback is suspended, the turn comes at its end, or when the patience with it is over.
//
// Before it, on_reading() opens a Lua state for a version that was requested and compiles its file;
// then events still come to the current version for a moment. What cannot be read ahead is read in
// the turn, which reports why. The old state ends in the turn: its finalizers may not run any more
// when the new version is called.

#include "app/reload.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "bindings/lib/state_table.h"
#include "loop/file_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double notice_after = 1;   // seconds that a callback delays a reload before a warning
static const double patience_after = 4; // seconds more until it is given up

// Nanoseconds between reading and the turn, in which the loop looks at what has come.
static const uint64_t between = LOOP_SECOND / 1000;

enum { CHANGES_MOST = 4096, WHY_MOST = 64, LISTENERS_MOST = 2 };

struct listener {
    void (*on_result)(void *data, bool ok, const char *text);
    void *data;
};

struct reload {
    struct reload_settings settings;
    struct script *script;      // the one that runs
    struct script *next;        // read ahead, and not run; or NULL
    struct sources *failed;     // the last version that did not work, or NULL
    struct sources *previous;   // of the previous version, while this one is on probation; or NULL
    struct buffer state_before; // mesos.state as the previous version left it
    int64_t probation;          // callbacks that are left

    struct file_watch *watch; // NULL: off
    struct deferral reading, turn, rewatch;
    struct timer asking, patience;
    bool asked; // for the turn: events are held
    bool noticed;
    bool loading;

    char why[WHY_MOST]; // the reason to load a version; empty: none is requested
    char *failure;      // what raised on probation: a roll back is due; or NULL
    bool redeliver;     // that was a callback, whose event is delivered again

    struct session_reloads counters;
    struct listener listeners[LISTENERS_MOST];
};

static const char *path(const struct reload *reload)
{
    return reload->settings.options->script;
}

static struct driver *driver(const struct reload *reload)
{
    return scheduler_driver(reload->settings.scheduler);
}

static void report(struct reload *reload, bool ok, enum log_level level, const char *text)
{
    log_write(level, "%s", text);
    for (size_t i = 0; i < LISTENERS_MOST && reload->listeners[i].on_result != NULL; i++)
        reload->listeners[i].on_result(reload->listeners[i].data, ok, text);
}

// ---- what is watched ----

static bool listed(const char *const *paths, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], wanted) == 0)
            return true;
    return false;
}

static size_t list_paths(const struct sources *sources, const char **paths, size_t count)
{
    for (size_t i = 0; sources != NULL && i < sources_count(sources); i++) {
        const struct source *source = sources_at(sources, i);
        if (source->regular && !listed(paths, count, source->path))
            paths[count++] = source->path;
    }
    return count;
}

static void watch_files(struct reload *reload)
{
    const struct sources *sources = script_sources(reload->script);
    size_t most = sources_count(sources) + (reload->failed ? sources_count(reload->failed) : 0);
    if (reload->watch == NULL)
        return;
    const char **paths = memory_new((most + 1) * sizeof *paths);
    size_t count = list_paths(sources, paths, 0);
    count = list_paths(reload->failed, paths, count);
    file_watch_set(reload->watch, paths, count);
    free(paths);
}

static void on_rewatch(void *data)
{
    watch_files(data);
}

static void set_failed(struct reload *reload, struct sources *sources)
{
    if (sources != NULL)
        sources_ref(sources);
    sources_unref(reload->failed);
    reload->failed = sources;
}

// ---- when ----

static bool running(const struct reload *reload)
{
    return driver_status(driver(reload)) == DRIVER_RUNNING;
}

// The turn comes now, or when the current callback has ended.
static void ask_for_turn(struct reload *reload)
{
    const char *callback = scheduler_callback(reload->settings.scheduler);
    reload->asked = true;
    driver_hold(driver(reload));
    if (callback == NULL) {
        deferral_queue(&reload->turn);
    } else if (!timer_active(&reload->patience)) {
        log_debug("the reload of %s waits for the end of callback %s", path(reload), callback);
        reload->noticed = false;
        timer_start(&reload->patience, loop_seconds(notice_after));
    }
}

void reload_request(struct reload *reload, const char *why)
{
    if (!running(reload)) {
        log_info("%s is not reloaded (%s): its driver does not run", path(reload), why);
        return;
    }
    snprintf(reload->why, sizeof reload->why, "%s", why);
    deferral_queue(&reload->reading);
}

static void on_patience(void *data)
{
    struct reload *reload = data;
    const char *callback = scheduler_callback(reload->settings.scheduler);
    if (callback != NULL && !reload->noticed) {
        reload->noticed = true;
        log_warning("the reload of %s has been waiting for %g s for the end of callback %s, which "
                    "is given up after %g s",
                    path(reload), notice_after, callback, notice_after + patience_after);
        timer_start(&reload->patience, loop_seconds(patience_after));
        return;
    }
    deferral_queue(&reload->turn);
}

// Something happened to a file; a reload is due only if the contents of one differ from the last
// time.
static void on_change(void *data)
{
    struct reload *reload = data;
    if (!sources_changed(script_sources(reload->script))) {
        if (reload->failed != NULL && sources_changed(reload->failed)) {
            log_info("%s is as it was again: the version that runs goes on", path(reload));
            set_failed(reload, NULL);
        }
        watch_files(reload);
        return;
    }
    if (reload->failed == NULL || sources_changed(reload->failed))
        reload_request(reload, "a file changed");
    else
        watch_files(reload);
}

// ---- probation ----

static void end_probation(struct reload *reload)
{
    sources_unref(reload->previous);
    reload->previous = NULL;
    reload->probation = 0;
    buffer_free(&reload->state_before);
}

// A version that is being rolled back cannot be the target of a roll back.
static void begin_probation(struct reload *reload, struct sources *previous, struct slice state)
{
    struct sources *good =
        sources_ref(reload->failure && reload->previous ? reload->previous : previous);
    end_probation(reload);
    if (reload->settings.options->reload_probation == 0) {
        sources_unref(good);
        return;
    }
    reload->previous = good;
    reload->probation = reload->settings.options->reload_probation;
    buffer_append_slice(&reload->state_before, state);
}

// The first line of a failure is the error; its traceback is in the log already.
static void record_failure(struct reload *reload, const char *kind, const char *name,
                           const char *text)
{
    free(reload->failure);
    reload->failure = memory_format("%s%s: %.*s", kind, name, (int)strcspn(text, "\n"), text);
    reload->probation = 0;
}

void reload_failed(struct reload *reload, const char *what, const char *text)
{
    if (reload->probation == 0 || reload->loading || !running(reload))
        return;
    record_failure(reload, "", what, text);
    reload->redeliver = false;
    ask_for_turn(reload);
}

static bool on_callback_ended(void *data, const char *callback, const char *text)
{
    struct reload *reload = data;
    bool failed = text != NULL && reload->probation > 0 && running(reload);
    if (failed) {
        record_failure(reload, "callback ", callback, text);
        reload->redeliver = reload->asked = true;
        driver_hold(driver(reload));
    } else if (reload->probation > 0 && --reload->probation == 0) {
        log_debug("the new version of %s has passed its probation", path(reload));
        end_probation(reload);
    }
    if (reload->asked)
        deferral_queue(&reload->turn);
    return failed;
}

// ---- a version ----

struct version {
    struct script *script;
    struct sources *sources; // what it is loaded from; NULL: its files
    struct buffer state, changes;
    struct error error;
};

static void on_name_warning(void *data, const char *text)
{
    const struct reload *reload = data;
    log_warning("%s: %s", path(reload), text);
}

// Copies the current state. One that cannot be stored does not prevent a roll back.
static bool copy_state(struct reload *reload, struct version *version)
{
    if (state_table_save(reload->script, &version->state, &version->error))
        return true;
    if (version->sources == NULL)
        return false;
    log_warning("%s; mesos.state is rolled back, too", version->error.text);
    buffer_append_slice(&version->state, buffer_slice(&reload->state_before));
    return true;
}

static struct script *create(struct reload *reload, struct error *err)
{
    return reload->settings.create(reload->settings.data, err);
}

static bool read_files(const struct reload *reload, struct version *version)
{
    const struct options *options = reload->settings.options;
    struct script *script = version->script;
    if (version->sources != NULL)
        return script_read_sources(script, version->sources, options->argc, options->argv,
                                   &version->error);
    return script_read(script, options->script, options->argc, options->argv, &version->error);
}

static bool run(struct version *version)
{
    bool loaded = script_run(version->script, &version->error);
    return script_check_exit(version->script, &version->error) && loaded;
}

static void drop_next(struct reload *reload)
{
    deferral_cancel(&reload->reading);
    timer_stop(&reload->asking);
    script_destroy(reload->next);
    reload->next = NULL;
}

// No line of the script runs before its turn.
static void on_reading(void *data)
{
    struct reload *reload = data;
    struct version version = {.sources = NULL};
    drop_next(reload);
    reload->loading = true;
    version.script = create(reload, &version.error);
    if (version.script != NULL && read_files(reload, &version))
        reload->next = version.script;
    else
        script_destroy(version.script);
    reload->loading = false;
    timer_start(&reload->asking, between);
}

static void on_asking(void *data)
{
    ask_for_turn(data);
}

// The version that was read ahead, unless its files have changed since, or a new one.
static bool get_read(struct reload *reload, struct version *version)
{
    bool ahead = version->sources == NULL && reload->next != NULL &&
                 !sources_changed(script_sources(reload->next));
    version->script = ahead ? reload->next : create(reload, &version->error);
    if (ahead)
        reload->next = NULL;
    return version->script != NULL && (ahead || read_files(reload, version));
}

// A state that cannot be stored would prevent the next reload.
static bool load(struct reload *reload, struct version *version)
{
    return copy_state(reload, version) && get_read(reload, version) &&
           state_table_restore(version->script, buffer_slice(&version->state), &version->error) &&
           run(version) && state_table_check(version->script, &version->error) &&
           scheduler_replace(reload->settings.scheduler, version->script, on_name_warning, reload,
                             &version->changes, &version->error);
}

// Loads the version and replaces the one that runs, or leaves everything as it was.
static bool load_and_replace(struct reload *reload, struct version *version)
{
    reload->loading = reload->settings.environment->replacing = true;
    reload->settings.loading(reload->settings.data, true);
    bool loaded = load(reload, version);
    reload->loading = reload->settings.environment->replacing = false;
    reload->settings.loading(reload->settings.data, false);
    return loaded;
}

static void init_version(struct version *version, struct sources *sources)
{
    *version = (struct version){.sources = sources};
    buffer_init(&version->state, STATE_TABLE_MOST);
    buffer_init(&version->changes, CHANGES_MOST);
}

static void free_version(struct version *version)
{
    buffer_free(&version->state);
    buffer_free(&version->changes);
}

// The old Lua state ends here, with its timers and coroutines.
static void swap(struct reload *reload, struct version *version)
{
    struct script *old = reload->script;
    reload->script = version->script;
    reload->settings.swapped(reload->settings.data, version->script);
    script_destroy(old);
}

// ---- loading a new one ----

static void report_swapped(struct reload *reload, const struct sources *old,
                           struct version *version, double started)
{
    struct buffer files;
    buffer_init(&files, CHANGES_MOST);
    sources_compare(old, script_sources(reload->script), &files);
    reload->counters.swapped++;
    reload->counters.pause = stopwatch_seconds() - started;
    const char *changes = buffer_string(&version->changes);
    const char *names = buffer_string(&files);
    char *text = memory_format("%s reloaded in %.1f ms (%s): %s%s%s%s", path(reload),
                               reload->counters.pause * 1e3, reload->why, *names ? "changed " : "",
                               *names ? names : "no file changed", *changes ? "; " : "", changes);
    report(reload, true, LOG_INFO, text);
    free(text);
    buffer_free(&files);
}

static void report_failed(struct reload *reload, const struct version *version)
{
    reload->counters.failed++;
    char *text = memory_format("%s was not reloaded (%s), the version that runs goes on: %s",
                               path(reload), reload->why, version->error.text);
    report(reload, false, LOG_ERROR, text);
    free(text);
}

static bool load_new(struct reload *reload)
{
    struct version version;
    struct sources *old = sources_ref(script_sources(reload->script));
    double started = stopwatch_seconds();
    init_version(&version, NULL);
    bool loaded = load_and_replace(reload, &version);
    if (loaded) {
        swap(reload, &version);
        set_failed(reload, NULL);
        report_swapped(reload, old, &version, started);
        begin_probation(reload, old, buffer_slice(&version.state));
    } else {
        report_failed(reload, &version);
        set_failed(reload, version.script ? script_sources(version.script) : NULL);
        script_destroy(version.script);
    }
    sources_unref(old);
    free_version(&version);
    return loaded;
}

// ---- rolling back ----

static void report_rolled_back(struct reload *reload, double started)
{
    reload->counters.taken_back++;
    reload->counters.pause = stopwatch_seconds() - started;
    char *text =
        memory_format("%s: the version before is back after %.1f ms%s; the new one, which "
                      "raised in %s, is tried again when a file changes",
                      path(reload), reload->counters.pause * 1e3,
                      reload->redeliver ? " and is given the event again" : "", reload->failure);
    report(reload, false, LOG_WARNING, text);
    free(text);
}

static void report_stuck(struct reload *reload, const struct version *version)
{
    char *text = memory_format("%s: the version before cannot come back, the new one goes on: %s",
                               path(reload), version->error.text);
    report(reload, false, LOG_ERROR, text);
    free(text);
}

static void roll_back(struct reload *reload)
{
    struct version version;
    struct sources *bad = sources_ref(script_sources(reload->script));
    double started = stopwatch_seconds();
    init_version(&version, reload->previous);
    if (load_and_replace(reload, &version)) {
        swap(reload, &version);
        set_failed(reload, bad);
        report_rolled_back(reload, started);
    } else {
        report_stuck(reload, &version);
        script_destroy(version.script);
    }
    end_probation(reload);
    free_version(&version);
    sources_unref(bad);
}

// ---- the turn ----

// A request that came while a roll back is due may repair the script. If it fails, the version is
// rolled back all the same.
static void do_due_work(struct reload *reload)
{
    bool wanted = *reload->why != '\0', done = wanted && running(reload) && load_new(reload);
    if (!done && reload->failure != NULL && running(reload))
        roll_back(reload);
    drop_next(reload);
    *reload->why = '\0';
    free(reload->failure);
    reload->failure = NULL;
}

static void on_turn(void *data)
{
    struct reload *reload = data;
    bool due = *reload->why != '\0' || reload->failure != NULL;
    bool waits = scheduler_callback(reload->settings.scheduler) != NULL;
    if (due && waits && timer_active(&reload->patience))
        return;
    if (due && waits)
        log_warning("callback %s is given up for the reload of %s; its event comes again",
                    scheduler_callback(reload->settings.scheduler), path(reload));
    timer_stop(&reload->patience);
    reload->asked = false;
    if (due) {
        do_due_work(reload);
        watch_files(reload);
    }
    driver_release(driver(reload));
}

// ---- life ----

struct reload *reload_create(const struct reload_settings *settings)
{
    struct reload *reload = memory_new(sizeof *reload);
    reload->settings = *settings;
    reload->script = settings->script;
    buffer_init(&reload->state_before, STATE_TABLE_MOST);
    deferral_init(&reload->reading, settings->loop, on_reading, reload);
    deferral_init(&reload->turn, settings->loop, on_turn, reload);
    deferral_init(&reload->rewatch, settings->loop, on_rewatch, reload);
    timer_init(&reload->asking, settings->loop, on_asking, reload);
    timer_init(&reload->patience, settings->loop, on_patience, reload);
    scheduler_observe(settings->scheduler, on_callback_ended, reload);
    if (!settings->options->no_watch) {
        reload->watch = file_watch_create(settings->loop, on_change, reload);
        watch_files(reload);
        file_watch_touch(reload->watch);
    }
    return reload;
}

void reload_destroy(struct reload *reload)
{
    if (reload == NULL)
        return;
    scheduler_observe(reload->settings.scheduler, NULL, NULL);
    file_watch_destroy(reload->watch);
    drop_next(reload);
    deferral_cancel(&reload->turn);
    deferral_cancel(&reload->rewatch);
    timer_stop(&reload->patience);
    sources_unref(reload->failed);
    end_probation(reload);
    free(reload->failure);
    free(reload);
}

bool reload_loading(const struct reload *reload)
{
    return reload != NULL && reload->loading;
}

void reload_add_source(struct reload *reload)
{
    if (reload != NULL && !reload->loading && reload->watch != NULL)
        deferral_queue(&reload->rewatch);
}

const struct session_reloads *reload_counters(const struct reload *reload)
{
    return &reload->counters;
}

void reload_listen(struct reload *reload, void (*on_result)(void *data, bool ok, const char *text),
                   void *data)
{
    size_t i = 0;
    while (i < LISTENERS_MOST - 1 && reload->listeners[i].on_result != NULL &&
           reload->listeners[i].on_result != on_result)
        i++;
    reload->listeners[i] = (struct listener){.on_result = on_result, .data = data};
}
