-- SPDX-License-Identifier: Apache-2.0
--
-- Errors of those who write scenarios: the place in their file, the field, what is wrong, and what was probably meant.
-- A function of `sim` that a scenario calls raises with the line of that call; what is found in the table that the
-- scenario returns is raised by scenario.lua, which knows the lines of its fields.

local fields = require "mesos.fields"

local M = {}

-- The names of the chunks that are scenarios, as debug.getinfo() calls their sources.
M.chunks = {}

-- A value as an error shows it: the string 'x', 4, a table.
function M.shown(value)
    if type(value) == "string" then
        return ("the string '%s'"):format(#value > 60 and value:sub(1, 57) .. "..." or value)
    end
    local plain = type(value) == "number" or type(value) == "nil" or type(value) == "boolean"
    return plain and tostring(value) or "a " .. type(value)
end

-- "file:line" of the scenario's line that runs, or nil.
function M.place()
    local level = 2
    while true do
        local info = debug.getinfo(level, "Sl")
        if not info then
            return nil
        elseif M.chunks[info.source] and info.currentline > 0 then
            return ("%s:%d"):format(info.source:sub(2), info.currentline)
        end
        level = level + 1
    end
end

-- Raises a text, with the line of the scenario in front that is to blame.
function M.raise(format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    local place = M.place()
    error(place and place .. ": " .. text or text, 0)
end

-- Numbers in front of other keys.
local function is_before(a, b)
    local first, second = type(a) == "number", type(b) == "number"
    if first and second then
        return a < b
    elseif first or second then
        return first
    end
    return tostring(a) < tostring(b)
end

-- The keys of a table in order, so that nothing depends on how Lua's tables are laid out.
function M.sorted(set)
    local list = {}
    for key in pairs(set) do
        list[#list + 1] = key
    end
    table.sort(list, is_before)
    return list
end

-- Calls raise(path, text) for the first field that is not known.
function M.known(given, known, path, raise)
    for _, key in ipairs(M.sorted(given)) do
        if known[key] == nil then
            local name = type(key) == "string" and key or ("[%s]"):format(tostring(key))
            local hint = fields.hint(key, known)
            local all = hint == "" and "; there are " .. table.concat(M.sorted(known), ", ") or ""
            raise(path == "" and name or path .. "." .. name, "unknown field" .. hint .. all)
        end
    end
end

return M
