-- SPDX-License-Identifier: Apache-2.0
--
-- What several runs say together: the numbers of one script over seeds, and those of two scripts in the same worlds.
--
-- Two scripts are compared run by run: what both did with the same seed and the same parameters is a pair, and the
-- interval is that of the differences of the pairs, so how much worlds differ from each other does not hide how the
-- scripts differ. A difference is the script's number less that of the script it is compared with (--against). Where
-- the interval holds zero, no difference was seen; with a single seed there is no interval.
--
-- A run that ended early is left out, and counted. The parameters of a sweep (--set) make groups; nothing is said
-- across them.

local numbers = require "sim.numbers"
local statistics = require "sim.statistics"

local M = {}

local CONFIDENCE = 0.95

---@class sim.Comparison
---@field a table { script =, arguments = }
---@field b table the script that it is compared with
---@field confidence number of the intervals
---@field groups sim.ComparisonGroup[] one for each set of parameters; without a sweep, one

---@class sim.ComparisonGroup
---@field set table<string, string>? the parameters
---@field seeds integer[] of the pairs
---@field left_out integer pairs of which one run ended early, or was not made
---@field numbers sim.Difference[] every number that both summaries have, headlines as numbers.lua marks them

---@class sim.Difference
---@field name string
---@field kind string as in numbers.lua
---@field better string? the same
---@field headline boolean?
---@field a number mean of the script over the pairs
---@field b number
---@field difference number mean of a - b
---@field relative number? difference / b; absent if b is 0
---@field low number? the interval; absent with one pair
---@field high number?
---@field count integer pairs that have this number
---@field verdict "less"|"more"|"none"|"unknown" what the interval shows; unknown: there is none
---@field words string the same in words

-- Parameters as one text, "agents=10,rate=2", in order of names; "" without any.
---@param set table<string, string>?
---@return string
function M.set_text(set)
    local parts = {}
    for i, name in ipairs(numbers.sorted_keys(set or {})) do
        parts[i] = ("%s=%s"):format(name, set[name])
    end
    return table.concat(parts, ",")
end

-- The results by their parameters, in the order in which they come: list of { set =, results = }.
local function grouped(results)
    local groups, by_text = {}, {}
    for _, result in ipairs(results) do
        local text = M.set_text(result.set)
        if not by_text[text] then
            by_text[text] = { set = result.set, results = {} }
            groups[#groups + 1] = by_text[text]
        end
        table.insert(by_text[text].results, result)
    end
    return groups, by_text
end

local function flatten_all(results)
    local all = {}
    for i, result in ipairs(results) do
        all[i] = numbers.flatten(result.summary)
    end
    return all
end

-- The names of all summaries, in the order of numbers.flatten().
local function names_of(results)
    local union = {}
    for _, result in ipairs(results) do
        union = numbers.merge(union, result.summary)
    end
    return select(2, numbers.flatten(union))
end

-- ---- two scripts ----

local function words_of(row)
    if row.verdict == "unknown" then
        return "one seed, so no interval"
    elseif row.verdict == "none" then
        return "no difference seen"
    end
    return row.better and ("%s, which is %s"):format(row.verdict, row.better == row.verdict and "better" or "worse")
        or row.verdict
end

local function verdict_of(interval)
    if not interval.low then
        return "unknown"
    elseif interval.low <= 0 and interval.high >= 0 then
        return "none"
    end
    return interval.mean < 0 and "less" or "more"
end

local function difference(name, all_a, all_b)
    local a, b = {}, {}
    for i = 1, #all_a do
        if all_a[i][name] and all_b[i][name] then
            a[#a + 1], b[#b + 1] = all_a[i][name], all_b[i][name]
        end
    end
    if #a == 0 then
        return nil
    end
    local interval, known = statistics.paired(a, b, CONFIDENCE), numbers.row_of(name)
    local row = {
        name = name, kind = known.kind, better = known.better, headline = known.name == name and known.headline or nil,
        a = statistics.mean(a), b = statistics.mean(b), difference = interval.mean, low = interval.low,
        high = interval.high, count = interval.count, verdict = verdict_of(interval),
    }
    row.relative = row.b ~= 0 and row.difference / math.abs(row.b) or nil
    row.words = words_of(row)
    return row
end

-- The runs of both with the same seed.
local function pairs_of(a, b)
    local by_seed, seeds, left, right, left_out = {}, {}, {}, {}, 0
    for _, result in ipairs(b) do
        by_seed[result.seed] = result
    end
    for _, result in ipairs(a) do
        local other = by_seed[result.seed]
        if other and not result.partial and not other.partial then
            seeds[#seeds + 1], left[#left + 1], right[#right + 1] = result.seed, result, other
        else
            left_out = left_out + 1
        end
    end
    return seeds, left, right, left_out
end

local function compare_group(group, other)
    local seeds, left, right, left_out = pairs_of(group.results, other and other.results or {})
    local all_a, all_b, rows = flatten_all(left), flatten_all(right), {}
    for _, name in ipairs(names_of(left)) do
        rows[#rows + 1] = difference(name, all_a, all_b)
    end
    return { set = group.set, seeds = seeds, left_out = left_out, numbers = rows }
end

local function script_of(results)
    local first = results[1] or {}
    return { script = first.script, arguments = first.arguments }
end

---@param a table[] results of the script
---@param b table[] results of the one that it is compared with
---@return sim.Comparison
function M.of(a, b)
    local groups, others = grouped(a), select(2, grouped(b))
    local comparison = { a = script_of(a), b = script_of(b), confidence = CONFIDENCE, groups = {} }
    for i, group in ipairs(groups) do
        comparison.groups[i] = compare_group(group, others[M.set_text(group.set)])
    end
    return comparison
end

-- ---- one script ----

---@class sim.SweepRow
---@field script string
---@field set table<string, string>?
---@field seeds integer[]
---@field left_out integer runs that ended early
---@field numbers table[] { name =, kind =, headline = } and the fields of sim.Interval

local function over_seeds(group)
    local row = { script = group.results[1].script, set = group.set, seeds = {}, left_out = 0, numbers = {} }
    local whole = {}
    for _, result in ipairs(group.results) do
        if result.partial then
            row.left_out = row.left_out + 1
        else
            whole[#whole + 1] = result
            row.seeds[#row.seeds + 1] = result.seed
        end
    end
    local all = flatten_all(whole)
    for _, name in ipairs(names_of(whole)) do
        local values, known = {}, numbers.row_of(name)
        for _, flat in ipairs(all) do
            values[#values + 1] = flat[name]
        end
        local number = statistics.interval(values, CONFIDENCE)
        number.name, number.kind = name, known.kind
        number.headline = known.name == name and known.headline or nil
        row.numbers[#row.numbers + 1] = number
    end
    return row
end

-- The means over seeds of the runs of one script, for each set of parameters in the order of the results.
---@param results table[]
---@return sim.SweepRow[]
function M.sweep(results)
    local rows = {}
    for i, group in ipairs((grouped(results))) do
        rows[i] = over_seeds(group)
    end
    return rows
end

return M
