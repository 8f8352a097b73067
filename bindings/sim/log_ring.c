// SPDX-License-Identifier: Apache-2.0
//
// The last lines of something: see log_ring.h.

#include "bindings/sim/log_ring.h"

#include "base/memory.h"

#include <stdlib.h>

void log_ring_init(struct log_ring *ring, size_t most)
{
    *ring = (struct log_ring){.most = most};
    ring->lines = memory_new(most * sizeof *ring->lines);
}

void log_ring_free(struct log_ring *ring)
{
    for (size_t i = 0; i < log_ring_kept(ring); i++)
        free(ring->lines[i].text);
    free(ring->lines);
}

void log_ring_add(struct log_ring *ring, uint64_t at, const char *text)
{
    struct log_ring_line *line = &ring->lines[ring->count++ % ring->most];
    free(line->text);
    *line = (struct log_ring_line){.at = at, .text = memory_string(text)};
}

size_t log_ring_kept(const struct log_ring *ring)
{
    return ring->count < ring->most ? (size_t)ring->count : ring->most;
}

const struct log_ring_line *log_ring_line(const struct log_ring *ring, size_t index)
{
    uint64_t first = ring->count - log_ring_kept(ring);
    return &ring->lines[(first + index) % ring->most];
}
