-- SPDX-License-Identifier: Apache-2.0
--
-- Values as text for people, in the page of a run: seconds, counts, shares, and text from outside, which is escaped
-- here and nowhere else. The same value is the same text on each machine. page.js has seconds and counts again, for
-- axes.

local M = {}

local MINUS, REPLACEMENT, ELLIPSIS = "\u{2212}", "\u{FFFD}", "\u{2026}"
M.none = "\u{2013}" -- where there is no value

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- What turns the direction of text, ends lines for JavaScript, or cannot be seen.
local UNSEEN = "\u{200B}\u{200E}\u{200F}\u{2028}\u{2029}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}"
    .. "\u{2068}\u{2069}\u{FEFF}"
local IS_UNSEEN = {}
for _, code in utf8.codes(UNSEEN) do
    IS_UNSEEN[utf8.char(code)] = true
end

-- Text as valid UTF-8 in at most `most` characters (200): other bytes, control characters and those that cannot be seen
-- become U+FFFD, except line ends where `lines` is true.
---@param text any
---@param most integer?
---@param lines boolean?
---@return string
function M.clean(text, most, lines)
    text = tostring(text)
    local parts, count, at = {}, 0, 1
    most = most or 200
    while at <= #text do
        if count == most then
            parts[#parts + 1] = ELLIPSIS
            break
        end
        local character = text:match("^[\0-\x7F]", at)
        if not character then
            local first = text:byte(at)
            local whole = text:sub(at, at + (first < 0xE0 and 1 or first < 0xF0 and 2 or 3))
            character = utf8.len(whole) == 1 and whole
        elseif character:find("%c") and not (lines and character == "\n") then
            parts[#parts + 1] = character == "\t" and " " or REPLACEMENT
            goto next
        end
        parts[#parts + 1] = character and not IS_UNSEEN[character] and character or REPLACEMENT
        ::next::
        count, at = count + 1, at + (character and #character or 1)
    end
    return table.concat(parts)
end

-- Text as HTML shows it, in elements and in attributes.
---@param text any
---@param most integer?
---@param lines boolean?
---@return string
function M.escape(text, most, lines)
    return (M.clean(text, most, lines):gsub("[&<>\"']", ENTITIES))
end

-- 1234567 as 1,234,567.
local function grouped(digits)
    local head = digits:match("^%d+")
    local first = (#head - 1) % 3 + 1
    return head:sub(1, first) .. head:sub(first + 1):gsub("%d%d%d", ",%0") .. digits:sub(#head + 1)
end

-- A number above zero with three digits at least, or as many as it has before the point.
local function plain(value)
    local decimals = value >= 99.95 and 0 or value >= 9.995 and 1 or value >= 0.9995 and 2 or 3
    local text = ("%%.%df"):format(decimals):format(value)
    return grouped(decimals > 0 and text:gsub("0+$", ""):gsub("%.$", "") or text)
end

local function small(value)
    return value < 0.001 and ("%.2g"):format(value) or plain(value)
end

local function two(value, unit, part, less)
    local whole = value // unit
    local rest = math.floor((value - whole * unit) / part + 0.5)
    return whole, rest, less
end

-- 75.4 as "1 min 15 s"; two units at most.
local function seconds(value)
    if value > 0 and value < 0.9995 then
        return small(value * 1000) .. " ms"
    elseif value < 59.95 then
        return (value == 0 and "0" or small(value)) .. " s"
    elseif value < 3599.5 then
        local minutes, rest = two(value, 60, 1)
        minutes, rest = minutes + rest // 60, rest % 60
        return rest == 0 and ("%d min"):format(minutes) or ("%d min %d s"):format(minutes, rest)
    elseif value < 86370 then
        local hours, rest = two(value, 3600, 60)
        hours, rest = hours + rest // 60, rest % 60
        return rest == 0 and ("%d h"):format(hours) or ("%d h %d min"):format(hours, rest)
    end
    local days, rest = two(value, 86400, 3600)
    days, rest = days + rest // 24, rest % 24
    return grouped(("%d"):format(days)) .. (rest == 0 and " d" or (" d %d h"):format(rest))
end

local function count(value)
    if value >= 1e12 then
        return ("%.4g"):format(value)
    elseif value >= 9999999.5 then
        return plain(value / 1e6) .. " M"
    end
    return value == math.floor(value) and grouped(("%.0f"):format(value)) or small(value)
end

local KINDS = {
    time = seconds,
    count = count,
    share = function(value) return small(value * 100) .. " %" end,
    ratio = function(value) return small(value) end,
    rate = function(value) return count(value) .. " / h" end,
    work = function(value)
        return value < 3600 and small(value) .. " cpu s" or count(value / 3600) .. " cpu h"
    end,
    ms = function(value) return small(value) .. " ms" end,
}

-- A number of a kind as text; a dash if there is none.
---@param value number?
---@param kind "time"|"count"|"share"|"ratio"|"rate"|"work"|"ms"
---@return string
function M.number(value, kind)
    if not value or value ~= value then
        return M.none
    elseif value == 0 then
        return KINDS[kind](0)
    elseif value == math.huge or value == -math.huge then
        return value > 0 and "\u{221E}" or MINUS .. "\u{221E}"
    end
    return (value < 0 and MINUS or "") .. KINDS[kind](math.abs(value))
end

-- The same with its sign, for differences; those of shares are in points of a hundred.
function M.difference(value, kind)
    if kind == "share" and value then
        return (value > 0 and "+" or "") .. M.number(value * 100, "ratio") .. " points"
    end
    return (value and value > 0 and "+" or "") .. M.number(value, kind)
end

-- "2 to 5 s", from two texts of M.number or M.difference; the unit once if it is
-- the same and both are a number of it.
---@param low string
---@param high string
---@return string
function M.range(low, high)
    local first, unit = low:match("^(%S+)( [%a%%/][%a%% /]*)$")
    if first and high:match("^%S+( [%a%%/][%a%% /]*)$") == unit then
        low = first
    end
    return low .. " to " .. high
end

return M
