// SPDX-License-Identifier: Apache-2.0
//
// Random UUIDs from the system's generator.

#include "base/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void uuid_random(uint8_t uuid[UUID_LENGTH])
{
    // Requests of up to 256 bytes are never cut short; a signal can only end one before it began.
    while (getrandom(uuid, UUID_LENGTH, 0) != UUID_LENGTH)
        ;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

// In lower case.
static void format(const uint8_t uuid[UUID_LENGTH], char text[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *text++ = '-';
        *text++ = digits[uuid[i] >> 4];
        *text++ = digits[uuid[i] & 15];
    }
    *text = '\0';
}

void uuid_random_text(char text[UUID_TEXT])
{
    uint8_t uuid[UUID_LENGTH];
    uuid_random(uuid);
    format(uuid, text);
}

bool uuid_valid(const uint8_t *data, size_t length)
{
    return length == UUID_LENGTH && (data[8] & 0xc0) == 0x80;
}
