-- SPDX-License-Identifier: Apache-2.0
--
-- Prints a C file with the texts of what `mesos-lua new` writes, as rows of new_texts (new_files.h). The arguments are
-- the files of host/cli/new; the name of a row is the file's. The build runs it.

print("// Made by host/cli/new_texts.lua.\n")
print('#include "cli/new_files.h"\n\n#include <stddef.h>\n')
local rows = {}
for number, path in ipairs(arg) do
    local file <close> = assert(io.open(path, "rb"))
    local text = file:read("a")
    assert(load(text, "=" .. path, "t"))
    print(("static const char text_%d[] = {"):format(number))
    for at = 1, #text, 24 do
        print("    " .. table.concat({ text:byte(at, at + 23) }, ", ") .. ",")
    end
    print("};")
    rows[number] = ('    {"%s", text_%d, sizeof text_%d},'):format(path:match("([^/]+)$"), number, number)
end
table.sort(rows)
print("const struct new_text new_texts[] = {\n" .. table.concat(rows, "\n") .. "\n    {NULL, NULL, 0},\n};")
