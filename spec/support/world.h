// SPDX-License-Identifier: Apache-2.0
//
// A whole framework inside the process of a test: a real script, scheduler and driver on a
// transport that is a few functions. Everything may fail at any time; then the world goes on, or
// says so. The test is the master: it sees the calls and sends the events.
//
// A driver that starts finds its leader and is subscribed by the loop, as with a real master; calls
// are answered by the loop as well.

#ifndef MESOS_LUA_SPEC_SUPPORT_WORLD_H
#define MESOS_LUA_SPEC_SUPPORT_WORLD_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bindings/scheduler/scheduler.h"

struct world;

struct world_settings {
    size_t memory_limit;
    double callback_limit;
    bool sandbox;
    double patience; // seconds of the processor, after which no turn is begun any more; 0: no end
    uint32_t hash_seed; // of script_settings
    bool real;          // time passes by itself, and there are processes and sockets
};

struct world *world_create(const struct world_settings *settings);
void world_destroy(struct world *world); // in order, as the program ends

// Loads a script of that text and makes its scheduler; false, and `err`, if that fails. Once.
bool world_load(struct world *world, struct slice text, struct error *err);

// Starts the driver of a script that returned its scheduler.
void world_start(struct world *world);

// True if its time is used up.
bool world_tired(const struct world *world);

// Lets time pass, in at most so many turns.
void world_pass(struct world *world, double seconds, unsigned turns);

// Lets time pass until no callback waits, at most so much.
void world_settle(struct world *world, double seconds);

// An event for each driver that has a stream.
void world_event(struct world *world, struct slice record);

// Every stream breaks.
void world_break(struct world *world);

// Another version of the script takes over, or nothing changes, and `err` says why.
bool world_reload(struct world *world, struct slice text, struct error *err);

// Runs an operator's code; `told` gets what it printed, or its error, if it has ended.
void world_eval(struct world *world, struct slice code, struct buffer *told);

// mesos.state as bytes.
bool world_save(struct world *world, struct buffer *out, struct error *err);
bool world_restore(struct world *world, struct slice bytes, struct error *err);

// The calls that were made since the last time, each as it came; NULL: no more. To be released.
struct bytes *world_call(struct world *world);

struct scheduler *world_scheduler(struct world *world); // NULL: there is none
struct script *world_script(struct world *world);       // NULL: there is none
bool world_ended(const struct world *world);            // the script asked for its end

#endif
