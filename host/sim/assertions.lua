-- SPDX-License-Identifier: Apache-2.0
--
-- Assertions: what must hold of a run, `--assert 'wait.p95 < 30'`, or `asserts` of a scenario.
--
--     NAME OP NUMBER [UNIT]
--
-- NAME is one of numbers.lua, a number of a group (`roles.batch.wait.p95`, `roles["a.b"].share`,
-- `sizes.large.jobs.failed`), or either behind `difference.` with --against: the mean, over the seeds, of the script's
-- number less the other's. OP is < <= > >= == or !=. UNIT is s, m, h or d of a time, % of a share; without it a number
-- is in seconds, or a share of 1.
--
-- An assertion is parsed before the run, and a name that no run can have is refused then. A number that the run does
-- not have, such as the mean of no waiting times or the role that no job had, makes the assertion fail, whatever OP is.
-- So does a run that ended early, or whose policy has failed. Assertions are about the script; runs of the script that
-- it is compared with may do what they like.

local numbers = require "sim.numbers"
local suggestions = require "sim.suggestions"

local M = {}

local COMPARE = {
    ["<"] = function(a, b) return a < b end,
    ["<="] = function(a, b) return a <= b end,
    [">"] = function(a, b) return a > b end,
    [">="] = function(a, b) return a >= b end,
    ["=="] = function(a, b) return a == b end,
    ["!="] = function(a, b) return a ~= b end,
}

local MEANT = { ["="] = "==", ["~="] = "!=", ["<>"] = "!=", ["=<"] = "<=", ["=>"] = ">=", ["!"] = "!=" }

local UNITS = { -- unit -> the kind it is for, and how much it is
    s = { "time", 1 }, m = { "time", 60 }, h = { "time", 3600 }, d = { "time", 86400 }, ["%"] = { "share", 0.01 },
}

local FORM = "NAME OP NUMBER expected, such as wait.p95 < 30"
local DIFFERENCE = "difference."
local OTHERS = "(others)" -- what all priorities behind the first thousand are together
local FAILED = "the policy has failed" -- a result's `ended`

---@class sim.Assertion
---@field text string as it was written
---@field name string the number's, as numbers.flatten() has it
---@field path string[] through the summary
---@field of_difference boolean the name stands behind `difference.`
---@field op string
---@field value number in the unit of the result
---@field number sim.Number
local Assertion = {}
Assertion.__index = Assertion

local function fail(text, format, ...)
    error(("--assert '%s': %s"):format(text, format:format(...)), 0)
end

-- ---- the name ----

local function list(names)
    return table.concat(names, ", ")
end

local function names_of(rows)
    local names = {}
    for i, row in ipairs(rows) do
        names[i] = row.name
    end
    return names
end

local ALL_NAMES = names_of(numbers.rows)
for _, group in ipairs(numbers.groups) do
    ALL_NAMES[#ALL_NAMES + 1] = group .. ".NAME.wait.p95"
end

local function group_names(group)
    local names = {}
    for _, row in ipairs(numbers.group_rows) do
        names[#names + 1] = numbers.find_in_group(group, row.name) and row.name
    end
    return names
end

-- roles["a.b"].wait.p95: the member, and what stands behind the bracket; nil if there is no bracket.
local function bracket(text, rest)
    local quote = rest:match("^%[%s*([\"'])")
    if not quote then
        return nil
    end
    local member, behind = rest:match("^%[%s*" .. quote .. "(.-)" .. quote .. "%s*%](.*)$")
    if not member or member == "" then
        fail(text, "the name in brackets has no end, or is empty: roles[\"a.b\"].wait.p95 expected")
    end
    return member, behind:match("^%.(.+)$") or fail(text, "a number expected behind the bracket: .wait.p95")
end

-- batch.wait.p95: the member, which may have dots itself, and the number, the longest end that is one.
local function dotted(group, rest)
    for _, pattern in ipairs { "^(.+)%.([%w_]+%.[%w_]+)$", "^(.+)%.([%w_]+)$" } do
        local member, name = rest:match(pattern)
        if member and numbers.find_in_group(group, name) then
            return member, name
        end
    end
end

local function check_member(text, group, member)
    if group == "priorities" and not tonumber(member) and member ~= OTHERS then
        fail(text, "'%s' is no priority, which is a number", member)
    end
    if group == "sizes" and not numbers.is_size(member) then
        fail(text, "there is no size class '%s'%s: they are %s", member, suggestions.hint(member, numbers.sizes),
            list(numbers.sizes))
    end
end

local function resolve_group(text, group, rest)
    local member, name = bracket(text, rest)
    if not member then
        member, name = dotted(group, rest:match("^%.(.*)$") or "")
    end
    local names = group_names(group)
    if not member then
        local tail = rest:match("([%w_]+%.[%w_]+)$") or rest
        fail(text, "unknown number '%s%s'%s: %s.NAME and one of %s expected", group, rest,
            suggestions.hint(tail, names), group, list(names))
    end
    local number = numbers.find_in_group(group, name)
    if not number then
        fail(text, "%s have no number '%s'%s: they have %s", group, name, suggestions.hint(name, names), list(names))
    end
    check_member(text, group, member)
    return numbers.split(name, { group, member }), number
end

-- The way through the summary, and the row.
local function resolve(text, name)
    local group, rest = name:match("^(%l+)([.%[].*)$")
    if group and numbers.is_group(group) then
        return resolve_group(text, group, rest)
    end
    local number = numbers.find(name)
    if not number then
        fail(text, "unknown number '%s'%s", name, suggestions.hint(name, ALL_NAMES))
    end
    return numbers.split(name), number
end

-- ---- the number ----

-- The text in front of the operator and behind it. Brackets may contain operators.
local function divide(text)
    local at = 1
    while at <= #text do
        local quoted = text:match('^%[%s*"[^"]*"%s*%]()', at) or text:match("^%[%s*'[^']*'%s*%]()", at)
        local op, behind = text:match("^([<>=!~]+)()", at)
        if op then
            return text:sub(1, at - 1):match("^%s*(.-)%s*$"), op, text:sub(behind):match("^%s*(.-)%s*$")
        end
        at = quoted or at + 1
    end
end

local function parse_value(text, right, number)
    local digits = right:match("^[+-]?[%d.]+[eE][+-]?%d+") or right:match("^[+-]?[%d.]+") or ""
    local value, unit = tonumber(digits), right:sub(#digits + 1):match("^%s*(.*)$")
    if not value then
        fail(text, "'%s' is no number: %s", right, FORM)
    end
    if unit == "" then
        return value
    end
    local row = UNITS[unit]
    if not row then
        fail(text, "unknown unit '%s': s, m, h or d of a time, or %% of a share", unit)
    elseif row[1] ~= number.kind then
        fail(text, "'%s' is no unit of %s, which is a %s", unit, number.name, number.kind)
    end
    return value * row[2]
end

---@param text string
---@return sim.Assertion
function M.parse(text)
    local left, op, right = divide(text)
    if not left or left == "" or right == "" then
        fail(text, FORM)
    end
    if not COMPARE[op] then
        fail(text, "unknown operator '%s'%s: < <= > >= == or != expected", op,
            MEANT[op] and (" (did you mean '%s'?)"):format(MEANT[op]) or "")
    end
    local of_difference = left:sub(1, #DIFFERENCE) == DIFFERENCE
    local path, number = resolve(text, of_difference and left:sub(#DIFFERENCE + 1) or left)
    return setmetatable({
        text = text:match("^%s*(.-)%s*$"), name = numbers.name_of(path), path = path, of_difference = of_difference,
        op = op, value = parse_value(text, right, number), number = number,
    }, Assertion)
end

---@param texts string[]
---@param compared boolean? there is a script to compare with
---@return sim.Assertion[]
function M.parse_all(texts, compared)
    local parsed = {}
    for i, text in ipairs(texts) do
        parsed[i] = M.parse(text)
        if parsed[i].of_difference and not compared then
            fail(text, "there is a difference only with --against")
        end
    end
    return parsed
end

-- ---- after the run ----

-- Why the summary does not have it.
local function absence(assertion, summary, depth)
    local path = assertion.path
    if numbers.is_group(path[1]) and depth <= 2 then
        local members = {}
        for i, member in ipairs(numbers.sorted_keys(summary[path[1]] or {})) do
            members[i] = tostring(member)
        end
        return ("no '%s' among the %s of this run: %s"):format(path[2], path[1],
            #members > 0 and list(members) or "there are none")
    end
    return assertion.name .. " has no value in this run"
end

-- Does it hold of a run's summary? The number that was found, nil if there is none, and words: why it does not hold.
---@param summary table
---@return boolean holds
---@return number? value
---@return string? words
function Assertion:holds(summary)
    local value, depth = numbers.at(summary, self.path)
    if not value then
        return false, nil, absence(self, summary, depth)
    end
    return self:judge(value)
end

-- The same of the number itself.
function Assertion:judge(value)
    if COMPARE[self.op](value, self.value) then
        return true, value
    end
    return false, value, ("%s%s is %s"):format(self.of_difference and DIFFERENCE or "", self.name,
        numbers.exact(value, self.number.kind))
end

-- The same of a difference, in one group of a comparison (comparison.lua).
function Assertion:holds_between(group)
    for _, row in ipairs(group.numbers) do
        if row.name == self.name and row.difference then
            return self:judge(row.difference)
        end
    end
    return false, nil, ("the two scripts have no %s that could be compared"):format(self.name)
end

-- Why nothing can be said of a run as a whole, or nil.
local function unfit(result)
    if result.partial then
        return "the run ended early: " .. result.partial
    end
    return result.ended == FAILED and FAILED or nil
end

-- Does it hold of a whole run? One that ended early, or whose policy has failed, proves nothing.
local function holds_of(assertion, result)
    local holds, value, words = assertion:holds(result.summary)
    if holds and unfit(result) then
        return false, value, unfit(result)
    end
    return holds, value, words
end

-- The verdicts on all runs of the script: each run of a seed and a set of parameters has one, and so has each set of
-- parameters of a comparison.
---@param assertions sim.Assertion[]
---@param results table[] of the script
---@param comparison table? of comparison.of()
---@return table[] verdicts { text =, holds =, value =, words =, seed =, set =, script = }
---@return boolean all of them hold
function M.check(assertions, results, comparison)
    local verdicts, all = {}, true
    local function add(assertion, result, holds, value, words)
        all = all and holds
        verdicts[#verdicts + 1] = {
            text = assertion.text, holds = holds, value = value, words = words,
            seed = result.seed, set = result.set, script = result.script,
        }
    end
    for _, assertion in ipairs(assertions) do
        if assertion.of_difference then
            for _, group in ipairs(comparison and comparison.groups or {}) do
                add(assertion, { set = group.set, script = comparison.a.script }, assertion:holds_between(group))
            end
        else
            for _, result in ipairs(results) do
                add(assertion, result, holds_of(assertion, result))
            end
        end
    end
    return verdicts, all
end

return M
