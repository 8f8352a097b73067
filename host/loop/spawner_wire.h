// SPDX-License-Identifier: Apache-2.0
//
// What the host and its spawner say to each other, on a pair of stream sockets of one machine and
// one program: structs as they are in memory.
//
// The host asks: a head, and behind it `length` bytes. START carries a `struct wire_start`, the
// supplementary groups, and texts that end with a zero byte: the directory, the file, the arguments
// and the variables. The descriptors that it opened for the program travel with the first byte of
// the head, in the order of `files`. KILL carries nothing else. The spawner answers each START with
// STARTED or FAILED, and STARTED with ENDED once; it answers in the order of the events. The name
// of a program is the host's and is not used again before its FAILED or ENDED.

#ifndef MESOS_LUA_LOOP_SPAWNER_WIRE_H
#define MESOS_LUA_LOOP_SPAWNER_WIRE_H

#include <stdint.h>

enum {
    WIRE_FILES = 3,             // standard input, output and error
    WIRE_LONGEST = 8 * 1 << 20, // bytes behind a head; the kernel executes with 6 MiB at most
};

enum wire_request { WIRE_START = 1, WIRE_KILL };

struct wire_head {
    uint64_t program;
    uint32_t request; // enum wire_request
    uint32_t length;  // of what follows
    int32_t signal;   // of KILL, for the whole process group
    uint32_t files;   // of START: bit i is set if descriptor i travels along; else it is /dev/null
};

struct wire_start {
    uint32_t switched; // not 0: user, group and groups are to be these
    uint32_t uid, gid, groups;
    uint32_t arguments, variables;
};

enum wire_answer { WIRE_STARTED = 1, WIRE_FAILED, WIRE_ENDED };

struct wire_reply {
    uint64_t program;
    uint32_t answer; // enum wire_answer
    int32_t pid;     // of STARTED
    uint32_t step;   // of FAILED: enum spawn_step
    int32_t fault;   // of FAILED: errno
    int32_t status;  // of ENDED: of the exit, or
    int32_t signal;  // the signal that ended it, or 0
};

#endif
