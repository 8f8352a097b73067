-- SPDX-License-Identifier: Apache-2.0
--
-- Work that comes again at certain times, never beside itself: when the time comes and the work of the last time has
-- not ended, this time is left out. The next times are plain data, for mesos.state, so that none is missed or comes
-- twice over a reload or a restart. mesos.jobs uses it.

local mesos = require "mesos"
local cron = require "mesos.cron"
local fields = require "mesos.fields"

---@class mesos.schedules
local M = {}

---@class mesos.schedules.Timing
---@field cron string? a time of mesos.cron
---@field every number? or seconds from one time to the next
---@field zone ("utc"|"local")? of cron; default: "utc"
---@field late number? seconds that it may be late, for instance after a restart, and still be done; default: 60

---@type table<string, string>
M.FIELDS = { cron = "string", every = "positive", zone = "string", late = "amount" }

---@class mesos.Schedules
local Schedules = {}
Schedules.__index = Schedules

-- Schedules whose next times lie in `kept`. `add(id, at)` begins the work and returns its name; `is_busy(name)` tells
-- whether it has not ended yet.
---@param options { kept: table, add: fun(id: string, at: number): string, is_busy: fun(name: string): boolean }
---@return mesos.Schedules
function M.new(options)
    fields.check(options, { kept = "table", add = "function", is_busy = "function" }, "schedules")
    return setmetatable({ kept = options.kept, add = options.add, is_busy = options.is_busy, timings = {} }, Schedules)
end

local function next_time(timing, now)
    if timing.times then
        return timing.times:next(now)
    end
    return now + timing.every
end

-- Sets a schedule. If its times are what they were, the next one remains.
---@param id string
---@param timing mesos.schedules.Timing
function Schedules:set(id, timing)
    fields.check(timing, M.FIELDS, ("schedule '%s'"):format(id))
    if (timing.cron == nil) == (timing.every == nil) then
        fields.raise("schedule '%s': either cron or every is expected", id)
    end
    local times = timing.cron and cron.parse(timing.cron, timing.zone)
    local text = timing.cron and (timing.zone or "utc") .. " " .. timing.cron or tostring(timing.every)
    self.timings[id] = { times = times, every = timing.every, late = timing.late or 60 }
    if not self.kept[id] or self.kept[id].text ~= text then
        local last = self.kept[id] and self.kept[id].last
        self.kept[id] = { text = text, next = next_time(self.timings[id], mesos.now()), last = last }
    end
end

-- Forgets what was kept of schedules that were not set.
function Schedules:forget_others()
    for id in pairs(self.kept) do
        if not self.timings[id] then
            self.kept[id] = nil
        end
    end
end

local function run(self, id, timing, kept, time)
    local late = mesos.now() - time
    if kept.last and self.is_busy(kept.last) then
        mesos.log.info("schedule %s: this time is left out, as %s has not ended", id, kept.last)
    elseif late > timing.late then
        mesos.log.warning("schedule %s: this time is left out, as it is %.0f s late", id, late)
    else
        local done, result = pcall(self.add, id, time)
        if done then
            kept.last = result
        else
            mesos.log.error("schedule %s: this time is left out: %s", id, result)
        end
    end
end

-- Does what is due, and returns when the next is.
---@return number time math.huge: never
function Schedules:run()
    local first = math.huge
    for id, timing in pairs(self.timings) do
        local kept = self.kept[id]
        if kept.next and kept.next <= mesos.now() then
            local time = kept.next
            kept.next = next_time(timing, mesos.now()) -- before the work, which may raise
            run(self, id, timing, kept, time)
        end
        first = math.min(first, kept.next or math.huge)
    end
    return first
end

return M
