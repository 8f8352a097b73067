-- SPDX-License-Identifier: Apache-2.0
--
-- Prints a C file with the texts of the Lua files that are its arguments, as rows of an array of struct library_file
-- (library.h). The first argument is its name, the second the header that declares it, the third the folder, or several
-- with commas, that the paths begin with, which is no part of their names: below lua/, mesos/jobs.lua is the module
-- "mesos.jobs". A file that does not compile fails the build. The build runs it.

local array, header = arg[1], arg[2]
local rows = {}

local function name_of(path)
    for folder in arg[3]:gmatch("[^,]+") do
        if path:sub(1, #folder + 1) == folder .. "/" then
            return path:sub(#folder + 2)
        end
    end
    error(path .. " is in none of the folders " .. arg[3])
end

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
print(('#include "%s"\n\n#include <stddef.h>\n'):format(header))
for number = 4, #arg do
    local name = name_of(arg[number])
    local file <close> = assert(io.open(arg[number], "rb"))
    local text = file:read("a")
    assert(load(text, "=" .. name, "t"))
    assert(text:find("%g") and not text:find("[\x80-\xff]"), name .. ": text in ASCII expected")
    print_text(number, text)
    local module = name:gsub("%.lua$", ""):gsub("/", ".")
    rows[#rows + 1] = ('    {"%s", "=%s", text_%d, sizeof text_%d},'):format(module, name, number, number)
end
table.sort(rows)
print(("const struct library_file %s[] = {"):format(array))
print(table.concat(rows, "\n"))
print("    {NULL, NULL, NULL, 0},\n};")
