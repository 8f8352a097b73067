// SPDX-License-Identifier: Apache-2.0
//
// Faults injected into the Lua states of a program ("hardship"): collections at every chance, an
// allocator that refuses, errors at any point. The program is not changed for it: it is linked with
// --wrap for the functions of Lua that make a state and enter it (CMakeLists.txt), so a build
// without this file is the one that users have.
//
// A *request* is Lua asking its allocator for more bytes, for a new block or a larger one. When one
// is refused, Lua collects all garbage at once, whatever it was doing, and asks again. So refusing
// only the first attempt is a collection in the middle of that allocation, which frees what C code
// forgot to anchor.

#ifndef MESOS_LUA_SPEC_SUPPORT_HARDSHIP_H
#define MESOS_LUA_SPEC_SUPPORT_HARDSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hardship {
    uint64_t collect; // at every Nth request, less often when the heap is large; 0: never
    bool doors;       // and, with finalizers, whenever Lua is entered or left
    uint64_t refuse;  // this request, counted from 1, is refused, its second time as well; 0: none
    uint64_t burst;   // and so many of the attempts behind it
    double errors;    // probability that a call into Lua is interrupted by an error somewhere in it
    uint64_t seed;    // of the errors
    bool tell;        // at the end of the process, on stderr
};

// What has happened since hardship_set().
struct hardship_report {
    uint64_t requests, refused, raised;
    size_t bytes; // that all states have now
};

// Counting starts again. NULL: no faults.
void hardship_set(const struct hardship *hardship);

struct hardship_report hardship_report(void);

// From a text such as "collect=10,doors=1,refuse=100,burst=5,errors=0.1,seed=1". False if it
// cannot be read.
bool hardship_read(const char *text, struct hardship *hardship);

#endif
