-- SPDX-License-Identifier: Apache-2.0
--
-- What the fields of a scenario may be. Each function is given the path of the field, and raise(path, text).

local complaint = require "sim.complaint"
local distributions = require "sim.distributions"
local generators = require "sim.generators"
local rows = require "sim.rows"

local M = {}

function M.want(value, test, words, path, raise)
    if not test then
        raise(path, words .. " expected, got " .. complaint.shown(value))
    end
    return value
end

function M.table_of(value, words, path, raise)
    local is = type(value) == "table" and not generators.is(value) and not distributions.is(value)
    return M.want(value, is, words, path, raise)
end

function M.text_of(value, words, path, raise)
    return M.want(value, type(value) == "string" and value ~= "", words, path, raise)
end

function M.seconds_of(value, path, raise)
    local seconds = rows.seconds(value)
    return M.want(seconds or value, seconds and seconds >= 0 and seconds < math.huge, rows.DURATION, path, raise)
end

function M.in_field(path, name)
    if type(name) == "number" then
        return ("%s[%d]"):format(path, name)
    end
    return path == "" and name or path .. "." .. name
end

-- A copy of plain data, of which functions and the like are errors.
function M.plain(value, path, raise, depth)
    if type(value) ~= "table" then
        local kind = type(value)
        return M.want(value, kind == "string" or kind == "boolean" or kind == "number" and value == value
            and math.abs(value) < math.huge, "numbers, texts, true, false and tables of them", path, raise)
    elseif (depth or 0) > 20 or getmetatable(value) ~= nil then
        raise(path, generators.is(value) and "plain data expected, got a workload"
            or distributions.is(value) and "plain data expected, got a distribution"
            or getmetatable(value) and "plain data expected, got a table with a metatable"
            or "tables lie too deep in one another")
    end
    local copy = {}
    for _, name in ipairs(complaint.sorted(value)) do
        copy[name] = M.plain(value[name], M.in_field(path, name), raise, (depth or 0) + 1)
    end
    return copy
end

return M
