// SPDX-License-Identifier: Apache-2.0
//
// Standard output and standard error of the program, which never block it. If a pipe is not read,
// or a terminal is stopped, the output waits in a queue, in the order in which it was written,
// until the descriptor can be written to again. Each descriptor has a queue of its own; if both are
// the same file, they share one.
//
// Each queue has two caps, one for what the script prints and one for the log. Past a cap output is
// dropped and counted, until half of the queue has been written; the log then says how much was
// lost. Files and devices that are not terminals are written to directly. If the reader of a
// descriptor has gone, its queue and all later output are dropped.
//
// `stdout` and `stderr` of C, and so print() and io.write(), are replaced by streams that write to
// these queues, and the log writes to them as well; nothing of this happens before output_start(),
// which only the program calls. The mode of a descriptor that other processes may share is never
// changed. One thread.

#ifndef MESOS_LUA_BASE_OUTPUT_H
#define MESOS_LUA_BASE_OUTPUT_H

#include <stddef.h>

// To be called before the streams are used. `limit` is the cap of what the script prints, in bytes.
// At the end of the process the queues are written: as long as it takes, or until SIGINT, SIGTERM
// or SIGHUP, if the script printed something; for at most a second if only lines of the log are
// left.
void output_start(size_t limit);

// Readable when output_drain() has something to do; -1 if nothing can ever wait.
int output_descriptor(void);

// Writes as much of the queues as is possible without blocking.
void output_drain(void);

// The process was told to end: its end waits for readers for a second at most.
void output_hurry(void);

#endif
