// SPDX-License-Identifier: Apache-2.0
//
// The file of a workload, read from front to back in blocks, with the number of the line and the
// offset of what is read, and again from an offset that was seen before. What is kept is one block
// and the item that was read last, whose size has a cap. Reading blocks, which a simulator may.

#ifndef MESOS_LUA_BINDINGS_SIM_TRACE_INPUT_H
#define MESOS_LUA_BINDINGS_SIM_TRACE_INPUT_H

#include "base/buffer.h"
#include "base/error.h"

#define TRACE_INPUT_ITEM ((size_t)1 << 20) // bytes of a line, or of a record of several lines

// What reading comes to.
enum trace_status { TRACE_ITEM, TRACE_END, TRACE_BAD };

struct trace_input {
    char *path;
    int file;
    uint8_t *block;
    size_t at, end;      // what is left of the block
    size_t read_size;    // of the next block: grows while the file is read on and on
    uint64_t end_offset; // of the end of the block
    size_t line;         // lines that have been read
    struct buffer text;  // the last item
    uint64_t item_offset;
    size_t item_line;
    bool complete; // the line ended with a newline
};

// False if it is no file, or is compressed; then there is nothing to close.
bool trace_input_open(struct trace_input *input, const char *path, struct error *err);
void trace_input_close(struct trace_input *input);

// The next byte, or -1 at the end and, with `err` filled, if the system fails.
int trace_input_byte(struct trace_input *input, struct error *err);

// Reads a line into `text`, without its newline.
enum trace_status trace_input_line(struct trace_input *input, struct error *err);

// Goes on from an offset, which is that of a line with the number `line`, or in it.
bool trace_input_seek(struct trace_input *input, uint64_t offset, size_t line, struct error *err);

// An item begins with the byte at this place.
void trace_input_begin(struct trace_input *input, size_t back);

// "path:line: text", of the item that was read last. Returns TRACE_BAD.
enum trace_status trace_input_fault(const struct trace_input *input, struct error *err,
                                    const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
