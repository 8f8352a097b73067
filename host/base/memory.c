// SPDX-License-Identifier: Apache-2.0
//
// Allocation that does not fail: see memory.h.

#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 1024, LINE = 256 }; // bytes

static void *checked(void *block, size_t size)
{
    if (block == NULL) {
        fprintf(stderr, "mesos-lua: out of memory (%zu bytes)\n", size);
        abort();
    }
    return block;
}

// glibc's calloc() does without its caches of small blocks, which most blocks come from.
void *memory_new(size_t size)
{
    if (size > SMALL)
        return checked(calloc(1, size), size);
    return memset(checked(malloc(size ? size : 1), size), 0, size);
}

void *memory_resize(void *block, size_t size)
{
    size_t bytes = size ? size : 1;
    return checked(block ? realloc(block, bytes) : malloc(bytes), size);
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

char *memory_join(const char *const *parts)
{
    size_t length = 0;
    for (size_t i = 0; parts[i] != NULL; i++)
        length += strlen(parts[i]);
    char *text = memory_resize(NULL, length + 1), *end = text;
    *end = 0;
    for (size_t i = 0; parts[i] != NULL; i++)
        end = stpcpy(end, parts[i]);
    return text;
}

// Most texts are short, and are written once.
char *memory_format(const char *format, ...)
{
    va_list args, again;
    char line[LINE];
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char *text = memory_text(line, length > 0 && length < LINE ? (size_t)length : 0);
    if (length >= LINE) {
        text = memory_resize(text, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
    }
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
