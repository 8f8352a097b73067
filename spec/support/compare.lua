-- SPDX-License-Identifier: Apache-2.0
--
-- Comparing messages as Lua values, and finding where they differ.

local M = {}

-- A plain copy without metatables and without the empty lists that reading an absent field leaves.
function M.plain(value)
    if type(value) ~= "table" then
        return value
    end
    local copy = {}
    for key, item in next, value do
        copy[key] = M.plain(item)
    end
    return copy
end

-- A value in an error message.
function M.show(value)
    return type(value) == "table" and "a table" or ("%q"):format(tostring(value))
end

-- Where two values differ, as a path and both values; nil if they do not. Numbers differ by subtype as well, unless
-- `loose`.
function M.difference(wanted, got, path, loose)
    if type(wanted) ~= "table" or type(got) ~= "table" then
        local nan = wanted ~= wanted and got ~= got
        if (wanted ~= got and not nan) or (not loose and math.type(wanted) ~= math.type(got)) then
            return ("%s: wanted %s, got %s"):format(path, M.show(wanted), M.show(got))
        end
        return nil
    end
    for key, item in pairs(wanted) do
        local found = M.difference(item, rawget(got, key), path .. "." .. tostring(key), loose)
        if found then
            return found
        end
    end
    for key, item in pairs(got) do
        if wanted[key] == nil then
            return ("%s.%s: not wanted, got %s"):format(path, tostring(key), M.show(item))
        end
    end
    return nil
end

-- The value as Lua source text.
function M.source(value)
    if type(value) ~= "table" then
        return ("%q"):format(value)
    end
    local parts = {}
    for key, item in pairs(value) do
        parts[#parts + 1] = ("[%s] = %s"):format(M.source(key), M.source(item))
    end
    return "{ " .. table.concat(parts, ", ") .. " }"
end

return M
