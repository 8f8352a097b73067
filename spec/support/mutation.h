// SPDX-License-Identifier: Apache-2.0
//
// Messages for tests of those who read them: valid ones made at random from the descriptor of their
// type, and mutations of given ones, at the level of fields: some that leave them valid in an
// unusual way (order, repetition, unknown fields, long varints), some that break them. The same
// seed gives the same bytes.

#ifndef MESOS_LUA_SPEC_SUPPORT_MUTATION_H
#define MESOS_LUA_SPEC_SUPPORT_MUTATION_H

#include "base/buffer.h"

#include <protobuf-c/protobuf-c.h>

// Appends a valid message.
void mutation_generate(const ProtobufCMessageDescriptor *type, uint64_t *seed, struct buffer *out);

// Appends a mutation of `message`, which may be broken already.
void mutation_mutate(struct slice message, const ProtobufCMessageDescriptor *type, uint64_t *seed,
                     struct buffer *out);

// Of the input of a fuzz target, one byte and a message of that type behind it: puts another
// message there, mostly a mutation. Returns the size of the input, at most `most`.
size_t mutation_mutate_input(const ProtobufCMessageDescriptor *type, uint8_t *data, size_t size,
                             size_t most, unsigned seed);

#endif
