// SPDX-License-Identifier: Apache-2.0
//
// UUIDs (RFC 4122): ids of masters, streams, containers and status updates.

#ifndef MESOS_LUA_BASE_UUID_H
#define MESOS_LUA_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_LENGTH 16
#define UUID_TEXT 37 // with the zero byte

void uuid_random(uint8_t uuid[UUID_LENGTH]); // version 4
void uuid_random_text(char text[UUID_TEXT]);

// From now on those that this thread makes follow from the seed alone, for simulations; or are
// random again, if it is 0.
void uuid_seed(uint64_t seed);

bool uuid_valid(const uint8_t *data, size_t length); // 16 bytes of the variant of RFC 4122

#endif
