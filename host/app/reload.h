// SPDX-License-Identifier: Apache-2.0
//
// New versions of a hosted script while its framework runs. When a file of the script changes, or
// on request, the script is loaded whole in a Lua state of its own, with a copy of mesos.state;
// only if that works does it replace the one that runs, between two callbacks. Events wait for the
// copy, the main chunk and the swap; the file is compiled before. A failure leaves the old version
// running and is logged once.
//
// A new version is on probation for its first callbacks: if one of them raises, the host rolls back
// to the previous version, from memory, with the current mesos.state, and delivers the event that
// failed again. A timer or a spawned function that raises meanwhile has the same effect. A version
// that did not load, or was rolled back, is not tried again until a file changes or a reload is
// requested.

#ifndef MESOS_LUA_APP_RELOAD_H
#define MESOS_LUA_APP_RELOAD_H

#include "app/options.h"
#include "bindings/scheduler/scheduler.h"
#include "ops/session.h"
#include "script/script.h"

struct reload;

struct reload_settings {
    const struct options *options;
    struct loop *loop;
    struct script *script; // the first version; later ones are handed to `swapped`
    struct scheduler *scheduler;
    struct scheduler_environment *environment;

    // Creates an empty Lua state. Until it is swapped in, its script cannot end the host.
    struct script *(*create)(void *data, struct error *err);
    // `script` runs now and is the host's; the previous one is destroyed after the call.
    void (*swapped)(void *data, struct script *script);
    // A version is being loaded from now on, or it has been, whatever became of it.
    void (*loading)(void *data, bool loading);
    void *data;
};

// Starts to watch the files, unless the options say no. All that the settings point to must outlive
// it.
struct reload *reload_create(const struct reload_settings *settings);
void reload_destroy(struct reload *reload); // NULL is fine

// Reloads the script, changed or not, as soon as no callback runs. `why` is for the log: "SIGHUP".
void reload_request(struct reload *reload, const char *why);

// Something of the current version, other than a callback ("timer of x.lua:3"), raised.
void reload_failed(struct reload *reload, const char *what, const char *text);

// True while a new version is being loaded; what a script asks the host for is refused then.
bool reload_loading(const struct reload *reload);

// The current script has read another file: watch it, too. For script_settings.on_source.
void reload_add_source(struct reload *reload);

const struct session_reloads *reload_counters(const struct reload *reload);

// Calls `on_result` after each attempt, with the line that was logged. There are at most two
// listeners, the operator and the embedder; the same function again replaces the data of the first.
void reload_listen(struct reload *reload, void (*on_result)(void *data, bool ok, const char *text),
                   void *data);

#endif
