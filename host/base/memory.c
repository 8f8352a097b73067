// SPDX-License-Identifier: Apache-2.0
//
// Allocation that does not fail: see memory.h.

#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *block, size_t size)
{
    if (block == NULL) {
        fprintf(stderr, "mesos-lua: out of memory (%zu bytes)\n", size);
        abort();
    }
    return block;
}

void *memory_new(size_t size)
{
    return checked(calloc(1, size ? size : 1), size);
}

void *memory_resize(void *block, size_t size)
{
    return checked(realloc(block, size ? size : 1), size);
}

char *memory_string(const char *text)
{
    return text ? memory_text(text, strlen(text)) : NULL;
}

void memory_wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

char *memory_text(const char *data, size_t length)
{
    char *copy = memory_resize(NULL, length + 1);
    if (length)
        memcpy(copy, data, length);
    copy[length] = 0;
    return copy;
}

char *memory_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = memory_new(length < 0 ? 1 : (size_t)length + 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

// glibc keeps what was freed below the top of its heap.
void memory_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
