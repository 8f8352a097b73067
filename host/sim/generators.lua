-- SPDX-License-Identifier: Apache-2.0
--
-- Where the rows of a workload come from: generators, which a scenario makes with `sim.poisson` and the like, and which
-- become sources (README.md) when it is loaded. A generator keeps what it was given and draws nothing; a source draws
-- its arrivals and each field of its jobs from streams of their own (random.lua), so that another mean of the durations
-- changes neither the arrivals nor the cpus.
--
-- context of open(): { seed =, label = prefix of the ids, path = where among others it is, skipped = list of
-- row_source.skip(), lasts = has the scenario a `runtime`, where = nil or function(number) -> where in the file that
-- row is }

local complaint = require "sim.complaint"
local distributions = require "sim.distributions"
local drawn_jobs = require "sim.drawn_jobs"
local guard = require "sim.guard"
local random = require "sim.random"
local row_source = require "sim.row_source"
local rows = require "sim.rows"

local M = {}

local Generator = {}
Generator.__index = Generator
Generator.__name = "generator"

function M.is(value)
    return getmetatable(value) == Generator
end

-- open(self, context) -> source. `endless`: it has no last row.
local function generator(what, open, given, endless)
    local made = { what = what, open = open, given = given, endless = endless, place = complaint.place() }
    return setmetatable(made, Generator)
end

-- ---- arguments ----

local function raiser(what)
    return function(path, text)
        complaint.raise("%s: %s: %s", what, path, text)
    end
end

local function seconds(given, name, what, least)
    local value = given[name]
    if value == nil then
        return nil
    end
    local number = rows.seconds(value)
    if not number or not (number >= (least or 0) and number < math.huge) then
        complaint.raise("%s: %s: %s expected%s, got %s", what, name, rows.DURATION, least and " above 0" or "",
            complaint.shown(value))
    end
    return number
end

local ARRIVALS = { count = true, from = true, to = true, job = true, name = true }

-- Reads what all generators have in common. Returns the arguments, in seconds and numbers.
local function arrivals(what, given, own)
    if type(given) ~= "table" then
        complaint.raise("%s: a table expected, such as %s{ every = \"10s\", count = 100, job = { cpus = 1, mem = 9, " ..
            "duration = 60 } }, got %s", what, what, complaint.shown(given))
    end
    local known = {}
    for name in pairs(ARRIVALS) do
        known[name] = true
    end
    for name in pairs(own) do
        known[name] = true
    end
    if given["until"] ~= nil then
        complaint.raise("%s: until: unknown field (did you mean 'to'?)", what)
    end
    complaint.known(given, known, "", raiser(what))
    drawn_jobs.check(given.job, what)
    local count = given.count
    if count ~= nil and not (type(count) == "number" and count >= 1 and count % 1 == 0) then
        complaint.raise("%s: count: a whole number of jobs expected, got %s", what, complaint.shown(count))
    end
    local name = given.name
    if name ~= nil and not (type(name) == "string" and name:find("^[%w_-]+$")) then
        complaint.raise("%s: name: letters, digits, '_' and '-' expected, got %s", what, complaint.shown(name))
    end
    local from, to = seconds(given, "from", what) or 0, seconds(given, "to", what) or math.huge
    if from >= to then
        complaint.raise("%s: to is not after from", what)
    end
    return { job = given.job, name = name, count = count or math.huge, from = from, to = to }
end

-- Seconds between two jobs, on average: `every`, or one by `rate`, which is jobs a second.
local function mean_gap(what, given)
    local every, rate = seconds(given, "every", what, 1e-9), given.rate
    if (every == nil) == (rate == nil) then
        complaint.raise("%s: one of `every` (seconds between two) and `rate` (a second) expected", what)
    elseif rate ~= nil and not (type(rate) == "number" and rate > 0 and rate < math.huge) then
        complaint.raise("%s: rate: a number of jobs a second above 0 expected, got %s", what, complaint.shown(rate))
    end
    return every or 1 / rate
end

-- ---- generators of arrivals ----

-- A source whose times are those that advance(time, stream, number) gives, one after the other; `number` begins at 0.
-- Each source has an advance of its own, which start() makes.
local function arriving(what, given, start)
    local function open(self, context)
        local label = given.name or context.label
        local made, stream = drawn_jobs.maker(self, context), random.stream(context.seed, label, "arrivals")
        local time, number, count, advance = given.from, 0, given.count, start()
        return { next = function()
            if number >= count then
                return nil
            end
            time, number = advance(time, stream, number), number + 1
            if time >= given.to then
                count = 0
                return nil
            end
            return made:row(time)
        end }
    end
    return generator(what, open, given, given.count == math.huge and given.to == math.huge)
end

local makers = {}
M.makers = makers

-- Jobs that come independently of each other.
function makers.poisson(given)
    local what = "sim.poisson"
    local all = arrivals(what, given, { every = true, rate = true })
    local mean = mean_gap(what, given)
    return arriving(what, all, function()
        return function(time, stream) return time + mean * stream:exponential() end
    end)
end

-- A job after each interval, the first at `from`.
function makers.regular(given)
    local what = "sim.regular"
    local all = arrivals(what, given, { every = true, rate = true })
    local gap = mean_gap(what, given)
    return arriving(what, all, function()
        return function(_, _, number) return all.from + number * gap end
    end)
end

-- Poisson arrivals whose rate goes up and down with the time of day.
function makers.diurnal(given)
    local what = "sim.diurnal"
    local all = arrivals(what, given, { every = true, rate = true, peak = true, swing = true, period = true })
    local mean, period = mean_gap(what, given), seconds(given, "period", what, 1e-9) or 86400
    local peak, swing = seconds(given, "peak", what) or 14 / 24 * period, given.swing or 0.5
    if type(swing) ~= "number" or not (swing >= 0 and swing <= 1) then
        complaint.raise("%s: swing: a number from 0 (always the same) to 1 (none at night) expected, got %s", what,
            complaint.shown(swing))
    end
    local shortest = mean / (1 + swing)
    local function advance(time, stream)
        repeat -- arrivals at the highest rate, of which as many are dropped as the rate is lower
            time = time + shortest * stream:exponential()
            local share = (1 + swing * random.cosine_of_turns((time - peak) / period)) / (1 + swing)
        until stream:uniform() < share or time >= all.to
        return time
    end
    return arriving(what, all, function() return advance end)
end

local function drawn_number(value, stream, where)
    local drawn = drawn_jobs.evaluate(value, stream, nil, where)
    local number = rows.seconds(drawn)
    if not number or not (number >= 0 and number < math.huge) then
        error(("%s: a number of 0 or more expected, got %s"):format(where, complaint.shown(drawn)), 0)
    end
    return number
end

-- The times of the jobs of bursts, of which some may have none.
local function burst_times(bursts)
    return function()
        local left = 0
        return function(time, stream)
            if left >= 1 then
                left = left - 1
                return time + drawn_number(bursts.gap, stream, bursts.where .. ": gap")
            end
            repeat
                time = time + bursts.mean * stream:exponential()
                left = math.floor(drawn_number(bursts.size, stream, bursts.where .. ": size") + 0.5)
            until left >= 1 or time >= bursts.to
            left = left - 1
            return time
        end
    end
end

-- Bursts of `size` jobs, `gap` apart; from the end of one to the next `every` on average.
function makers.bursts(given)
    local what = "sim.bursts"
    local all = arrivals(what, given, { every = true, size = true, gap = true })
    local mean = seconds(given, "every", what, 1e-9)
    if not mean then
        complaint.raise("%s: every: missing: the seconds between two bursts", what)
    end
    if given.size == nil then
        complaint.raise("%s: size: how many jobs a burst has is missing: a number or a distribution", what)
    end
    for _, name in ipairs { "size", "gap" } do
        if not distributions.is(given[name]) and given[name] ~= nil then
            seconds(given, name, what)
        end
    end
    local place = complaint.place()
    return arriving(what, all, burst_times {
        mean = mean, size = given.size, gap = given.gap or 0, to = all.to,
        where = (place and place .. ": " or "") .. what,
    })
end

-- ---- rows that are given ----

-- Rows of the scenario itself, in the order of time.
function makers.rows(given)
    local what = "sim.rows"
    if type(given) ~= "table" or (next(given) ~= nil and #given == 0) then
        complaint.raise("%s: a list of rows expected, such as { { at = 0, cpus = 1, mem = 128, duration = 60 } }, " ..
            "got %s", what, type(given) == "table" and "a table with fields" or complaint.shown(given))
    end
    local function open(self, context)
        local number, latest, drawer = 0, 0, drawn_jobs.drawer(what, context)
        return { next = function()
            number = number + 1
            local item = given[number]
            if item == nil then
                return nil
            end
            local where = context.where and context.where(number)
                or ("%s: %s[%d]"):format(self.place or "", what, number)
            if type(item) ~= "table" then
                error(("%s: a row expected, which is a table, got %s"):format(where, complaint.shown(item)), 0)
            end
            local row = { id = ("%s-%d"):format(context.label, number) }
            drawn_jobs.fill(drawer, row, item)
            rows.check(row, where, context.lasts)
            if row.at < latest then
                error(("%s: at = %.14g is before the %.14g of the row in front of it: rows stand in the order of " ..
                    "time"):format(where, row.at, latest), 0)
            end
            latest = row.at
            return row
        end }
    end
    return generator(what, open, given, false)
end

-- ---- sources of sources ----

local function check_generator(value, what, path)
    if type(value) == "table" and not M.is(value) and (type(value[1]) == "table" or next(value) == nil) then
        return makers.rows(value)
    elseif not M.is(value) then
        complaint.raise("%s: %s: a workload expected, such as sim.poisson{ ... }, got %s", what, path,
            complaint.shown(value))
    end
    return value
end

local function child(context, number)
    local copy = {}
    for key, value in pairs(context) do
        copy[key] = value
    end
    copy.label = context.label .. (context.path == "" and "" or "_") .. number
    copy.path = context.path .. "/" .. number
    copy.where = nil
    return copy
end

-- Several workloads at once, in the order of time; of the same time the first comes first.
function makers.merge(given)
    local what = "sim.merge"
    if type(given) ~= "table" or #given == 0 then
        complaint.raise("%s: a list of workloads expected, got %s", what, complaint.shown(given))
    end
    local list, endless = {}, false
    for i, item in ipairs(given) do
        list[i] = check_generator(item, what, ("[%d]"):format(i))
        endless = endless or list[i].endless
    end
    local function open(self, context)
        local sources, heads = {}, {}
        for i, item in ipairs(list) do
            sources[i] = item:open(child(context, i))
            heads[i] = sources[i]:next() or false
        end
        return { next = function()
            local best
            for i = 1, #heads do
                if heads[i] and (not best or heads[i].at < heads[best].at) then
                    best = i
                end
            end
            local row = best and heads[best]
            if row then
                heads[best] = sources[best]:next() or false
            end
            return row or nil
        end }
    end
    return generator(what, open, given, endless)
end

-- A workload whose rows a function changes; those for which it returns nil are left out.
function makers.map(given, change)
    local what = "sim.map"
    local inner = check_generator(given, what, "the first argument")
    if type(change) ~= "function" then
        complaint.raise("%s: the second argument: function(row, random) expected, got %s", what,
            complaint.shown(change))
    end
    local function open(self, context)
        local source, stream = inner:open(context), random.stream(context.seed, context.label, "map")
        local where = (self.place and self.place .. ": " or "") .. what
        local latest = 0
        return { next = function()
            while true do
                local row = source:next()
                if not row then
                    return nil
                end
                local changed = guard.call(what, change, row, stream)
                if changed then
                    if type(changed) ~= "table" then
                        error(("%s: its function returned %s, and a row or nil is expected"):format(where,
                            complaint.shown(changed)), 0)
                    end
                    rows.check(changed, where .. ": " .. tostring(changed.id), context.lasts)
                    if changed.at < latest then
                        error(("%s: %s: its function set `at` to %.14g, which is before the row in front of it " ..
                            "(%.14g)"):format(where, changed.id, changed.at, latest), 0)
                    end
                    latest = changed.at
                    return changed
                end
                row_source.skip(context.skipped, "sim.map left it out", tostring(row.id))
            end
        end }
    end
    return generator(what, open, given, inner.endless)
end

-- Makes a generator of what a scenario has as its workload: one, or a list of rows.
function M.of(value)
    return check_generator(value, "workload", "what it is")
end

M.generator = generator

return M
