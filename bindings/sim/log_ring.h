// SPDX-License-Identifier: Apache-2.0
//
// The last lines of something that is written over time, each with its time.

#ifndef MESOS_LUA_BINDINGS_SIM_LOG_RING_H
#define MESOS_LUA_BINDINGS_SIM_LOG_RING_H

#include <stddef.h>
#include <stdint.h>

struct log_ring_line {
    uint64_t at; // loop_now()
    char *text;
};

struct log_ring {
    struct log_ring_line *lines;
    size_t most;
    uint64_t count; // of all that were added
};

void log_ring_init(struct log_ring *ring, size_t most);
void log_ring_free(struct log_ring *ring);
void log_ring_add(struct log_ring *ring, uint64_t at, const char *text); // copied

size_t log_ring_kept(const struct log_ring *ring);
const struct log_ring_line *log_ring_line(const struct log_ring *ring, size_t index); // oldest: 0

#endif
