-- SPDX-License-Identifier: Apache-2.0
--
-- Does a whole text match a regular expression? The part of that language that constraints on attributes use, done
-- with Lua's patterns: . * + ? [a-z] \d \w \s \. and alternatives with |, in parentheses or not. Nothing may follow a
-- pair of parentheses that would repeat it.
--
--     regex.matches("rack-7", "rack-[0-9]+|lab")   --> true

local fields = require "mesos.fields"

---@class mesos.regex
local M = {}

local function refuse(expression, what)
    fields.raise("regular expression '%s': %s", expression, what)
end

-- The alternatives of an expression without parentheses.
local function split(text, list)
    local depth, piece = 0, ""
    for escaped, letter in text:gmatch("(\\?)(.)") do
        depth = escaped == "" and (letter == "[" and 1 or letter == "]" and 0) or depth
        if letter == "|" and escaped == "" and depth == 0 then
            list[#list + 1], piece = piece, ""
        else
            piece = piece .. escaped .. letter
        end
    end
    list[#list + 1] = piece
    return list
end

-- Parentheses that are letters, after a backslash or in brackets, are hidden from those that look for pairs.
local HIDDEN, SHOWN = { ["("] = "\1", [")"] = "\2" }, { ["\1"] = "%(", ["\2"] = "%)" }

local function hide(text)
    local inside = false
    return (text:gsub("\\?.", function(unit)
        if #unit == 2 then
            return HIDDEN[unit:sub(2)]
        elseif unit == "[" or unit == "]" then
            inside = unit == "["
        end
        return inside and HIDDEN[unit] or nil
    end))
end

-- Writes the innermost parentheses out, one expression for each alternative in them, until there are none.
local function expand(text, whole, list)
    local before, inner, after = text:match("^(.-)%(([^()]*)%)(.*)$")
    if not before then
        return split(text, list)
    elseif after:find("^[*+?{]") then
        refuse(whole, "parentheses cannot be repeated here")
    end
    for _, piece in ipairs(split(inner, {})) do
        expand(before .. piece .. after, whole, list)
    end
    return list
end

local CLASSES = { d = "%d", w = "[%w_]", s = "%s", D = "%D", S = "%S", W = "[^%w_]" }
local CLASSES_INSIDE = { d = "%d", w = "%w_", s = "%s", D = "%D", S = "%S" } -- of brackets, which do not nest

-- Everything that a Lua pattern takes for more than itself and a regular expression does not.
local function pattern_of(text, whole)
    local pattern, inside = "", false
    for escaped, letter in text:gmatch("(\\?)(.)") do
        if escaped ~= "" then
            if letter == "W" and inside then
                refuse(whole, "'\\W' is not known in brackets")
            end
            letter = (inside and CLASSES_INSIDE or CLASSES)[letter] or letter:gsub("%p", "%%%0")
        elseif SHOWN[letter] then
            letter = SHOWN[letter]
        elseif letter:find("[{}()]") and not inside then
            refuse(whole, ("'%s' is not known here"):format(letter))
        elseif letter == "[" or letter == "]" then
            inside = letter == "["
        elseif letter == "%" or letter == "-" and not inside then
            letter = "%" .. letter
        end
        pattern = pattern .. letter
    end
    pattern = pattern:gsub("^%^", ""):gsub("%$$", "")
    return "^" .. pattern .. "$"
end

local known, count, KNOWN_MOST = {}, 0, 1000 -- expression -> its patterns

-- The patterns of Lua of which one has to match.
---@param expression string
---@return string[]
function M.patterns(expression)
    if known[expression] then
        return known[expression]
    end
    local list = expand(hide(expression), expression, {})
    for i, piece in ipairs(list) do
        list[i] = pattern_of(piece, expression)
        if not pcall(string.find, "", list[i]) then
            refuse(expression, "it is malformed")
        end
    end
    if count == KNOWN_MOST then
        known, count = {}, 0
    end
    known[expression], count = list, count + 1
    return list
end

-- True if the expression matches the text from its first letter to its last.
---@param text string
---@param expression string
---@return boolean
function M.matches(text, expression)
    for _, pattern in ipairs(M.patterns(expression)) do
        if text:find(pattern) then
            return true
        end
    end
    return false
end

return M
