// SPDX-License-Identifier: Apache-2.0
//
// Workload files made of any bytes: the first byte is the kind of the file. It is read from front
// to back, to its end or to what is wrong with it, which has the file's path in front. Then each
// item is read again, from the last to the first, and must be what it was.

#include "bindings/message/json.h"
#include "bindings/sim/readers.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char chunk[] =
    "local readers, path, kind = ...\n"
    "local function same(a, b)\n"
    "    if type(a) ~= 'table' or type(b) ~= 'table' then\n"
    "        return a == b or a ~= a and b ~= b\n"
    "    end\n"
    "    for key, value in pairs(a) do\n"
    "        if not same(value, b[key]) then return false end\n"
    "    end\n"
    "    for key in pairs(b) do\n"
    "        if a[key] == nil then return false end\n"
    "    end\n"
    "    return true\n"
    "end\n"
    "local open = { readers.csv, readers.json, readers.lines }\n"
    "local good, reader = pcall(open[kind % 3 + 1], path, kind & 4 ~= 0, kind & 8 ~= 0 and ';' or "
    "',')\n"
    "if not good then\n"
    "    assert(reader:find(path, 1, true) == 1, reader)\n"
    "    return\n"
    "end\n"
    "local items, latest = {}, -1\n"
    "while true do\n"
    "    local fine, item, line, offset = pcall(reader.next, reader)\n"
    "    if not fine then\n"
    "        assert(item:find(path .. ':', 1, true) == 1, item)\n"
    "        break\n"
    "    elseif item == nil then\n"
    "        break\n"
    "    end\n"
    "    assert(offset > latest and line > 0)\n"
    "    latest = offset\n"
    "    items[#items + 1] = { item, line, offset }\n"
    "end\n"
    "for i = #items, 1, -1 do\n"
    "    local item, line, offset = table.unpack(items[i])\n"
    "    reader:seek(offset, line)\n"
    "    local again, line_again, offset_again = reader:next()\n"
    "    assert(line == line_again and offset == offset_again and same(item, again))\n"
    "end\n"
    "reader:close()\n";

struct file {
    char path[64];
    int kind;
};

static int l_read(lua_State *L)
{
    const struct file *file = lua_touserdata(L, 1);
    json_open(L);
    if (luaL_loadstring(L, chunk) != LUA_OK)
        return lua_error(L);
    readers_open(L);
    lua_pushstring(L, file->path);
    lua_pushinteger(L, file->kind);
    lua_call(L, 3, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = {.kind = size > 0 ? *data : 0};
    int descriptor = memfd_create("workload", MFD_CLOEXEC);
    if (size > 1 && write(descriptor, data + 1, size - 1) != (ssize_t)size - 1)
        abort();
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", descriptor);
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushcfunction(L, l_read);
    lua_pushlightuserdata(L, &file);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    lua_close(L);
    close(descriptor);
    return 0;
}
