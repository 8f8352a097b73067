// SPDX-License-Identifier: Apache-2.0
//
// The module "sim.readers": workload files, item after item, in bounded memory; for
// host/sim/import_*.lua.
//
//     readers.csv(path, partial[, separator]), readers.json(path, partial), readers.lines(path,
//     partial)
//         -> reader; raise if the file cannot be read. `partial`: the file may end in the middle of
//         an item
//     reader:next() -> item, line, offset, complete
//         csv: a table of texts, by name or number of the column; json: a table; lines: a text.
//         nil at the end; nil and a message if the file ends in the middle of an item and may.
//         complete: the line ended with a newline. Raises "path:line: what is wrong"
//     reader:seek(offset, line)    goes on with the item that began there
//     reader:names(list)           names of columns; false leaves one out, and each record has as
//                                  many fields
//     reader:close()
//
//     readers.order() -> order     items in the order of time, 32 bytes each
//     order:add(at, offset, line[, number[, integer]])
//     order:sort()                 by `at`; what is as early in the order in which it was added
//     order:next() -> offset, line, number, integer, at      nil at the end
//     order:least() -> at          the first, or nil

#ifndef MESOS_LUA_BINDINGS_SIM_READERS_H
#define MESOS_LUA_BINDINGS_SIM_READERS_H

#include <lua.h>

int readers_open(lua_State *L); // its loader // [-0, +1, e]

#endif
