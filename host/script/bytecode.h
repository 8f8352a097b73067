// SPDX-License-Identifier: Apache-2.0
//
// What Lua compiled a chunk to, as lua_dump() writes it with all that is there for debugging: read
// into structs, one for each function, for whoever wants to know what a function would do without
// running it. This is the form of Lua 5.4 and no other; anything else is refused, so that nobody
// draws wrong conclusions.

#ifndef MESOS_LUA_SCRIPT_BYTECODE_H
#define MESOS_LUA_SCRIPT_BYTECODE_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bytecode_operation {
    OPERATION_MOVE,
    OPERATION_LOADK = 3,
    OPERATION_LOADKX,
    OPERATION_LOADNIL = 8,
    OPERATION_GETUPVAL,
    OPERATION_SETUPVAL,
    OPERATION_GETTABUP,
    OPERATION_GETTABLE,
    OPERATION_GETI,
    OPERATION_GETFIELD,
    OPERATION_SETTABUP,
    OPERATION_SETTABLE,
    OPERATION_SETFIELD = 18,
    OPERATION_SELF = 20,
    OPERATION_CONCAT = 53,
    OPERATION_JMP = 56,
    OPERATION_EQ,
    OPERATION_EQK = 60,
    OPERATION_TEST = 66,
    OPERATION_TESTSET,
    OPERATION_CALL,
    OPERATION_TAILCALL,
    OPERATION_FORLOOP = 73,
    OPERATION_FORPREP,
    OPERATION_TFORPREP,
    OPERATION_TFORCALL,
    OPERATION_TFORLOOP,
    OPERATION_CLOSURE = 79,
    OPERATION_VARARG,
    OPERATIONS = 83,
};

struct bytecode_upvalue {
    const char *name;
    bool in_stack; // a register of the function around it, or one of that one's upvalues
    unsigned index;
};

// A local variable: between these two instructions. It has the register that is its place among
// those that are there at the same time.
struct bytecode_local {
    const char *name;
    size_t start, end;
};

struct bytecode_function {
    const struct bytecode_function *outer; // NULL: the main chunk
    int line;                              // where it is defined
    unsigned parameters;
    const uint32_t *code;
    const int *lines; // one for each instruction

    // For each instruction that others jump to. From further up: the first one that may not have
    // run when they do, so that what it and those behind it did to registers is not to be relied
    // upon; else the length of the code. From further down, the end of a loop: the last of them;
    // else 0.
    const size_t *unsure, *loop_end;
    size_t length;
    const char *const *constants; // the strings; NULL in the place of any other
    size_t constant_count;
    const struct bytecode_upvalue *upvalues;
    size_t upvalue_count;
    const struct bytecode_local *locals;
    size_t local_count;
    struct bytecode_function *inner;
    size_t inner_count;
};

struct bytecode; // owns all that is read of one chunk

// NULL, with `err`, if the bytes are not what Lua 5.4 writes on this machine.
struct bytecode *bytecode_read(struct slice dump, struct error *err);
void bytecode_free(struct bytecode *bytecode); // NULL is fine
const struct bytecode_function *bytecode_main(const struct bytecode *bytecode);

// ---- instructions ----

enum bytecode_operation bytecode_operation(uint32_t instruction);
unsigned bytecode_a(uint32_t instruction);
unsigned bytecode_b(uint32_t instruction);
unsigned bytecode_c(uint32_t instruction);
unsigned bytecode_bx(uint32_t instruction);
bool bytecode_k(uint32_t instruction);

// Does it change the register A?
bool bytecode_sets_a(uint32_t instruction);

// Does one of the instructions from `first` to before `end` change that register, which is that of
// a local variable declared before?
bool bytecode_changes(const struct bytecode_function *function, unsigned register_number,
                      size_t first, size_t end);

// The register's variable at that instruction, or NULL.
const struct bytecode_local *bytecode_local(const struct bytecode_function *function,
                                            unsigned register_number, size_t at);

// The line where a variable is declared.
int bytecode_declared(const struct bytecode_function *function, const struct bytecode_local *local);

// The constant of that number if it is a string, else NULL.
const char *bytecode_text(const struct bytecode_function *function, unsigned number);

#endif
