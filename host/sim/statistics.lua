-- SPDX-License-Identifier: Apache-2.0
--
-- Means of a few runs, and how far they can be trusted: intervals of Student's t distribution, whose quantiles are
-- computed and not looked up, for any confidence and any number of runs.
--
-- The distribution is the incomplete beta function I_x(a, b), a continued fraction; a quantile is where it has the
-- probability that was asked for, found by bisection. Quantiles are rounded to 10 digits, which are
-- right: mathematical libraries of different machines differ in the last bit, and reports may not.

local M = {}

local log, exp, abs = math.log, math.exp, math.abs

---@param values number[]
---@return number? mean nil of nothing
function M.mean(values)
    local sum = 0
    for _, value in ipairs(values) do
        sum = sum + value
    end
    return #values > 0 and sum / #values or nil
end

-- The variance of the population that the values are a sample of: divided by their count less one.
---@param values number[]
---@return number? variance nil of fewer than two
function M.variance(values)
    if #values < 2 then
        return nil
    end
    local mean, sum = M.mean(values), 0
    for _, value in ipairs(values) do
        sum = sum + (value - mean) ^ 2
    end
    return sum / (#values - 1)
end

-- Lanczos's approximation with g = 7, for x > 0; 15 digits.
local LANCZOS = {
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
}

local function log_gamma(x)
    if x < 0.5 then
        return log(math.pi / math.sin(math.pi * x)) - log_gamma(1 - x)
    end
    local sum, t = 0.99999999999980993, x + 6.5
    for i, factor in ipairs(LANCZOS) do
        sum = sum + factor / (x + i - 1)
    end
    return 0.5 * log(2 * math.pi) + (x - 0.5) * log(t) - t + log(sum)
end

local TINY, NEAR, STEPS_MOST = 1e-300, 1e-16, 10000

local function kept_from_zero(value)
    return abs(value) < TINY and TINY or value
end

-- The continued fraction of I_x(a, b), by the method of Lentz. It converges quickly for x < (a + 1) / (a + b + 2).
local function beta_fraction(x, a, b)
    local c, d = 1, 1 / kept_from_zero(1 - (a + b) * x / (a + 1))
    local value = d
    for m = 1, STEPS_MOST do
        local even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / kept_from_zero(1 + even * d)
        c = kept_from_zero(1 + even / c)
        value = value * d * c
        local odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / kept_from_zero(1 + odd * d)
        c = kept_from_zero(1 + odd / c)
        value = value * d * c
        if abs(d * c - 1) < NEAR then
            break
        end
    end
    return value
end

-- The regularised incomplete beta function, for 0 <= x <= 1. `rest` is 1 - x, which a caller may know more exactly.
---@param x number
---@param a number
---@param b number
---@param rest number?
---@return number
function M.incomplete_beta(x, a, b, rest)
    rest = rest or 1 - x
    if x <= 0 or rest <= 0 then
        return x <= 0 and 0 or 1
    end
    local front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2) then
        return front * beta_fraction(x, a, b) / a
    end
    return 1 - front * beta_fraction(rest, b, a) / b
end

-- The probability that Student's t with that many degrees of freedom is above t, for t >= 0.
local function t_above(t, degrees)
    local square = t * t
    return 0.5 * M.incomplete_beta(degrees / (degrees + square), degrees / 2, 0.5, square / (degrees + square))
end

-- Where Student's t with that many degrees of freedom is with probability `p`: t_quantile(0.975, 9) is 2.262.
---@param p number between 0 and 1
---@param degrees number
---@return number
function M.t_quantile(p, degrees)
    assert(p > 0 and p < 1 and degrees > 0, "a probability between 0 and 1, and degrees of freedom above 0, expected")
    if p <= 0.5 then
        return p < 0.5 and -M.t_quantile(1 - p, degrees) or 0
    end
    local above, low, high = 1 - p, 0, 1
    while t_above(high, degrees) > above and high < 1e15 do
        low, high = high, high * 2
    end
    while high - low > high * 1e-14 do
        local middle = low + (high - low) / 2
        if t_above(middle, degrees) > above then
            low = middle
        else
            high = middle
        end
    end
    return tonumber(("%.10g"):format(high))
end

---@class sim.Interval
---@field mean number
---@field count integer
---@field low number? absent with one value: nothing tells how far it can be trusted
---@field high number?

-- The mean, and where the mean of the population is with that confidence, if the values are about normal.
---@param values number[] one at least
---@param confidence number? 0.95
---@return sim.Interval
function M.interval(values, confidence)
    local mean, variance = M.mean(values), M.variance(values)
    if not variance then
        return { mean = mean, count = #values }
    end
    local half = M.t_quantile(0.5 + (confidence or 0.95) / 2, #values - 1) * (variance / #values) ^ 0.5
    return { mean = mean, low = mean - half, high = mean + half, count = #values }
end

-- The interval of the differences a - b of values that belong together, such as two policies in the same world.
---@param a number[]
---@param b number[] as many
---@param confidence number? 0.95
---@return sim.Interval
function M.paired(a, b, confidence)
    assert(#a == #b, "pairs expected")
    local differences = {}
    for i, value in ipairs(a) do
        differences[i] = value - b[i]
    end
    return M.interval(differences, confidence)
end

return M
