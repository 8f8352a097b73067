// SPDX-License-Identifier: Apache-2.0
//
// New versions: see reload.h. Everything happens in on_turn(), which the loop calls when no Lua
// code runs: requests and failures only note what is to be done and hold back the events, and the
// end of the callback that holds it up, if there is one, or the loss of patience with it, brings
// the turn.

#include "app/reload.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "bindings/lib/state_table.h"
#include "loop/file_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double notice_after = 1;   // seconds that a callback holds up a reload unnoticed
static const double patience_after = 4; // seconds more until it is given up

enum { CHANGES_MOST = 4096, WHY_MOST = 64, LISTENERS_MOST = 2 };

struct listener {
    void (*told)(void *data, bool ok, const char *text);
    void *data;
};

struct reload {
    struct reload_settings settings;
    struct script *script;      // that runs
    struct sources *tried;      // the last that did not work, or NULL
    struct sources *before;     // of the version before, while this one is on probation; or NULL
    struct buffer state_before; // mesos.state as that version left it
    int64_t probation;          // callbacks that are left

    struct file_watch *watch; // NULL: off
    struct deferral turn, rewatch;
    struct timer patience;
    bool noticed;
    bool loading;

    char why[WHY_MOST]; // a version is to be loaded; empty: none is
    char *blame;        // the version that runs is to be taken back: what of it raised
    bool event;         // that was a callback, whose event comes again

    struct session_reloads counters;
    struct listener listeners[LISTENERS_MOST];
};

static const char *path(const struct reload *this)
{
    return this->settings.options->script;
}

static struct driver *driver(const struct reload *this)
{
    return scheduler_driver(this->settings.scheduler);
}

static void tell(struct reload *this, bool ok, enum log_level level, const char *text)
{
    log_write(level, "%s", text);
    for (size_t i = 0; i < LISTENERS_MOST && this->listeners[i].told != NULL; i++)
        this->listeners[i].told(this->listeners[i].data, ok, text);
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

static void watch_files(struct reload *this)
{
    const struct sources *sources = script_sources(this->script);
    size_t most = sources_count(sources) + (this->tried ? sources_count(this->tried) : 0);
    if (this->watch == NULL)
        return;
    const char **paths = memory_new((most + 1) * sizeof *paths);
    size_t count = list_paths(sources, paths, 0);
    count = list_paths(this->tried, paths, count);
    file_watch_set(this->watch, paths, count);
    free(paths);
}

static void on_rewatch(void *data)
{
    watch_files(data);
}

static void remember_failed(struct reload *this, struct sources *sources)
{
    if (sources != NULL)
        sources_ref(sources);
    sources_unref(this->tried);
    this->tried = sources;
}

// ---- when ----

static bool running(const struct reload *this)
{
    return driver_status(driver(this)) == DRIVER_RUNNING;
}

// The turn comes now, or when the callback that runs has ended.
static void ask_for_turn(struct reload *this)
{
    const char *callback = scheduler_callback(this->settings.scheduler);
    driver_hold(driver(this));
    if (callback == NULL) {
        deferral_queue(&this->turn);
    } else if (!timer_active(&this->patience)) {
        log_debug("the reload of %s waits for the end of callback %s", path(this), callback);
        this->noticed = false;
        timer_start(&this->patience, loop_seconds(notice_after));
    }
}

void reload_request(struct reload *this, const char *why)
{
    if (!running(this)) {
        log_info("%s is not reloaded (%s): its driver does not run", path(this), why);
        return;
    }
    snprintf(this->why, sizeof this->why, "%s", why);
    ask_for_turn(this);
}

static void on_patience(void *data)
{
    struct reload *this = data;
    const char *callback = scheduler_callback(this->settings.scheduler);
    if (callback != NULL && !this->noticed) {
        this->noticed = true;
        log_warning("the reload of %s has been waiting for %g s for the end of callback %s, which "
                    "is given up after %g s",
                    path(this), notice_after, callback, notice_after + patience_after);
        timer_start(&this->patience, loop_seconds(patience_after));
        return;
    }
    deferral_queue(&this->turn);
}

// Something has happened to a file: is any of them another than the last time?
static void on_change(void *data)
{
    struct reload *this = data;
    if (!sources_changed(script_sources(this->script))) {
        if (this->tried != NULL && sources_changed(this->tried)) {
            log_info("%s is as it was again: the version that runs goes on", path(this));
            remember_failed(this, NULL);
        }
        watch_files(this);
        return;
    }
    if (this->tried == NULL || sources_changed(this->tried))
        reload_request(this, "a file changed");
    else
        watch_files(this);
}

// ---- probation ----

static void end_probation(struct reload *this)
{
    sources_unref(this->before);
    this->before = NULL;
    this->probation = 0;
    buffer_free(&this->state_before);
}

// One that was to be taken back itself is nothing to go back to.
static void begin_probation(struct reload *this, struct sources *before, struct slice state)
{
    struct sources *good = sources_ref(this->blame && this->before ? this->before : before);
    end_probation(this);
    if (this->settings.options->reload_probation == 0) {
        sources_unref(good);
        return;
    }
    this->before = good;
    this->probation = this->settings.options->reload_probation;
    buffer_append_slice(&this->state_before, state);
}

// The first line of a failure is what went wrong; the rest, its traceback, is in the log already.
static void blame(struct reload *this, const char *kind, const char *name, const char *text)
{
    free(this->blame);
    this->blame = memory_format("%s%s: %.*s", kind, name, (int)strcspn(text, "\n"), text);
    this->probation = 0;
}

void reload_failed(struct reload *this, const char *what, const char *text)
{
    if (this->probation == 0 || this->loading || !running(this))
        return;
    blame(this, "", what, text);
    this->event = false;
    ask_for_turn(this);
}

static bool on_callback_ended(void *data, const char *callback, const char *text)
{
    struct reload *this = data;
    bool guilty = text != NULL && this->probation > 0 && running(this);
    if (guilty) {
        blame(this, "callback ", callback, text);
        this->event = true;
        driver_hold(driver(this));
    } else if (this->probation > 0 && --this->probation == 0) {
        log_debug("the new version of %s has passed its probation", path(this));
        end_probation(this);
    }
    if (this->blame != NULL || *this->why != '\0')
        deferral_queue(&this->turn);
    return guilty;
}

// ---- a version ----

struct version {
    struct script *script;
    struct sources *kept; // where it is loaded from; NULL: its files
    struct buffer state, changes;
    struct error error;
};

static void on_name_warning(void *data, const char *text)
{
    const struct reload *this = data;
    log_warning("%s: %s", path(this), text);
}

// The state as it is; one that cannot be kept does not hold up a version that is brought back.
static bool take_state(struct reload *this, struct version *version)
{
    if (state_table_save(this->script, &version->state, &version->error))
        return true;
    if (version->kept == NULL)
        return false;
    log_warning("%s; mesos.state is taken back to what it was", version->error.text);
    buffer_append_slice(&version->state, buffer_slice(&this->state_before));
    return true;
}

static bool load_files(struct reload *this, struct version *version)
{
    const struct options *options = this->settings.options;
    struct script *script = version->script;
    bool loaded = version->kept ? script_load_sources(script, version->kept, options->argc,
                                                      options->argv, &version->error)
                                : script_load(script, options->script, options->argc, options->argv,
                                              &version->error);
    if (script_exit_requested(script, NULL))
        return error_set(&version->error, ERROR_SCRIPT,
                         "%s: it asked for the end of the program while it was loaded",
                         options->script);
    return loaded;
}

// What cannot be kept would be in the way of the next version.
static bool check_state(const struct version *version, struct error *err)
{
    struct buffer scratch;
    buffer_init(&scratch, STATE_TABLE_MOST);
    bool fine = state_table_save(version->script, &scratch, err);
    buffer_free(&scratch);
    return fine;
}

static bool load(struct reload *this, struct version *version)
{
    if (!take_state(this, version))
        return false;
    version->script = this->settings.create(this->settings.data, &version->error);
    return version->script != NULL &&
           state_table_restore(version->script, buffer_slice(&version->state), &version->error) &&
           load_files(this, version) && check_state(version, &version->error) &&
           scheduler_replace(this->settings.scheduler, version->script, on_name_warning, this,
                             &version->changes, &version->error);
}

// Loads it and puts it in the place of the one that runs, or leaves everything as it was.
static bool take_over(struct reload *this, struct version *version)
{
    this->loading = this->settings.environment->replacing = true;
    bool loaded = load(this, version);
    this->loading = this->settings.environment->replacing = false;
    return loaded;
}

static void init_version(struct version *version, struct sources *kept)
{
    *version = (struct version){.kept = kept};
    buffer_init(&version->state, STATE_TABLE_MOST);
    buffer_init(&version->changes, CHANGES_MOST);
}

static void free_version(struct version *version)
{
    buffer_free(&version->state);
    buffer_free(&version->changes);
}

// The old world ends here, with its timers and coroutines.
static void swap(struct reload *this, struct version *version)
{
    struct script *old = this->script;
    this->script = version->script;
    this->settings.swapped(this->settings.data, version->script);
    script_destroy(old);
}

// ---- loading a new one ----

static void tell_swapped(struct reload *this, const struct sources *old, struct version *version,
                         double started)
{
    struct buffer files;
    buffer_init(&files, CHANGES_MOST);
    sources_compare(old, script_sources(this->script), &files);
    this->counters.swapped++;
    this->counters.pause = stopwatch_seconds() - started;
    const char *changes = buffer_string(&version->changes);
    const char *names = buffer_string(&files);
    char *text = memory_format("%s reloaded in %.1f ms (%s): %s%s%s%s", path(this),
                               this->counters.pause * 1e3, this->why, *names ? "changed " : "",
                               *names ? names : "no file changed", *changes ? "; " : "", changes);
    tell(this, true, LOG_INFO, text);
    free(text);
    buffer_free(&files);
}

static void tell_failed(struct reload *this, const struct version *version)
{
    this->counters.failed++;
    char *text = memory_format("%s was not reloaded (%s), the version that runs goes on: %s",
                               path(this), this->why, version->error.text);
    tell(this, false, LOG_ERROR, text);
    free(text);
}

static bool load_new(struct reload *this)
{
    struct version version;
    struct sources *old = sources_ref(script_sources(this->script));
    double started = stopwatch_seconds();
    init_version(&version, NULL);
    bool loaded = take_over(this, &version);
    if (loaded) {
        swap(this, &version);
        remember_failed(this, NULL);
        tell_swapped(this, old, &version, started);
        begin_probation(this, old, buffer_slice(&version.state));
    } else {
        tell_failed(this, &version);
        remember_failed(this, version.script ? script_sources(version.script) : NULL);
        script_destroy(version.script);
    }
    sources_unref(old);
    free_version(&version);
    return loaded;
}

// ---- going back ----

static void tell_taken_back(struct reload *this, double started)
{
    this->counters.taken_back++;
    this->counters.pause = stopwatch_seconds() - started;
    char *text = memory_format("%s: the version before is back after %.1f ms%s; the new one, which "
                               "raised in %s, is tried again when a file changes",
                               path(this), this->counters.pause * 1e3,
                               this->event ? " and is given the event again" : "", this->blame);
    tell(this, false, LOG_WARNING, text);
    free(text);
}

static void tell_stuck(struct reload *this, const struct version *version)
{
    char *text = memory_format("%s: the version before cannot come back, the new one goes on: %s",
                               path(this), version->error.text);
    tell(this, false, LOG_ERROR, text);
    free(text);
}

static void go_back(struct reload *this)
{
    struct version version;
    struct sources *bad = sources_ref(script_sources(this->script));
    double started = stopwatch_seconds();
    init_version(&version, this->before);
    if (take_over(this, &version)) {
        swap(this, &version);
        remember_failed(this, bad);
        tell_taken_back(this, started);
    } else {
        tell_stuck(this, &version);
        script_destroy(version.script);
    }
    end_probation(this);
    free_version(&version);
    sources_unref(bad);
}

// ---- the turn ----

// A request that came while the version that runs is to be taken back may bring the remedy. If the
// request fails, it is taken back all the same.
static void do_what_is_due(struct reload *this)
{
    bool wanted = *this->why != '\0', done = wanted && running(this) && load_new(this);
    if (!done && this->blame != NULL && running(this))
        go_back(this);
    *this->why = '\0';
    free(this->blame);
    this->blame = NULL;
}

static void on_turn(void *data)
{
    struct reload *this = data;
    bool due = *this->why != '\0' || this->blame != NULL;
    bool waits = scheduler_callback(this->settings.scheduler) != NULL;
    if (due && waits && timer_active(&this->patience))
        return;
    if (due && waits)
        log_warning("callback %s is given up for the reload of %s; its event comes again",
                    scheduler_callback(this->settings.scheduler), path(this));
    timer_stop(&this->patience);
    if (due) {
        do_what_is_due(this);
        watch_files(this);
    }
    driver_release(driver(this));
}

// ---- the face ----

struct reload *reload_create(const struct reload_settings *settings)
{
    struct reload *this = memory_new(sizeof *this);
    this->settings = *settings;
    this->script = settings->script;
    buffer_init(&this->state_before, STATE_TABLE_MOST);
    deferral_init(&this->turn, settings->loop, on_turn, this);
    deferral_init(&this->rewatch, settings->loop, on_rewatch, this);
    timer_init(&this->patience, settings->loop, on_patience, this);
    scheduler_observe(settings->scheduler, on_callback_ended, this);
    if (!settings->options->no_watch) {
        this->watch = file_watch_create(settings->loop, on_change, this);
        watch_files(this);
        file_watch_touch(this->watch);
    }
    return this;
}

void reload_destroy(struct reload *this)
{
    if (this == NULL)
        return;
    scheduler_observe(this->settings.scheduler, NULL, NULL);
    file_watch_destroy(this->watch);
    deferral_cancel(&this->turn);
    deferral_cancel(&this->rewatch);
    timer_stop(&this->patience);
    sources_unref(this->tried);
    end_probation(this);
    free(this->blame);
    free(this);
}

bool reload_loading(const struct reload *this)
{
    return this != NULL && this->loading;
}

void reload_add_source(struct reload *this)
{
    if (this != NULL && !this->loading && this->watch != NULL)
        deferral_queue(&this->rewatch);
}

const struct session_reloads *reload_counters(const struct reload *this)
{
    return &this->counters;
}

void reload_listen(struct reload *this, void (*told)(void *data, bool ok, const char *text),
                   void *data)
{
    size_t i = 0;
    while (i < LISTENERS_MOST - 1 && this->listeners[i].told != NULL &&
           this->listeners[i].told != told)
        i++;
    this->listeners[i] = (struct listener){.told = told, .data = data};
}
