// SPDX-License-Identifier: Apache-2.0
//
// Standard output and standard error of the program, which never make it wait. A pipe that is not
// read, or a terminal that was stopped, takes nothing in; what is written then waits in a queue, in
// the order in which it was written, and goes out when the descriptor takes it again. Both
// descriptors have a queue of their own, or, if they are the same file, one together.
//
// What a queue holds is capped, apart for what the script prints and for the log. Past the cap the
// rest is dropped and counted, until half of the queue has gone; the log then says how much was
// lost. Files and devices that are no terminal are written to directly, and a descriptor whose
// reader has gone drops what waits, as it drops what is written.
//
// `stdout` and `stderr` of C, and so print() and io.write(), are replaced by streams that end in
// these queues; nothing of this happens before output_start(), which only the program calls. The
// mode of a descriptor that other processes may share is never changed. One thread, but for
// output_log() before output_start().

#ifndef MESOS_LUA_BASE_OUTPUT_H
#define MESOS_LUA_BASE_OUTPUT_H

#include <stddef.h>

// To be called before the streams are used. `limit` is the cap of what the script prints, in bytes.
// At the end of the process what waits is written: what the script printed for as long as that
// takes, or until SIGINT or SIGTERM; a log alone for a second.
void output_start(size_t limit);

// Readable when output_drain() has something to do; -1 if nothing can ever wait.
int output_descriptor(void);

// Writes what waits, as far as that is possible at once.
void output_drain(void);

// The process was told to end: the end waits for no reader for more than a second.
void output_hurry(void);

#endif
