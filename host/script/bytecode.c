// SPDX-License-Identifier: Apache-2.0
//
// The reader: see bytecode.h. Every length is checked against what is left, and everything is
// allocated in one list that is freed as a whole. The reader checks that each constant, upvalue and
// inner function that an instruction names is there, so code that walks over the instructions need
// not.

#include "script/bytecode.h"

#include "base/memory.h"

#include <lua.h>

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 220 }; // functions within functions; Lua allows no more than about 200

struct bytecode_block {
    struct bytecode_block *next;
    max_align_t bytes[];
};

struct bytecode {
    struct bytecode_block *blocks;
    struct bytecode_function main;
};

struct bytecode_reader {
    struct bytecode *into;
    struct slice left;
    bool bad;
    int depth;
};

// ---- bytes ----

static void *allocate(struct bytecode_reader *reader, size_t count, size_t size)
{
    struct bytecode_block *block = memory_new(sizeof *block + count * size);
    block->next = reader->into->blocks;
    reader->into->blocks = block;
    return block->bytes;
}

static const uint8_t *read_bytes(struct bytecode_reader *reader, size_t length)
{
    static const uint8_t nothing[16];
    if (reader->bad || length > reader->left.length) {
        reader->bad = true;
        return nothing;
    }
    const uint8_t *bytes = reader->left.data;
    reader->left = (struct slice){bytes + length, reader->left.length - length};
    return bytes;
}

static uint8_t read_byte(struct bytecode_reader *reader)
{
    return *read_bytes(reader, 1);
}

// Seven bits at a time, the highest first; the last byte has its highest bit set.
static size_t read_size(struct bytecode_reader *reader)
{
    size_t value = 0;
    uint8_t byte = 0;
    while (!reader->bad && (byte & 0x80) == 0) {
        byte = read_byte(reader);
        reader->bad = reader->bad || value > SIZE_MAX >> 8;
        value = value << 7 | (byte & 0x7f);
    }
    return value;
}

// A count of items of at least `least` bytes each.
static size_t read_count(struct bytecode_reader *reader, size_t least)
{
    size_t count = read_size(reader);
    if (count > reader->left.length / least)
        reader->bad = true;
    return reader->bad ? 0 : count;
}

static int read_line(struct bytecode_reader *reader)
{
    size_t line = read_size(reader);
    return line > 0x7fffffff ? 0 : (int)line;
}

// NULL stands for none.
static const char *read_text(struct bytecode_reader *reader)
{
    size_t size = read_size(reader);
    reader->bad = reader->bad || (size > 0 && size - 1 > reader->left.length);
    if (size == 0 || reader->bad)
        return NULL;
    char *text = allocate(reader, size, 1);
    memcpy(text, read_bytes(reader, size - 1), size - 1);
    return text;
}

// ---- the parts of a function ----

static bool read_header(struct bytecode_reader *reader)
{
    static const char start[] = LUA_SIGNATURE "\x54\0\x19\x93\r\n\x1a\n\x04\x08\x08";
    const lua_Integer integer = 0x5678;
    const lua_Number number = 370.5;
    return memcmp(read_bytes(reader, sizeof start - 1), start, sizeof start - 1) == 0 &&
           memcmp(read_bytes(reader, sizeof integer), &integer, sizeof integer) == 0 &&
           memcmp(read_bytes(reader, sizeof number), &number, sizeof number) == 0;
}

static void read_code(struct bytecode_reader *reader, struct bytecode_function *function)
{
    size_t length = read_count(reader, sizeof *function->code);
    uint32_t *code = allocate(reader, length, sizeof *code);
    if (length > 0)
        memcpy(code, read_bytes(reader, length * sizeof *code), length * sizeof *code);
    function->code = code;
    function->length = length;
}

// Stands for a constant that is nil.
static const char nil_constant[] = "";

static const char *read_constant(struct bytecode_reader *reader)
{
    enum { NIL = 0x00, INTEGER = 0x03, FLOAT = 0x13, SHORT = 0x04, LONG = 0x14, OTHERS = 0x11 };
    uint8_t type = read_byte(reader);
    if (type == SHORT || type == LONG)
        return read_text(reader);
    if (type == INTEGER || type == FLOAT)
        read_bytes(reader, 8);
    else
        reader->bad = reader->bad || type > OTHERS;
    return type == NIL ? nil_constant : NULL;
}

static void read_constants(struct bytecode_reader *reader, struct bytecode_function *function)
{
    size_t count = read_count(reader, 1);
    const char **constants = allocate(reader, count, sizeof *constants);
    for (size_t i = 0; i < count; i++)
        constants[i] = read_constant(reader);
    function->constants = constants;
    function->constant_count = count;
}

static struct bytecode_upvalue *read_upvalues(struct bytecode_reader *reader,
                                              struct bytecode_function *function)
{
    size_t count = read_count(reader, 3);
    struct bytecode_upvalue *upvalues = allocate(reader, count, sizeof *upvalues);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = read_bytes(reader, 3);
        upvalues[i] =
            (struct bytecode_upvalue){.name = "", .in_stack = bytes[0] != 0, .index = bytes[1]};
    }
    function->upvalues = upvalues;
    function->upvalue_count = count;
    return upvalues;
}

static void read_function(struct bytecode_reader *reader, struct bytecode_function *function);

static void read_inner(struct bytecode_reader *reader, struct bytecode_function *function)
{
    size_t count = read_count(reader, 8);
    function->inner = allocate(reader, count, sizeof *function->inner);
    function->inner_count = count;
    reader->bad = reader->bad || ++reader->depth > DEPTH;
    for (size_t i = 0; i < count && !reader->bad; i++) {
        function->inner[i].outer = function;
        read_function(reader, &function->inner[i]);
    }
    reader->depth--;
}

// A line is stored as a difference, or, where that does not fit, in a list of its own.
static void read_lines(struct bytecode_reader *reader, struct bytecode_function *function)
{
    enum { ELSEWHERE = -128 };
    size_t count = read_count(reader, 1), next = 0;
    const int8_t *differences = (const int8_t *)read_bytes(reader, count);
    size_t places = read_count(reader, 2);
    int *lines = allocate(reader, function->length, sizeof *lines);
    int line = function->line;
    for (size_t i = 0; i < places; i++) {
        size_t at = read_size(reader);
        int absolute = read_line(reader);
        for (; next < function->length && next < count && next < at; next++)
            lines[next] = line += differences[next] == ELSEWHERE ? 0 : differences[next];
        if (next == at && next < function->length)
            lines[next++] = line = absolute;
    }
    for (; next < function->length && next < count; next++)
        lines[next] = line += differences[next];
    function->lines = lines;
}

static void read_names(struct bytecode_reader *reader, struct bytecode_function *function,
                       struct bytecode_upvalue *upvalues)
{
    size_t count = read_count(reader, 3);
    struct bytecode_local *locals = allocate(reader, count, sizeof *locals);
    for (size_t i = 0; i < count; i++) {
        locals[i].name = read_text(reader);
        locals[i].name = locals[i].name ? locals[i].name : "";
        locals[i].start = read_size(reader);
        locals[i].end = read_size(reader);
    }
    function->locals = locals;
    function->local_count = count;
    count = read_count(reader, 1);
    for (size_t i = 0; i < count; i++) {
        const char *name = read_text(reader);
        if (i < function->upvalue_count && name != NULL)
            upvalues[i].name = name;
    }
}

// ---- what the code refers to ----

static bool fits(const struct bytecode_function *function, uint32_t instruction)
{
    switch (bytecode_operation(instruction)) {
    case OPERATION_GETUPVAL:
    case OPERATION_SETUPVAL:
    case OPERATION_GETTABUP:
        return bytecode_b(instruction) < function->upvalue_count;
    case OPERATION_SETTABUP:
        return bytecode_a(instruction) < function->upvalue_count;
    case OPERATION_CLOSURE:
        return bytecode_bx(instruction) < function->inner_count;
    default:
        return bytecode_operation(instruction) < OPERATIONS;
    }
}

static bool is_whole(const struct bytecode_function *function)
{
    for (size_t i = 0; i < function->length; i++)
        if (!fits(function, function->code[i]))
            return false;
    for (size_t i = 0; function->outer != NULL && i < function->upvalue_count; i++) {
        const struct bytecode_upvalue *upvalue = &function->upvalues[i];
        if (!upvalue->in_stack && upvalue->index >= function->outer->upvalue_count)
            return false;
    }
    return true;
}

// ---- where jumps lead ----

// The instruction that the one at `at` may jump to, or its own if it does not jump.
static size_t find_target(const struct bytecode_function *function, size_t at)
{
    enum { MIDDLE = (1 << 24) - 1 };
    uint32_t instruction = function->code[at];
    long distance = -1;
    switch (bytecode_operation(instruction)) {
    case OPERATION_JMP:
        distance = (long)(instruction >> 7) - MIDDLE;
        break;
    case OPERATION_FORPREP:
        distance = (long)bytecode_bx(instruction) + 1;
        break;
    case OPERATION_TFORPREP:
        distance = (long)bytecode_bx(instruction);
        break;
    case OPERATION_FORLOOP:
    case OPERATION_TFORLOOP:
        distance = -(long)bytecode_bx(instruction);
        break;
    default:
        break;
    }
    long target = (long)at + 1 + distance;
    return target >= 0 && (size_t)target < function->length ? (size_t)target : at;
}

static void find_jumps(struct bytecode_reader *reader, struct bytecode_function *function)
{
    size_t *unsure = allocate(reader, function->length, sizeof *unsure);
    size_t *loop_end = allocate(reader, function->length, sizeof *loop_end);
    for (size_t i = 0; i < function->length; i++)
        unsure[i] = function->length;
    for (size_t i = 0; i < function->length; i++) {
        size_t target = find_target(function, i);
        if (target < i)
            loop_end[target] = i;
        else if (target > i && i + 1 < unsure[target])
            unsure[target] = i + 1;
    }
    function->unsure = unsure;
    function->loop_end = loop_end;
}

static void read_function(struct bytecode_reader *reader, struct bytecode_function *function)
{
    read_text(reader); // the name of its file
    function->line = read_line(reader);
    read_line(reader);
    function->parameters = read_byte(reader);
    read_bytes(reader, 2);
    read_code(reader, function);
    read_constants(reader, function);
    struct bytecode_upvalue *upvalues = read_upvalues(reader, function);
    read_inner(reader, function);
    read_lines(reader, function);
    read_names(reader, function, upvalues);
    find_jumps(reader, function);
    reader->bad = reader->bad || !is_whole(function);
}

struct bytecode *bytecode_read(struct slice dump, struct error *err)
{
    struct bytecode *bytecode = memory_new(sizeof *bytecode);
    struct bytecode_reader reader = {.into = bytecode, .left = dump};
    if (read_header(&reader)) {
        read_byte(&reader);
        read_function(&reader, &bytecode->main);
        if (!reader.bad && reader.left.length == 0)
            return bytecode;
    }
    bytecode_free(bytecode);
    error_set(err, ERROR_PROTOCOL, "this is not what Lua 5.4 compiles a chunk to");
    return NULL;
}

void bytecode_free(struct bytecode *bytecode)
{
    if (bytecode == NULL)
        return;
    while (bytecode->blocks != NULL) {
        struct bytecode_block *next = bytecode->blocks->next;
        free(bytecode->blocks);
        bytecode->blocks = next;
    }
    free(bytecode);
}

const struct bytecode_function *bytecode_main(const struct bytecode *bytecode)
{
    return &bytecode->main;
}

// ---- instructions: 7 bits of operation, A of 8, k of 1, B and C of 8, or Bx of 17 ----

enum bytecode_operation bytecode_operation(uint32_t instruction)
{
    return instruction & 0x7f;
}

unsigned bytecode_a(uint32_t instruction)
{
    return instruction >> 7 & 0xff;
}

bool bytecode_k(uint32_t instruction)
{
    return (instruction >> 15 & 1) != 0;
}

unsigned bytecode_b(uint32_t instruction)
{
    return instruction >> 16 & 0xff;
}

unsigned bytecode_c(uint32_t instruction)
{
    return instruction >> 24;
}

unsigned bytecode_bx(uint32_t instruction)
{
    return instruction >> 15;
}

bool bytecode_sets_a(uint32_t instruction)
{
    static const struct {
        uint8_t from, to;
    } ranges[] = {{0, 9}, {11, 14}, {19, 45}, {49, 53}, {67, 69}, {73, 74}, {77, 77}, {79, 80}};
    unsigned operation = bytecode_operation(instruction);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (operation >= ranges[i].from && operation <= ranges[i].to)
            return true;
    return false;
}

bool bytecode_changes(const struct bytecode_function *function, unsigned register_number,
                      size_t first, size_t end)
{
    for (size_t i = first; i < end && i < function->length; i++)
        if (bytecode_sets_a(function->code[i]) && bytecode_a(function->code[i]) == register_number)
            return true;
    return false;
}

const struct bytecode_local *bytecode_local(const struct bytecode_function *function,
                                            unsigned register_number, size_t at)
{
    for (size_t i = 0; i < function->local_count; i++) {
        const struct bytecode_local *local = &function->locals[i];
        if (local->start <= at && at < local->end && register_number-- == 0)
            return local;
    }
    return NULL;
}

// A local function is named behind its body.
int bytecode_declared(const struct bytecode_function *function, const struct bytecode_local *local)
{
    if (local->start == 0 || local->start > function->length)
        return function->line;
    uint32_t before = function->code[local->start - 1];
    if (bytecode_operation(before) == OPERATION_CLOSURE)
        return function->inner[bytecode_bx(before)].line;
    return function->lines[local->start - 1];
}

const char *bytecode_text(const struct bytecode_function *function, unsigned number)
{
    const char *text = number < function->constant_count ? function->constants[number] : NULL;
    return text != nil_constant ? text : NULL;
}

bool bytecode_is_nil(const struct bytecode_function *function, unsigned number)
{
    return number < function->constant_count && function->constants[number] == nil_constant;
}
