// SPDX-License-Identifier: Apache-2.0
//
// CSV, record after record, by libcsv, which is given one line after the other: then the number of
// the line is known, and no more than one record lies in memory. A record is a table of texts by
// the names of the columns, or by their numbers as long as there are no names. Empty fields are
// absent.

#include "bindings/sim/trace_reader.h"

#include "base/memory.h"

#include <csv.h>
#include <lauxlib.h>
#include <lua.h>

#include <stdlib.h>
#include <string.h>

enum { FIELDS_MOST = 1024 };

struct csv_state {
    struct csv_parser parser;
    struct buffer text;       // of all fields of the record
    size_t ends[FIELDS_MOST]; // in it
    size_t count, fed;        // fields, and bytes that were read for the record
    size_t names;             // columns with names; 0: there are none
    bool whole, too_large;
    bool split; // something followed in the line that ended the record
    bool clean; // the parser is between two records
};

// ---- what libcsv calls ----

static void on_field(void *text, size_t length, void *data)
{
    struct csv_state *state = data;
    state->split |= state->whole;
    if (state->count == FIELDS_MOST || !buffer_append(&state->text, text, length))
        state->too_large = true;
    else
        state->ends[state->count++] = state->text.length;
}

static void on_record(int byte, void *data)
{
    (void)byte;
    ((struct csv_state *)data)->whole = true;
}

// ---- a record ----

static void forget(struct csv_state *state)
{
    buffer_clear(&state->text);
    state->count = state->fed = 0;
    state->whole = state->too_large = state->split = false;
}

// Hands a line over. False if there is a quote where none may be.
static bool feed(struct csv_state *state, const struct trace_input *input)
{
    const struct buffer *line = &input->text;
    state->fed += line->length + 1;
    if (csv_parse(&state->parser, line->data ? line->data : (const uint8_t *)"", line->length,
                  on_field, on_record, state) != line->length)
        return false;
    if (input->complete)
        return csv_parse(&state->parser, "\n", 1, on_field, on_record, state) == 1;
    return csv_fini(&state->parser, on_field, on_record, state) == 0;
}

// To libcsv a carriage return ends a record, wherever it stands in a line.
static bool has_more(const struct csv_state *state)
{
    return state->whole && (state->split || state->parser.pstate != 0); // 0: no row has begun
}

// Reads the lines of a record; blank lines are none.
static enum trace_status read_record(struct trace_reader *reader, struct error *err)
{
    struct csv_state *state = reader->state;
    struct trace_input *input = &reader->input;
    uint64_t offset = 0;
    size_t first = 0;
    forget(state);
    state->clean = false;
    while (!state->whole) {
        enum trace_status status = trace_input_line(input, err);
        if (status == TRACE_END && state->fed > 0) { // in a field with quotes
            input->item_line = first;
            return trace_reader_torn(reader, err);
        }
        if (status != TRACE_ITEM)
            return status;
        if (state->fed == 0) {
            offset = input->item_offset;
            first = input->item_line;
        }
        bool good = feed(state, input);
        input->item_line = first;
        input->item_offset = offset;
        if (!good && !input->complete)
            return trace_reader_torn(reader, err);
        if (!good)
            return trace_input_fault(input, err,
                                     "a quote stands inside a field; a field with quotes begins "
                                     "and ends with one, and has those in it twice");
        if (state->too_large || state->fed > TRACE_INPUT_ITEM)
            return trace_input_fault(input, err,
                                     "the record has more than %d fields or %zu bytes: does a "
                                     "quote have no second one?",
                                     (int)FIELDS_MOST, TRACE_INPUT_ITEM);
        if (has_more(state))
            return trace_input_fault(input, err,
                                     "a carriage return stands inside a line: lines end in LF, or "
                                     "in CR and LF");
        if (!state->whole && state->count == 0 && state->parser.entry_pos == 0 &&
            !state->parser.quoted)
            state->fed = 0;
    }
    state->clean = true;
    return TRACE_ITEM;
}

// ---- in Lua ----

// The columns have names, so each record has as many fields.
static enum trace_status check_count(struct trace_reader *reader, struct error *err)
{
    const struct csv_state *state = reader->state;
    if (state->names == 0 || state->count == state->names)
        return TRACE_ITEM;
    if (!reader->input.complete && state->count < state->names)
        return trace_reader_torn(reader, err);
    return trace_input_fault(&reader->input, err, "%zu fields, and there are %zu columns",
                             state->count, state->names);
}

static void push_record(lua_State *L, const struct csv_state *state) // [-0, +1, m]
{
    const char *text = (const char *)state->text.data;
    lua_createtable(L, 0, (int)state->count);
    lua_getiuservalue(L, 1, 1);
    size_t start = 0;
    for (size_t i = 0; i < state->count; start = state->ends[i++]) {
        if (state->ends[i] == start)
            continue;
        if (state->names == 0)
            lua_pushinteger(L, (lua_Integer)i + 1);
        else if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING) {
            lua_pop(L, 1); // a column that is left out
            continue;
        }
        lua_pushlstring(L, text + start, state->ends[i] - start);
        lua_rawset(L, -4);
    }
    lua_pop(L, 1);
}

static enum trace_status next_record(lua_State *L, struct trace_reader *reader, struct error *err)
{
    enum trace_status status = read_record(reader, err);
    if (status == TRACE_ITEM)
        status = check_count(reader, err);
    if (status == TRACE_ITEM)
        push_record(L, reader->state);
    return status;
}

static void on_names(struct trace_reader *reader, size_t count)
{
    ((struct csv_state *)reader->state)->names = count;
}

static void start_parser(struct csv_parser *parser, char separator)
{
    csv_init(parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_delim(parser, (unsigned char)separator);
}

static void begin(struct trace_reader *reader)
{
    struct csv_state *state = memory_new(sizeof *state);
    start_parser(&state->parser, reader->separator);
    buffer_init(&state->text, TRACE_INPUT_ITEM);
    reader->state = state;
}

static void on_seek(struct trace_reader *reader)
{
    struct csv_state *state = reader->state;
    if (!state->clean) { // it was left inside of a record
        csv_free(&state->parser);
        start_parser(&state->parser, reader->separator);
    }
    forget(state);
}

static void end(struct trace_reader *reader)
{
    struct csv_state *state = reader->state;
    if (state == NULL)
        return;
    csv_free(&state->parser);
    buffer_free(&state->text);
    free(state);
}

const struct trace_kind csv_reader = {
    .begin = begin, .next = next_record, .seek = on_seek, .names = on_names, .end = end};
