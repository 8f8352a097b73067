// SPDX-License-Identifier: Apache-2.0
//
// RecordIO, the framing of the event stream: a decimal length, a newline, that many bytes, and so
// on. A pure decoder: it is fed with input in pieces of any size, and returns whole records. Each
// byte of a record is copied once, from the input into the block that the receiver keeps.

#ifndef MESOS_LUA_NET_RECORDIO_H
#define MESOS_LUA_NET_RECORDIO_H

#include "base/bytes.h"
#include "base/error.h"

#define RECORDIO_LIMIT ((size_t)64 * 1024 * 1024) // the longest record, unless told otherwise
#define RECORDIO_DIGITS 4096                      // the longest length line, leading zeros counted

enum recordio_status {
    RECORDIO_RECORD, // one record is there
    RECORDIO_MORE,   // the input is used up
    RECORDIO_BAD,    // the input is malformed; so is all that follows
};

struct recordio {
    size_t limit;
    size_t length;        // so far, while the length line is read
    size_t digits;        // of the length line so far
    char line[24];        // its first digits, for the error
    struct bytes *record; // the one that is being filled, or NULL
    size_t filled;        // of it
    struct error bad;     // code is ERROR_NONE until the input was bad
};

void recordio_init(struct recordio *recordio, size_t limit); // limit 0: RECORDIO_LIMIT
void recordio_free(struct recordio *recordio);               // drops a record begun

// Takes bytes from the front of *input (moving *input and *length) until a record is whole, and
// hands it over in *record (one reference). Once it has returned RECORDIO_BAD it always does, with
// the same error, and takes nothing more.
enum recordio_status recordio_decode(struct recordio *recordio, const uint8_t **input,
                                     size_t *length, struct bytes **record, struct error *err);

// How many bytes the record that has begun still misses, and where they go: they may be put there
// in place of being decoded. 0: none has begun.
size_t recordio_space(const struct recordio *recordio, uint8_t **space);

// So many bytes were put there. Hands the record over, or returns NULL, if it is not whole yet.
struct bytes *recordio_filled(struct recordio *recordio, size_t length);

// True if the input is at the boundary of two records, where a stream may end.
bool recordio_whole(const struct recordio *recordio);

#endif
