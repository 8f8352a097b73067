-- SPDX-License-Identifier: Apache-2.0
--
-- Prints a C file with the texts of the Lua files that are its arguments, as rows of library_files (library.h). The
-- first argument is the folder that their paths begin with, which is no part of their names: below lua/, mesos/jobs.lua
-- is the module "mesos.jobs". A file that does not compile fails the build. The build runs it.

local folder = arg[1]
local rows = {}

-- The text as the elements of an array: a string literal that is this long is not portable C.
local function print_text(number, text)
    print(("static const char text_%d[] = {"):format(number))
    for at = 1, #text, 24 do
        local bytes = { text:byte(at, at + 23) }
        print("    " .. table.concat(bytes, ", ") .. ",")
    end
    print("};")
end

print("// Made by host/script/library_texts.lua.\n")
print('#include "script/library.h"\n\n#include <stddef.h>\n')
for number = 2, #arg do
    local name = arg[number]:sub(#folder + 2)
    local file <close> = assert(io.open(arg[number], "rb"))
    local text = file:read("a")
    assert(load(text, "=" .. name, "t"))
    assert(text:find("%g") and not text:find("[\x80-\xff]"), name .. ": text in ASCII expected")
    print_text(number, text)
    local module = name:gsub("%.lua$", ""):gsub("/", ".")
    rows[#rows + 1] = ('    {"%s", "=%s", text_%d, sizeof text_%d},'):format(module, name, number, number)
end
table.sort(rows)
print("const struct library_file library_files[] = {")
print(table.concat(rows, "\n"))
print("    {NULL, NULL, NULL, 0},\n};")
