// SPDX-License-Identifier: Apache-2.0
//
// Bytes that were received. `struct bytes` is a shared block with a count of references; the last
// one to go frees it. Only its creator writes to it, before it is shared. `struct slice` borrows:
// it is valid as long as the block that it points into. One thread.

#ifndef MESOS_LUA_BASE_BYTES_H
#define MESOS_LUA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    size_t references;
    size_t length;
    uint64_t held_since; // set by the owner, in the time of a loop, or 0
    uint8_t data[];
};

struct slice {
    const uint8_t *data;
    size_t length;
};

struct bytes *bytes_create(size_t length);                 // one reference, contents undefined
struct bytes *bytes_copy(const void *data, size_t length); // one reference
struct bytes *bytes_ref(struct bytes *bytes);              // takes another; returns `bytes`
void bytes_unref(struct bytes *bytes);                     // NULL is fine

struct slice slice_of(const struct bytes *bytes);
struct slice slice_text(const char *text); // without the zero byte; NULL is the empty slice
bool slice_equal(struct slice a, struct slice b);

// For "%.*s".
#define SLICE_ARGS(slice) (int)(slice).length, (const char *)(slice).data

#endif
