-- SPDX-License-Identifier: Apache-2.0
--
-- Random numbers that are the same on each machine: a stream is a 64-bit counter that SplitMix64 mixes, and logarithms
-- and exponentials are computed here from additions, multiplications, divisions and square roots, which IEEE 754
-- defines to the last bit. (Those of the C library differ from one machine to the other, and a last bit can turn a
-- decision.)
--
-- A stream is made from the run's seed and names, of a generator and a field of its jobs, for example. Streams with
-- different names have nothing to do with each other, so that a generator or a field more shifts none of the others.

local M = {}

local Stream = {}
Stream.__index = Stream

local GAMMA <const> = 0x9e3779b97f4a7c15

local function mix(z)
    z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
    z = (z ~ (z >> 27)) * 0x94d049bb133111eb
    return z ~ (z >> 31)
end

-- FNV-1a over the bytes of a text, beginning with a number.
local function hash(number, text)
    local sum = mix(number) ~ 0x4bf29ce484222325
    for i = 1, #text do
        sum = (sum ~ text:byte(i)) * 0x100000001b3
    end
    return mix(sum)
end

-- The stream of a seed, an integer, and of names.
function M.stream(seed, ...)
    local state = seed
    for _, name in ipairs { ... } do
        state = hash(state, name)
    end
    return setmetatable({ state = state }, Stream)
end

-- 64 random bits, as an integer.
function Stream:bits()
    local state = self.state + GAMMA
    self.state = state
    return mix(state)
end

-- At least 0 and below 1, in steps of 2^-53.
function Stream:uniform()
    local state = self.state + GAMMA
    self.state = state
    return (mix(state) >> 11) * 0x1p-53
end

-- A whole number from `first` to `last`, each as likely as the others.
function Stream:integer(first, last)
    if last < first then
        error(("an interval from %d to %d"):format(first, last), 2)
    end
    local most = last - first -- without a sign
    local mask = most
    for _, bits in ipairs { 1, 2, 4, 8, 16, 32 } do
        mask = mask | (mask >> bits)
    end
    local value
    repeat
        value = self:bits() & mask
    until not math.ult(most, value)
    return first + value
end

-- ---- functions of numbers ----

local ODD = {} -- 1/3, 1/5, ...
for n = 1, 10 do
    ODD[n] = 1 / (2 * n + 1)
end

local LN2_HIGH <const>, LN2_LOW <const> = 0x1.62e42feep-1, 0x1.a39ef35793c76p-33

-- 2^k, from 2^-1074 on.
local powers = { [0] = 1.0 }
for k = 1, 1023 do
    powers[k] = powers[k - 1] * 2
end
for k = -1, -1074, -1 do
    powers[k] = powers[k + 1] / 2
end

-- The natural logarithm of a number above 0.
function M.ln(x)
    local bits = string.unpack("<i8", string.pack("<d", x))
    local exponent = (bits >> 52) - 1023
    if exponent == -1023 then
        return M.ln(x * 0x1p54) - 54 * (LN2_HIGH + LN2_LOW)
    end
    local m = string.unpack("<d", string.pack("<i8", bits & 0xfffffffffffff | 0x3ff0000000000000))
    if m > 1.4142135623730951 then
        m, exponent = m / 2, exponent + 1
    end
    local s = (m - 1) / (m + 1)
    local z = s * s
    local sum = 1 / 23
    for n = 10, 1, -1 do
        sum = sum * z + ODD[n]
    end
    return exponent * LN2_HIGH + (2 * s + (2 * s * sum * z + exponent * LN2_LOW))
end

-- e to the power of x.
function M.exp(x)
    if x ~= x or x > 709.7 then
        return x ~= x and x or math.huge
    elseif x < -745 then
        return 0.0
    end
    local k = math.floor(x / (LN2_HIGH + LN2_LOW) + 0.5)
    local r = x - k * LN2_HIGH - k * LN2_LOW
    local sum = 1.0
    for n = 14, 1, -1 do
        sum = 1 + sum * r / n
    end
    if k < -1000 then
        return sum * powers[k + 60] * 0x1p-60
    end
    return k > 1023 and sum * powers[k - 1] * 2 or sum * powers[k]
end

-- A number above 0, to any power.
function M.power(x, exponent)
    return M.exp(exponent * M.ln(x))
end

-- The cosine of so many turns.
function M.cosine_of_turns(turns)
    local part = turns - math.floor(turns)
    if part > 0.5 then
        part = 1 - part
    end
    local sign = 1
    if part > 0.25 then
        part, sign = 0.5 - part, -1
    end
    local angle = part * 6.283185307179586
    local square = angle * angle
    local sum = 1.0
    for n = 20, 2, -2 do
        sum = 1 - sum * square / (n * (n - 1))
    end
    return sign * sum
end

-- ---- the distributions that others are made of ----

-- Marsaglia and Tsang's ziggurats: 256 layers of the same area under the curve. A point of a layer that lies below the
-- next edge, as nearly all do, needs no logarithm. `edges[i]` is where layer i ends, and `heights[i]` the curve there.
local function ziggurat(tail, area, height, inverse)
    local edges, heights = { [0] = area / height(tail), tail }, { [0] = 0, height(tail) }
    for i = 2, 255 do
        heights[i] = heights[i - 1] + area / edges[i - 1]
        edges[i] = inverse(heights[i])
    end
    edges[256], heights[256] = 0, 1
    return edges, heights
end

local EXPONENTIAL_TAIL <const>, NORMAL_TAIL <const> = 7.69711747013104972, 3.6541528853610088

local exponential_edges, exponential_heights = ziggurat(EXPONENTIAL_TAIL, 0.0039496598225815571993,
    function(x) return M.exp(-x) end, function(y) return -M.ln(y) end)
local normal_edges, normal_heights = ziggurat(NORMAL_TAIL, 0.00492867323399, function(x) return M.exp(-x * x / 2) end,
    function(y) return math.sqrt(-2 * M.ln(y)) end)

-- A point between the heights of a layer.
local function height_in(stream, heights, i)
    return heights[i] + (heights[i + 1] - heights[i]) * stream:uniform()
end

function Stream:exponential() -- of mean 1
    while true do
        local bits = self:bits()
        local i = bits & 255
        local x = (bits >> 11) * 0x1p-53 * exponential_edges[i]
        if x < exponential_edges[i + 1] then
            return x
        elseif i == 0 then
            return EXPONENTIAL_TAIL - M.ln(1 - self:uniform())
        elseif height_in(self, exponential_heights, i) < M.exp(-x) then
            return x
        end
    end
end

local function normal_tail(stream)
    local x, y
    repeat
        x, y = -M.ln(1 - stream:uniform()) / NORMAL_TAIL, -M.ln(1 - stream:uniform())
    until y + y >= x * x
    return NORMAL_TAIL + x
end

function Stream:normal() -- of mean 0 and deviation 1
    while true do
        local bits = self:bits()
        local i, sign = bits & 255, (bits & 256) == 0 and 1 or -1
        local x = (bits >> 11) * 0x1p-53 * normal_edges[i]
        if x < normal_edges[i + 1] then
            return sign * x
        elseif i == 0 then
            return sign * normal_tail(self)
        elseif height_in(self, normal_heights, i) < M.exp(-x * x / 2) then
            return sign * x
        end
    end
end

return M
