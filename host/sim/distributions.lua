-- SPDX-License-Identifier: Apache-2.0
--
-- Distributions of numbers and of other values: what `sim.exponential` and the like of a scenario return. A
-- distribution draws from the stream of random numbers that it is given (random.lua) and has no state.

local complaint = require "sim.complaint"
local random = require "sim.random"
local rows = require "sim.rows"

local M = {}

local Distribution = {}
Distribution.__index = Distribution
Distribution.__name = "distribution"

function M.is(value)
    return getmetatable(value) == Distribution
end

-- ---- arguments ----

local function number(given, name, what, fallback)
    local value = given[name]
    if value == nil then
        value = fallback
    end
    local seconds = rows.seconds(value)
    if not seconds or seconds ~= seconds or math.abs(seconds) == math.huge then
        complaint.raise("%s: %s: a number expected, or a text such as \"90s\", got %s", what, name,
            complaint.shown(value))
    end
    return seconds
end

local function positive(given, name, what, fallback)
    local value = number(given, name, what, fallback)
    if value <= 0 then
        complaint.raise("%s: %s: a number above 0 expected, got %s", what, name, complaint.shown(value))
    end
    return value
end

-- The arguments as a table: sim.exponential(5) is sim.exponential{ mean = 5 }.
local function arguments(what, names, given, ...)
    if type(given) ~= "table" then
        local values = { given, ... }
        given = {}
        for i, name in ipairs(names) do
            given[name] = values[i]
        end
        if #values > #names then
            complaint.raise("%s: %d numbers at most: %s", what, #names, table.concat(names, ", "))
        end
    end
    local known = { least = true, most = true, whole = true }
    for _, name in ipairs(names) do
        known[name] = true
    end
    complaint.known(given, known, "", function(path, text) complaint.raise("%s: %s: %s", what, path, text) end)
    return given
end

-- ---- what all have ----

-- Keeps numbers between `least` and `most`, and makes them whole.
local function limited(what, given, draw)
    local least, most = given.least and number(given, "least", what), given.most and number(given, "most", what)
    local whole = given.whole
    if whole ~= nil and type(whole) ~= "boolean" then
        complaint.raise("%s: whole: true or false expected, got %s", what, complaint.shown(whole))
    elseif least and most and least > most then
        complaint.raise("%s: least is above most", what)
    elseif not (least or most or whole) then
        return draw
    end
    return function(stream)
        local value = draw(stream)
        value = whole and math.floor(value + 0.5) or value
        value = least and value < least and least or value
        return most and value > most and most or value
    end
end

local function distribution(what, given, draw)
    return setmetatable({ draw = limited(what, given, draw) }, Distribution)
end

function Distribution:__tostring()
    return "a distribution"
end

-- ---- of numbers ----

local makers = {}
M.makers = makers

function makers.constant(value)
    return setmetatable({ draw = function() return value end }, Distribution)
end

function makers.uniform(...)
    local what = "sim.uniform"
    local given = arguments(what, { "low", "high" }, ...)
    local low, high = number(given, "low", what, 0), number(given, "high", what)
    if low > high then
        complaint.raise("%s: low is above high", what)
    end
    return distribution(what, given, function(stream) return low + (high - low) * stream:uniform() end)
end

function makers.exponential(...)
    local what = "sim.exponential"
    local given = arguments(what, { "mean" }, ...)
    local mean = positive(given, "mean", what)
    return distribution(what, given, function(stream) return mean * stream:exponential() end)
end

function makers.normal(...)
    local what = "sim.normal"
    local given = arguments(what, { "mean", "deviation" }, ...)
    local mean, deviation = number(given, "mean", what), positive(given, "deviation", what)
    return distribution(what, given, function(stream) return mean + deviation * stream:normal() end)
end

-- With the median e^mu, or with the mean that is given.
function makers.lognormal(...)
    local what = "sim.lognormal"
    local given = arguments(what, { "median", "sigma", "mean" }, ...)
    local sigma = positive(given, "sigma", what)
    if (given.median == nil) == (given.mean == nil) then
        complaint.raise("%s: one of median and mean expected", what)
    end
    local mu = given.median and random.ln(positive(given, "median", what))
        or random.ln(positive(given, "mean", what)) - sigma * sigma / 2
    return distribution(what, given, function(stream) return random.exp(mu + sigma * stream:normal()) end)
end

function makers.pareto(...)
    local what = "sim.pareto"
    local given = arguments(what, { "scale", "shape" }, ...)
    local scale, shape = positive(given, "scale", what), positive(given, "shape", what)
    return distribution(what, given, function(stream) return scale * random.exp(stream:exponential() / shape) end)
end

function makers.weibull(...)
    local what = "sim.weibull"
    local given = arguments(what, { "scale", "shape" }, ...)
    local scale, shape = positive(given, "scale", what), positive(given, "shape", what)
    return distribution(what, given, function(stream)
        local value = stream:exponential()
        return value > 0 and scale * random.power(value, 1 / shape) or 0.0
    end)
end

-- ---- of a list ----

-- A function that draws the number of an item, each as often as its weight says.
local function by_weight(weights)
    local sums, sum = {}, 0
    for i, weight in ipairs(weights) do
        sum = sum + weight
        sums[i] = sum
    end
    return function(stream)
        local point, low, high = stream:uniform() * sum, 1, #sums
        while low < high do
            local middle = (low + high) // 2
            if sums[middle] > point then
                high = middle
            else
                low = middle + 1
            end
        end
        return low
    end
end

local function list(what, given)
    if type(given) ~= "table" or #given == 0 then
        complaint.raise("%s: a list of values expected, such as { 1, 2, { 4, weight = 0.5 } }, got %s", what,
            complaint.shown(given))
    end
    return given
end

local function weight_of(what, item, i)
    local weight = item.weight
    if type(weight) ~= "number" or not (weight > 0 and weight < math.huge) then
        complaint.raise("%s: [%d].weight: a number above 0 expected, got %s", what, i, complaint.shown(weight))
    end
    return weight
end

-- One of a list; an item { value, weight = 3 } comes three times as often as one without a weight.
function makers.choice(given)
    local values, weights = {}, {}
    for i, item in ipairs(list("sim.choice", given)) do
        local weighted = type(item) == "table" and not M.is(item) and item.weight ~= nil
        weights[i] = weighted and weight_of("sim.choice", item, i) or 1
        if weighted then
            complaint.known(item, { true, weight = true }, ("[%d]"):format(i), function(path, text)
                complaint.raise("sim.choice: %s: %s", path, text .. ": an item is { value, weight = number }")
            end)
            item = item[1]
        end
        if item == nil then
            complaint.raise("sim.choice: [%d]: a value and its weight expected, such as { 4, weight = 0.5 }", i)
        end
        values[i] = item
    end
    local draw = by_weight(weights)
    return setmetatable({ values = values, draw = function(stream) return values[draw(stream)] end }, Distribution)
end

local ZIPF_MOST <const> = 1000000

-- The number i comes 1/i^s times as often as 1; or the values of a list, the first most often.
function makers.zipf(...)
    local what = "sim.zipf"
    local given = arguments(what, { "count", "s", "of" }, ...)
    local values = given.of and list(what, given.of)
    local count, s = number(given, "count", what, values and #values), positive(given, "s", what, 1)
    if count % 1 ~= 0 or count < 1 or count > ZIPF_MOST then
        complaint.raise("%s: count: a whole number from 1 to %d expected, got %s", what, ZIPF_MOST,
            complaint.shown(count))
    end
    local weights = {}
    for i = 1, count do
        weights[i] = random.power(i, -s)
    end
    local draw = by_weight(weights)
    return setmetatable({ draw = values and function(stream) return values[draw(stream)] end or draw }, Distribution)
end

-- ---- what was measured ----

-- The values at shares from 0 to 1, as { { 0, 1 }, { 0.5, 30 }, { 1, 600 } }, and straight lines between them; or a
-- list of numbers, each as likely as the others.
function makers.empirical(given)
    local what = "sim.empirical"
    for name in pairs(list(what, given)) do
        if type(name) == "string" and name ~= "least" and name ~= "most" and name ~= "whole" then
            complaint.raise("%s: %s: unknown field; there are least, most, whole", what, name)
        end
    end
    if type(given[1]) ~= "table" then
        local values = {}
        for i = 1, #given do
            values[i] = number(given, i, what)
        end
        return distribution(what, given, function(stream) return values[stream:integer(1, #values)] end)
    end
    local shares, values = {}, {}
    for i, point in ipairs(given) do
        if type(point) ~= "table" then
            complaint.raise("%s: [%d]: { share, value } expected, got %s", what, i, complaint.shown(point))
        end
        local where = ("%s: [%d]"):format(what, i)
        shares[i], values[i] = number(point, 1, where), number(point, 2, where)
        if shares[i] < (shares[i - 1] or 0) or shares[i] > 1 or values[i] < (values[i - 1] or -math.huge) then
            complaint.raise("%s: [%d]: shares go from 0 up to 1, and values up with them", what, i)
        end
    end
    if shares[#shares] ~= 1 then
        complaint.raise("%s: [%d]: the last share is 1, and its value the largest", what, #shares)
    end
    return distribution(what, given, function(stream)
        local point, i = stream:uniform(), 1
        while shares[i] < point do
            i = i + 1
        end
        if i == 1 then
            return values[1]
        end
        return values[i - 1] + (values[i] - values[i - 1]) * (point - shares[i - 1]) / (shares[i] - shares[i - 1])
    end)
end

return M
