// SPDX-License-Identifier: Apache-2.0
//
// What the readers of workload files have in common: a userdata with a file (trace_input.h) and a
// kind, which makes a Lua value of each item. Private to this room.

#ifndef MESOS_LUA_BINDINGS_SIM_TRACE_READER_H
#define MESOS_LUA_BINDINGS_SIM_TRACE_READER_H

#include "bindings/core/userdata.h"
#include "bindings/sim/trace_input.h"

struct trace_reader {
    struct userdata base; // its user value is the list of the names of columns
    struct trace_input input;
    const struct trace_kind *kind;
    void *state;    // of the kind
    bool partial;   // the last item may be torn
    char separator; // of columns
};

struct trace_kind {
    void (*begin)(struct trace_reader *reader); // the file is open; makes the state
    // Pushes the next item of the reader at 1; the input knows its line and offset. TRACE_END with
    // `err` filled: the file ends inside of it. // [-0, +1|0, e]
    enum trace_status (*next)(lua_State *L, struct trace_reader *reader, struct error *err);
    void (*seek)(struct trace_reader *reader);                // the input is where an item begins
    void (*names)(struct trace_reader *reader, size_t count); // NULL: there are no columns
    void (*end)(struct trace_reader *reader);
};

extern const struct trace_kind csv_reader, json_reader, line_reader;

// The file ends inside the item that was read last: fills `err` and returns TRACE_END.
enum trace_status trace_reader_torn(const struct trace_reader *reader, struct error *err);

#endif
