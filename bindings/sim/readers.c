// SPDX-License-Identifier: Apache-2.0
//
// Workload files in Lua: see readers.h.

#include "bindings/sim/readers.h"

#include "bindings/sim/row_order.h"
#include "bindings/sim/trace_reader.h"

#include <lauxlib.h>

#define READER "sim.reader"

// ---- lines ----

static enum trace_status next_line(lua_State *L, struct trace_reader *reader, struct error *err)
{
    enum trace_status status = trace_input_line(&reader->input, err);
    if (status == TRACE_ITEM)
        lua_pushlstring(L, buffer_string(&reader->input.text), reader->input.text.length);
    return status;
}

static void ignore(struct trace_reader *reader)
{
    (void)reader;
}

const struct trace_kind line_reader = {
    .begin = ignore, .next = next_line, .seek = ignore, .end = ignore};

// ---- a reader ----

static void end(lua_State *L, struct userdata *userdata)
{
    struct trace_reader *reader = (struct trace_reader *)userdata;
    (void)L;
    if (reader->input.path != NULL)
        reader->kind->end(reader);
    trace_input_close(&reader->input);
}

static int raise(lua_State *L, const struct error *err) // [-0, +0, v]
{
    lua_pushstring(L, err->text);
    return lua_error(L);
}

// (path, partial, separator) // [-n, +1, e]
static int open_reader(lua_State *L, const struct trace_kind *kind)
{
    const char *path = luaL_checkstring(L, 1), *separator = luaL_optstring(L, 3, ",");
    struct error err = {.code = ERROR_NONE};
    struct trace_reader *reader = userdata_push(L, READER, sizeof *reader, 1, end);
    reader->kind = kind;
    reader->partial = lua_toboolean(L, 2);
    reader->separator = *separator;
    if (!trace_input_open(&reader->input, path, &err))
        return raise(L, &err);
    kind->begin(reader);
    return 1;
}

static int l_csv(lua_State *L)
{
    return open_reader(L, &csv_reader);
}

static int l_json(lua_State *L)
{
    return open_reader(L, &json_reader);
}

static int l_lines(lua_State *L)
{
    return open_reader(L, &line_reader);
}

static struct trace_reader *check_reader(lua_State *L) // [-0, +0, v]
{
    struct trace_reader *reader = userdata_check(L, 1, READER);
    if (reader->input.path == NULL)
        luaL_error(L, "the file is closed");
    return reader;
}

enum trace_status trace_reader_torn(const struct trace_reader *reader, struct error *err)
{
    trace_input_fault(&reader->input, err,
                      "the file ends in the middle of what begins here; `partial = true` leaves "
                      "that out");
    return TRACE_END;
}

static int l_next(lua_State *L) // [-n, +1|2|4, e]
{
    struct trace_reader *reader = check_reader(L);
    const struct trace_input *input = &reader->input;
    struct error err = {.code = ERROR_NONE};
    enum trace_status status = reader->kind->next(L, reader, &err);
    if (status == TRACE_BAD || (err.code != ERROR_NONE && !reader->partial))
        return raise(L, &err);
    if (status == TRACE_END) {
        lua_pushnil(L);
        if (err.code != ERROR_NONE)
            lua_pushstring(L, err.text);
        return err.code != ERROR_NONE ? 2 : 1;
    }
    lua_pushinteger(L, (lua_Integer)input->item_line);
    lua_pushinteger(L, (lua_Integer)input->item_offset);
    lua_pushboolean(L, input->complete);
    return 4;
}

static int l_seek(lua_State *L) // (reader, offset, line) // [-n, +0, v]
{
    struct trace_reader *reader = check_reader(L);
    struct error err = {.code = ERROR_NONE};
    lua_Integer offset = luaL_checkinteger(L, 2), line = luaL_checkinteger(L, 3);
    luaL_argcheck(L, offset >= 0, 2, "an offset in the file expected");
    luaL_argcheck(L, line >= 1, 3, "the number of a line expected");
    if (!trace_input_seek(&reader->input, (uint64_t)offset, (size_t)line, &err))
        return raise(L, &err);
    reader->kind->seek(reader);
    return 0;
}

static int l_names(lua_State *L) // (reader, names) // [-n, +0, v]
{
    struct trace_reader *reader = check_reader(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_argcheck(L, reader->kind->names != NULL, 1, "this file has no columns");
    reader->kind->names(reader, (size_t)lua_rawlen(L, 2));
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

static int l_close(lua_State *L) // [-n, +0, v]
{
    struct trace_reader *reader = userdata_check(L, 1, READER);
    end(L, &reader->base);
    return 0;
}

// ---- the module ----

int readers_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"next", l_next}, {"seek", l_seek}, {"names", l_names}, {"close", l_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"csv", l_csv},
                                         {"json", l_json},
                                         {"lines", l_lines},
                                         {"order", row_order_create},
                                         {NULL, NULL}};
    row_order_open(L);
    userdata_type(L, READER);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
