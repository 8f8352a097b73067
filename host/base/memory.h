// SPDX-License-Identifier: Apache-2.0
//
// Memory of the C side. Running out of it ends the process with a message: since every queue and
// buffer has a cap, the machine itself is out of memory, and error paths that are never exercised
// should not decide what happens then. (The Lua heap is apart: it has its own allocator and its own
// limit, and a failure is an error in the script.)

#ifndef MESOS_LUA_BASE_MEMORY_H
#define MESOS_LUA_BASE_MEMORY_H

#include <stddef.h>

void *memory_new(size_t size);                      // zeroed; release with free()
void *memory_resize(void *block, size_t size);      // as realloc(), but never NULL
char *memory_string(const char *text);              // a copy; NULL stays NULL
char *memory_text(const char *data, size_t length); // a copy with a zero byte behind it
char *memory_join(const char *const *parts);        // one behind another; NULL at the end
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

void memory_wipe(char *secret); // overwrites the text and frees it; NULL is fine

// Returns freed memory between blocks in use to the system. Takes about a millisecond, and makes
// the next allocations a little slower.
void memory_trim(void);

#endif
