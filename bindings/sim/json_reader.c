// SPDX-License-Identifier: Apache-2.0
//
// Objects in JSON, one after the other: JSON lines, or the items of a list, which is what a file is
// that begins with '['. Of a list the text of one item is looked for, by its braces, and is given
// to jansson (message/json.h), so that no more than one item lies in memory.

#include "bindings/sim/trace_reader.h"

#include "base/memory.h"
#include "bindings/message/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum json_position { AT_START, IN_LINES, AT_ITEM, BEHIND_ITEM, AT_END };

struct json_state {
    enum json_position place;
    bool first; // no item of the list was read
};

// ---- JSON lines ----

// What jansson says, "line 2, column 5: what", with the line of the file.
static enum trace_status refuse(const struct trace_input *input, const struct error *reason,
                                struct error *err)
{
    struct trace_input at = *input;
    size_t line = 1;
    int column = 0, length = 0;
    if (sscanf(reason->text, "line %zu, column %d: %n", &line, &column, &length) < 2)
        return trace_input_fault(input, err, "%.500s", reason->text);
    at.item_line += line - 1;
    return trace_input_fault(&at, err, "column %d: %.500s", column, reason->text + length);
}

static enum trace_status push_item(lua_State *L, struct trace_reader *reader, bool whole,
                                   struct error *err) // [-0, +1|0, e]
{
    struct error reason = {.code = ERROR_NONE};
    if (json_decode(L, buffer_slice(&reader->input.text), 0, &reason))
        return TRACE_ITEM;
    return whole ? refuse(&reader->input, &reason, err) : trace_reader_torn(reader, err);
}

static size_t skip_space(const struct buffer *text)
{
    size_t at = 0;
    while (at < text->length && isspace(text->data[at]))
        at++;
    return at;
}

static enum trace_status next_line(lua_State *L, struct trace_reader *reader, struct error *err)
{
    struct trace_input *input = &reader->input;
    enum trace_status status;
    size_t at;
    do {
        status = trace_input_line(input, err);
        at = skip_space(&input->text);
    } while (status == TRACE_ITEM && at == input->text.length);
    if (status == TRACE_ITEM && input->text.data[at] != '{')
        return trace_input_fault(input, err,
                                 "an object in one line expected (JSON lines), or a list of "
                                 "objects in the whole file");
    return status == TRACE_ITEM ? push_item(L, reader, input->complete, err) : status;
}

// ---- a list ----

static int skip_spaces(struct trace_input *input, struct error *err)
{
    int byte;
    do
        byte = trace_input_byte(input, err);
    while (byte >= 0 && isspace(byte));
    trace_input_begin(input, byte >= 0);
    input->item_line -= byte == '\n';
    return byte;
}

// Reads the rest of an object, whose brace was read. False at the end of the file, or of memory.
static bool read_object(struct trace_input *input, struct error *err)
{
    int depth = 1;
    bool quoted = false, escaped = false;
    buffer_append_text(&input->text, "{");
    while (depth > 0) {
        int byte = trace_input_byte(input, err);
        const char c = (char)byte;
        if (byte < 0 || !buffer_append(&input->text, &c, 1))
            return false;
        if (!quoted)
            depth += (c == '{') - (c == '}');
        if (c == '"' && !escaped)
            quoted = !quoted;
        escaped = quoted && c == '\\' && !escaped;
    }
    return true;
}

static enum trace_status end_list(struct json_state *state, struct trace_input *input,
                                  struct error *err)
{
    int byte = skip_spaces(input, err);
    state->place = AT_END;
    return byte < 0 ? TRACE_END : trace_input_fault(input, err, "something stands behind the list");
}

enum json_found { FOUND_OBJECT, FOUND_END, FOUND_NOTHING, FOUND_OTHER };

// Goes to the brace of the next item, or to what stands there instead.
static enum json_found find_item(const struct json_state *state, struct trace_input *input,
                                 int *byte, const char **wanted, struct error *err)
{
    bool behind = state->place == BEHIND_ITEM;
    *wanted = behind ? "',' and an object, or ']'," : "an object";
    *byte = skip_spaces(input, err);
    if (*byte == ']' && (behind || state->first))
        return FOUND_END;
    if (*byte == ',' && behind) {
        *wanted = "an object";
        *byte = skip_spaces(input, err);
        behind = false;
    }
    if (*byte == '{' && !behind)
        return FOUND_OBJECT;
    return *byte < 0 ? FOUND_NOTHING : FOUND_OTHER;
}

// Reads the item into the text of the input.
static enum trace_status read_item(struct trace_reader *reader, struct error *err)
{
    struct json_state *state = reader->state;
    struct trace_input *input = &reader->input;
    const char *wanted;
    int byte;
    enum json_found found = find_item(state, input, &byte, &wanted, err);
    if (found == FOUND_END)
        return end_list(state, input, err);
    if (found == FOUND_OTHER)
        return trace_input_fault(input, err, "%s expected, and there is '%c'", wanted,
                                 isprint(byte) ? byte : '?');
    if (found == FOUND_OBJECT && read_object(input, err))
        return TRACE_ITEM;
    if (input->text.length >= TRACE_INPUT_ITEM)
        return trace_input_fault(input, err, "the object has more than %zu bytes",
                                 TRACE_INPUT_ITEM);
    return err->code == ERROR_NONE ? trace_reader_torn(reader, err) : TRACE_BAD;
}

static enum trace_status next_item(lua_State *L, struct trace_reader *reader, struct error *err)
{
    struct json_state *state = reader->state;
    enum trace_status status = read_item(reader, err);
    if (status != TRACE_ITEM)
        return status;
    state->place = BEHIND_ITEM;
    state->first = false;
    return push_item(L, reader, true, err);
}

// ---- both ----

// A list, if that is how the file begins.
static enum json_position find_place(struct trace_reader *reader, struct error *err)
{
    struct trace_input *input = &reader->input;
    int byte = skip_spaces(input, err);
    if (byte == '[')
        return AT_ITEM;
    return byte < 0 || trace_input_seek(input, input->item_offset, input->item_line, err) ? IN_LINES
                                                                                          : AT_END;
}

static enum trace_status next_object(lua_State *L, struct trace_reader *reader, struct error *err)
{
    struct json_state *state = reader->state;
    if (state->place == AT_START)
        state->place = find_place(reader, err);
    if (err->code != ERROR_NONE)
        return TRACE_BAD;
    if (state->place == AT_END)
        return TRACE_END;
    return state->place == IN_LINES ? next_line(L, reader, err) : next_item(L, reader, err);
}

static void begin(struct trace_reader *reader)
{
    struct json_state *state = memory_new(sizeof *state);
    *state = (struct json_state){AT_START, true};
    reader->state = state;
}

static void on_seek(struct trace_reader *reader)
{
    struct json_state *state = reader->state;
    if (state->place != IN_LINES)
        state->place = AT_ITEM;
}

static void end(struct trace_reader *reader)
{
    free(reader->state);
}

const struct trace_kind json_reader = {
    .begin = begin, .next = next_object, .seek = on_seek, .end = end};
