-- SPDX-License-Identifier: Apache-2.0
--
-- Columns of numbers for the page: as few bytes as what can be seen takes, and their means over spans of time, for the
-- tables below the figures. Equal columns give equal bytes.

local M = {}

local DIGITS = 1000 -- the largest number of a column is written as 1000 to 9999
local ABSENT = -1 -- in the page; no column has numbers below zero

local function is_number(value)
    return type(value) == "number" and value == value and value ~= math.huge and value >= 0
end

-- A column as whole numbers and what they are to be divided by: { d = 10, v = { 1234, 56, -1 } }, or multiplied, m.
---@param values (number|nil|false)[]
---@param count integer
---@return table
function M.packed(values, count)
    local largest = 0
    for i = 1, count do
        largest = is_number(values[i]) and math.max(largest, values[i]) or largest
    end
    local factor = 1
    while largest * factor < DIGITS and factor < 1e12 and largest > 0 do
        factor = factor * 10
    end
    while largest * factor >= DIGITS * 10 do
        factor = factor / 10
    end
    local packed = {}
    for i = 1, count do
        packed[i] = is_number(values[i]) and math.floor(values[i] * factor + 0.5) or ABSENT
    end
    if factor < 1 then
        return { m = math.floor(1 / factor + 0.5), v = packed }
    end
    return { d = math.floor(factor), v = packed }
end

-- Seconds as whole milliseconds.
---@param values number[]
---@param count integer
---@return table
function M.milliseconds(values, count)
    local packed = {}
    for i = 1, count do
        packed[i] = is_number(values[i]) and math.floor(math.min(values[i], 1e12) * 1000 + 0.5) or ABSENT
    end
    return { d = 1000, v = packed }
end

local LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

-- Shares from 0 to 1 as one character each, of 64; a space where there is none.
---@param shares number[]
---@param count integer
---@return string
function M.levels(shares, count)
    local parts = {}
    for i = 1, count do
        local share = shares[i]
        local level = is_number(share) and math.floor(math.min(share, 1) * (#LEVELS - 1) + 0.5) + 1
        parts[i] = level and LEVELS:sub(level, level) or " "
    end
    return table.concat(parts)
end

-- The mean of a column, or with `sums` its sum, from one time to another, where it has values.
---@param column (number|nil|false)[]?
---@param width number seconds of one step
---@param count integer
---@param from number
---@param to number
---@param sums boolean?
---@return number?
function M.over(column, width, count, from, to, sums)
    local sum, time = 0, 0
    if not column or width <= 0 then
        return nil
    end
    for i = math.max(1, math.floor(from / width)), math.min(count, math.ceil(to / width) + 1) do
        local share = math.min(to, i * width) - math.max(from, (i - 1) * width)
        if share > 0 and is_number(column[i]) then
            sum, time = sum + column[i] * share, time + share
        end
    end
    if time == 0 then
        return nil
    end
    return sums and sum / width or sum / time
end

-- One column divided by another, or by a number; absent where that is zero.
---@param column number[]?
---@param by number[]|number|nil
---@param count integer
---@return (number|false)[]?
function M.ratio(column, by, count)
    if not column or not by then
        return nil
    end
    local out = {}
    for i = 1, count do
        local divisor = type(by) == "table" and by[i] or by
        out[i] = is_number(column[i]) and is_number(divisor) and divisor > 0 and column[i] / divisor or false
    end
    return out
end

-- The sum of two columns.
---@return number[]?
function M.sum(a, b, count)
    if not a or not b then
        return nil
    end
    local out = {}
    for i = 1, count do
        out[i] = (a[i] or 0) + (b[i] or 0)
    end
    return out
end

return M
