-- SPDX-License-Identifier: Apache-2.0
--
-- Prints the Lua module sim.report.texts: what the page is made of, as texts, with the hashes that its security policy
-- names. The arguments are NAME=FILE, and SUMS=FILE with lines "SHA-256 in hexadecimal, FILE" as `cmake -E sha256sum`
-- prints them, of the files that have a hash. The build runs it.

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(bytes)
    local out = {}
    for at = 1, #bytes, 3 do
        local a, b, c = bytes:byte(at, at + 2)
        local group = a << 16 | (b or 0) << 8 | (c or 0)
        for i = 0, 3 do
            local index = (group >> (18 - 6 * i) & 63) + 1
            out[#out + 1] = (i == 2 and not b or i == 3 and not c) and "=" or ALPHABET:sub(index, index)
        end
    end
    return table.concat(out)
end

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

-- A Lua string of ASCII, in lines that are not too long.
local function literal(text)
    local parts = {}
    for at = 1, #text, 100 do
        parts[#parts + 1] = '"' .. text:sub(at, at + 99):gsub("[%c\"\\\x7f-\xff]", function(byte)
            return ("\\%03d"):format(byte:byte())
        end) .. '",'
    end
    return "table.concat {\n" .. table.concat(parts, "\n") .. "\n}"
end

local hashes, rows = {}, {}
for _, argument in ipairs(arg) do
    local name, path = argument:match("^(%w+)=(.+)$")
    local text = read(path)
    assert(text ~= "" and not text:find("\r", 1, true) and utf8.len(text), path .. ": UTF-8 without CR expected")
    if name == "SUMS" then
        for sum, file in text:gmatch("(%x+)%s+([^\n]+)") do
            hashes[file] = "sha256-" .. base64(sum:gsub("%x%x", function(byte)
                return string.char(tonumber(byte, 16))
            end))
        end
    else
        local ends = text:lower():find("</script", 1, true) or text:lower():find("</style", 1, true)
        assert(name == "page" or not ends, path .. ": it would end its own element")
        rows[#rows + 1] = ("M.%s = %s\n"):format(name, literal(text))
        if hashes[path] then
            rows[#rows + 1] = ("M.%s_hash = %q\n"):format(name, hashes[path])
        end
    end
end
print("-- Made by host/sim/report/make_texts.lua.\n\nlocal M = {}\n")
io.write(table.concat(rows, "\n"))
print("\nreturn M")
