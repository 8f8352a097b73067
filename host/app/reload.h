// SPDX-License-Identifier: Apache-2.0
//
// A new version of a hosted script while its framework runs. When a file of the script changes, or
// when it is asked for, the script is loaded whole in a world of its own, with a copy of
// mesos.state; only if that works does it take over from the one that runs, between two callbacks.
// Whatever goes wrong leaves the old version at work and is logged once.
//
// A new version is on probation for its first callbacks: if one of them raises, the version before
// comes back, from memory, with mesos.state as it is then, and is given the event that failed. A
// timer or a spawned function that raises meanwhile brings it back as well. What
// did not load, or had to be taken back, is not tried again until a file changes or somebody asks.

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

    // Makes an empty world. Until it is swapped in, an end that its script asks for is none.
    struct script *(*create)(void *data, struct error *err);
    // `script` is the one that runs now and is the host's; the one before is gone after the call.
    void (*swapped)(void *data, struct script *script);
    void *data;
};

// Starts to watch, unless the options say no. The settings must outlive it but for the struct.
struct reload *reload_create(const struct reload_settings *settings);
void reload_destroy(struct reload *reload); // NULL is fine

// Loads the script anew, changed or not, as soon as no callback runs. `why` is for the log:
// "SIGHUP".
void reload_request(struct reload *reload, const char *why);

// Something of the version that runs, other than a callback ("timer of x.lua:3"), raised.
void reload_failed(struct reload *reload, const char *what, const char *text);

// Is a new version being loaded? What a script asks the host for is refused then.
bool reload_loading(const struct reload *reload);

// A file was read by the script that runs: watch it, too. For script_settings.on_source.
void reload_add_source(struct reload *reload);

const struct session_reloads *reload_counters(const struct reload *reload);

// Calls `told` after each try, with the line that was logged. There is room for two: the operator
// and the embedder; the same function again is the same listener.
void reload_listen(struct reload *reload, void (*told)(void *data, bool ok, const char *text),
                   void *data);

#endif
