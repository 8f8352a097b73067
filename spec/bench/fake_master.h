// SPDX-License-Identifier: Apache-2.0
//
// The other side of the real program in a benchmark: a master on loopback that says what it is told
// to, as fast as the socket takes it, answers every call with 202 and counts; and the program
// itself, a child whose output is read line by line. One thread; nothing moves but in peer_turn().

#ifndef MESOS_LUA_SPEC_BENCH_PEER_H
#define MESOS_LUA_SPEC_BENCH_PEER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct peer;

struct peer_counts {
    uint64_t subscribed_at; // when the last SUBSCRIBE was here as a whole: peer_now(), or 0
    uint64_t calls;         // but for SUBSCRIBE
    uint64_t declines;      // calls of type DECLINE
    uint64_t declined;      // offers in them
};

struct peer *peer_create(void);
void peer_destroy(struct peer *peer);

// Starts the program with that script (its text) and, if `more` is not NULL, these options. Another
// one must have ended.
void peer_start(struct peer *peer, const char *script, const char *const *more);

// Ends it, orderly, and waits for that. The counts start again.
void peer_end(struct peer *peer);

pid_t peer_program(const struct peer *peer);
const struct peer_counts *peer_counts(const struct peer *peer);

// Queues an event for the live stream. A reference is taken.
void peer_send(struct peer *peer, struct bytes *event);

// Waits at most so long for something to happen, and deals with it. Ends the process with a message
// if the program ended, or nothing happened in a minute.
void peer_turn(struct peer *peer, int milliseconds);

// Turns until the program has subscribed.
void peer_wait_subscribed(struct peer *peer);

// Turns until the program has printed a line, and returns it. It is valid until the next one.
const char *peer_line(struct peer *peer);

// Turns for that long.
void peer_rest(struct peer *peer, int milliseconds);

// A figure in KiB from a file of /proc about the program: ("smaps_rollup", "Pss").
uint64_t peer_memory(const struct peer *peer, const char *file, const char *name);

uint64_t peer_now(void); // nanoseconds by the clock on the wall

#endif
