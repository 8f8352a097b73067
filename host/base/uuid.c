// SPDX-License-Identifier: Apache-2.0
//
// Random UUIDs from the system's generator, or from a seed.

#include "base/uuid.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static _Thread_local uint64_t sequence; // of splitmix64; 0: the system's generator is asked

void uuid_seed(uint64_t seed)
{
    sequence = seed;
}

static uint64_t next_number(void)
{
    sequence += UINT64_C(0x9e3779b97f4a7c15);
    sequence += sequence == 0;
    uint64_t mixed = sequence;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static void fill_seeded(uint8_t uuid[UUID_LENGTH])
{
    for (size_t i = 0; i < UUID_LENGTH; i += 8) {
        uint64_t number = next_number();
        for (size_t k = 0; k < 8; k++)
            uuid[i + k] = (uint8_t)(number >> 8 * k);
    }
}

static _Thread_local size_t left; // bytes of the system's that are not used

// A process and one that it forks would make the same.
static void on_fork(void)
{
    left = 0;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, on_fork);
}

// Asking the system takes longer than all else, so it is asked for several at a time. Requests of
// up to 256 bytes are never cut short; a signal can only end one before it began.
static void fill_random(uint8_t uuid[UUID_LENGTH])
{
    static pthread_once_t watching = PTHREAD_ONCE_INIT;
    static _Thread_local uint8_t portion[16 * UUID_LENGTH];
    pthread_once(&watching, watch_forks);
    while (left == 0)
        left = getrandom(portion, sizeof portion, 0) == sizeof portion ? sizeof portion : 0;
    left -= UUID_LENGTH;
    memcpy(uuid, portion + left, UUID_LENGTH);
}

void uuid_random(uint8_t uuid[UUID_LENGTH])
{
    if (sequence != 0)
        fill_seeded(uuid);
    else
        fill_random(uuid);
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
