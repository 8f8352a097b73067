-- SPDX-License-Identifier: Apache-2.0
--
-- Are the fields of a table those that a function knows, and of the right kind? What the modules of the library check
-- their arguments with, so that a misspelt name is an error with its path and the name that was meant:
--
--     fields.check(options, { name = "string", cpus = "amount", retries = "count", on_end = "function" }, "queue")
--     --> main.lua:3: queue.retires: unknown field (did you mean 'retries'?)
--
-- Kinds are those of Lua's type(), and of numbers: "amount" (0 or more), "positive" (above 0), "count" (whole, 0 or
-- more). "any" is every kind; "string|table" is one of two; "list" is a table with the keys 1 to n.

---@class mesos.fields
local M = {}

local function is_finite(value)
    return type(value) == "number" and value == value and math.abs(value) < math.huge
end

local function is_list(value)
    if type(value) ~= "table" then
        return false
    end
    local count = 0
    for _ in pairs(value) do
        count = count + 1
    end
    return count == #value
end

-- Kind -> what is wanted, in words, and the test.
local KINDS = {
    any = { "a value", function() return true end },
    amount = { "a number of 0 or more", function(value) return is_finite(value) and value >= 0 end },
    positive = { "a number above 0", function(value) return is_finite(value) and value > 0 end },
    count = {
        "a whole number of 0 or more", function(value) return is_finite(value) and value >= 0 and value % 1 == 0 end,
    },
    list = { "a list", is_list },
}

-- "a|b" -> { "a", "b" }, each made once.
local alternatives = setmetatable({}, { __index = function(known, kinds)
    known[kinds] = {}
    for kind in kinds:gmatch("[^|]+") do
        table.insert(known[kinds], kind)
    end
    return known[kinds]
end })

local function matches(value, kinds)
    for _, kind in ipairs(alternatives[kinds]) do
        if type(value) == kind or KINDS[kind] and KINDS[kind][2](value) then
            return true
        end
    end
    return false
end

local function in_words(kinds)
    return (kinds:gsub("[^|]+", function(kind) return KINDS[kind] and KINDS[kind][1] or "a " .. kind end)
        :gsub("|", " or "))
end

-- A copy of plain data, so that its owner may go on to change it. `leaf` gives another value for what is no table.
---@generic T
---@param value T
---@param leaf (fun(value: any): any)?
---@return T
function M.copy(value, leaf)
    if type(value) ~= "table" then
        return leaf and leaf(value) or value
    end
    local copy, meta = {}, getmetatable(value)
    for key, field in pairs(value) do
        copy[M.copy(key, leaf)] = M.copy(field, leaf)
    end
    if type(meta) == "table" and meta.__jsontype then
        setmetatable(copy, { __jsontype = meta.__jsontype }) -- an empty object of mesos.json
    end
    return copy
end

-- A value as an error shows it: "the string 'x'", "4", "a table".
local function shown(value)
    if type(value) == "string" then
        return ("the string '%s'"):format(#value > 60 and value:sub(1, 57) .. "..." or value)
    end
    return (type(value) == "number" or type(value) == "nil") and tostring(value) or "a " .. type(value)
end

-- The number of letters to change, insert, leave out or swap with the next to make one word of the other.
local function distance(a, b)
    local rows = { [0] = {} }
    for j = 0, #b do
        rows[0][j] = j
    end
    for i = 1, #a do
        local row, before = { [0] = i }, rows[i - 1]
        for j = 1, #b do
            local cost = a:byte(i) == b:byte(j) and 0 or 1
            row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                row[j] = math.min(row[j], rows[i - 2][j - 2] + 1)
            end
        end
        rows[i] = row
    end
    return rows[#a][#b]
end

-- The known name that a word was probably meant to be, or nil: a third of the letters may be wrong, or the word is the
-- beginning of the name, or the name that of the word.
---@param word string
---@param names table<string, any> the keys are the known names
---@return string?
function M.nearest(word, names)
    local best, least
    for name in pairs(names) do
        local many = distance(word:lower(), name:lower())
        local begins = #word >= 3 and #name >= 3 and (name:find(word, 1, true) == 1 or word:find(name, 1, true) == 1)
        if many * 3 <= math.max(#word, #name) or begins then
            many = begins and math.min(many, 1.5) or many
            if not best or many < least or many == least and name < best then
                best, least = name, many
            end
        end
    end
    return best
end

-- " (did you mean 'x'?)", or nothing.
---@param word any
---@param names table<string, any> the keys are the known names
---@return string
function M.hint(word, names)
    local near = type(word) == "string" and M.nearest(word, names)
    return near and (" (did you mean '%s'?)"):format(near) or ""
end

-- Raises a text, with the line in front of it that called into the library.
---@param format string
---@param ... any
function M.raise(format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    for place in debug.traceback("", 2):gmatch("\n\t([^\n]-:%d+): in ") do
        if not place:find("mesos/[%w_]+%.lua:") then
            error(place .. ": " .. text, 0)
        end
    end
    error(text, 0)
end

-- Raises if a value is not of one of the kinds.
---@param value any
---@param kinds string
---@param path string what the error calls it
function M.kind(value, kinds, path)
    if not matches(value, kinds) then
        M.raise("%s: %s expected, got %s", path, in_words(kinds), shown(value))
    end
end

-- Raises unless `value` is a table that has only fields of `rows`, each of its kind. Fields may be absent.
---@generic T
---@param value T
---@param rows table<string, string> field -> kinds
---@param path string what the error calls the table
---@return T value the same
function M.check(value, rows, path)
    M.kind(value, "table", path)
    for name, field in pairs(value) do
        if not rows[name] then
            M.raise("%s.%s: unknown field%s", path, tostring(name), M.hint(name, rows))
        elseif not matches(field, rows[name]) then
            M.kind(field, rows[name], path .. "." .. name)
        end
    end
    return value
end

return M
