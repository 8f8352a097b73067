// SPDX-License-Identifier: Apache-2.0
//
// What Lua compiled a chunk to, as lua_dump() writes it with its debug information: read into
// structs, one for each function, so that a caller can know what a function would do without
// running it. This is the form of Lua 5.4 and no other; anything else is refused, as conclusions
// from it would be wrong.

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
    OPERATION_LOADFALSE,
    OPERATION_LOADNIL = 8,
    OPERATION_GETUPVAL,
    OPERATION_SETUPVAL,
    OPERATION_GETTABUP,
    OPERATION_GETTABLE,
    OPERATION_GETI,
    OPERATION_GETFIELD,
    OPERATION_SETTABUP,
    OPERATION_SETTABLE,
    OPERATION_SETI,
    OPERATION_SETFIELD,
    OPERATION_NEWTABLE,
    OPERATION_SELF,
    OPERATION_CONCAT = 53,
    OPERATION_JMP = 56,
    OPERATION_EQ,
    OPERATION_EQK = 60,
    OPERATION_TEST = 66,
    OPERATION_TESTSET,
    OPERATION_CALL,
    OPERATION_TAILCALL,
    OPERATION_RETURN,
    OPERATION_RETURN1 = 72,
    OPERATION_FORLOOP,
    OPERATION_FORPREP,
    OPERATION_TFORPREP,
    OPERATION_TFORCALL,
    OPERATION_TFORLOOP,
    OPERATION_SETLIST,
    OPERATION_CLOSURE,
    OPERATION_VARARG,
    OPERATIONS = 83,
};

struct bytecode_upvalue {
    const char *name;
    bool in_stack; // True if it is a register of the enclosing function, not one of its upvalues.
    unsigned index;
};

// A local variable, alive from instruction `start` to before `end`. The number of its register is
// its position among the local variables that are alive at the same time.
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

    // One for each instruction. `unsure`: if others further up jump to it, the first instruction
    // that may not have run then, so what that one and those behind it did to registers is not
    // certain; otherwise the length of the code. `loop_end`: if others further down jump to it, the
    // last of them, which is the end of a loop; otherwise 0.
    const size_t *unsure, *loop_end;
    size_t length;
    const char *const *constants; // see bytecode_text()
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

// True if it changes the register A.
bool bytecode_sets_a(uint32_t instruction);

// True if one of the instructions from `first` to before `end` changes that register, which is that
// of a local variable declared before.
bool bytecode_changes(const struct bytecode_function *function, unsigned register_number,
                      size_t first, size_t end);

// The register's variable at that instruction, or NULL.
const struct bytecode_local *bytecode_local(const struct bytecode_function *function,
                                            unsigned register_number, size_t at);

// The line where a variable is declared.
int bytecode_declared(const struct bytecode_function *function, const struct bytecode_local *local);

// The constant of that number if it is a string, else NULL.
const char *bytecode_text(const struct bytecode_function *function, unsigned number);
bool bytecode_is_nil(const struct bytecode_function *function, unsigned number);

#endif
