// SPDX-License-Identifier: Apache-2.0
//
// How long a script may run without a pause, and the error text when its memory is at its limit.
// The time from where the host calls into Lua to where that comes back, because it ended or because
// it waits, is a *slice*; while it lasts, no event is handled. A slice longer than `warn` is named
// in the log, with the line where it is; one longer than `stop` is stopped by an error that nothing
// catches. Main chunks and an operator's code (struct title, loaded) have a limit of their own.
//
// Each thread has one watchdog, a timer of the system, which looks at the slice that runs: its
// signal sets a count hook, which the next instruction of the script calls. So a script without a
// long slice runs without a hook, and pays for reading the clock once, which its callbacks need
// too. A hook cannot interrupt two things: a single call of a C function, such as string.find()
// with a bad pattern, and a finalizer
// (__gc). They are logged while they last, as far as a signal handler can, and the C function is
// named when it has returned (slow_call.h); they are stopped when they return.
//
// While a slice lasts for long, that hook calls script_settings.on_long repeatedly, so that the
// host can handle signals and commands of operators, and may interrupt the slice.
//
// This reads the clock of the machine, even where the loop takes its time from elsewhere.

#ifndef MESOS_LUA_SCRIPT_WATCHDOG_H
#define MESOS_LUA_SCRIPT_WATCHDOG_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script;
struct frame;

struct watchdog {
    bool watched;              // True if the watchdog of the thread watches it.
    uint64_t warn, stop, load; // nanoseconds; 0: none

    // The slice, which the watchdog looks at.
    volatile bool open, late, warned;
    volatile uint64_t start; // in nanoseconds of CLOCK_MONOTONIC, as all times are
    uint64_t ended;          // of the last slice, if on_slice() wanted it; else 0
    volatile uint64_t most;  // the length at which it is stopped; 0: never
    volatile uint64_t asked; // its length when a hook was set that has not been called yet; 0: none
    uint64_t asked_last;     // its length when that was set for the last time
    const struct frame *asked_frame; // where
    volatile uint64_t stuck; // the length at which it is logged as stuck; 0: not over a limit yet
    const char *interrupt;   // what stops it now, or NULL
    struct script *outer;    // whose slice it interrupted

    bool stopping; // It is being stopped: the error ends any Lua code that it still runs.
    bool stopped;  // The last slice ended so.
};

// Seconds; 0: no limit. Where there is one, or on_long, the thread gets its watchdog.
void watchdog_open(struct script *script, double warn, double stop, double load);
void watchdog_close(struct script *script);

void watchdog_begin(struct script *script, const struct frame *first); // which was entered
void watchdog_end(struct script *script, const struct frame *first);   // and left

uint64_t watchdog_now(void); // as `start`

// The seconds from `began`, which was a `start`, to the end of the last slice, which just ended. 0
// if nothing began.
double watchdog_seconds(const struct watchdog *watchdog, uint64_t began);

// The open slice makes a pause, and others may be opened.
void watchdog_pause(struct script *script);
void watchdog_continue(struct script *script);

// The slice that is open on this thread; false if there is none. See script.h.
bool watchdog_describe(char *text, size_t size);
bool watchdog_interrupt(const char *why);

// Gives the frame's state the hook back that it had before the watchdog came.
void watchdog_unhook(struct frame *frame);

// Raises the text of the error that stops the slice, at each instruction that is left.
// // [-0, +0, e]
void watchdog_unwind(lua_State *L) __attribute__((noreturn));
void watchdog_push_text(lua_State *L); // the text, or nil // [-0, +1, -]

// Makes the error text for a script whose memory is at its limit. // [-0, +0, m]
void watchdog_set_memory_text(lua_State *L, size_t limit);

// Replaces Lua's memory error at the top by that text, if the limit was the reason. // [-1, +1, -]
void watchdog_explain(lua_State *L);

#endif
