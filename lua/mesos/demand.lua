-- SPDX-License-Identifier: Apache-2.0
--
-- Offers when there is work, none when there is not, without a flood of calls.
--
--     local demand = require("mesos.demand").new()
--     function scheduler:submit(driver, job) add(job) demand:hurry(driver) end
--     function scheduler:resourceOffers(driver, offers) place(offers) demand:want(driver, #waiting > 0) end
--
-- want(false) suppresses offers, want(true) revives them if they were suppressed. A filter that a decline left behind
-- hides an offer from new work; hurry() removes filters by a revive, too. Revives that are asked for in quick
-- succession become one, and a bucket of tokens bounds them: the master makes new offers to all frameworks for each.

local mesos = require "mesos"
local fields = require "mesos.fields"

---@class mesos.demand
local M = {}

---@class mesos.demand.Options
---@field roles string[]? default: all roles of the framework
---@field debounce number? seconds that a revive waits for others; default: 0.1
---@field burst integer? revives that may follow each other at once; default: 5
---@field every number? seconds for which there is one more; default: 5

local OPTIONS = { roles = "list", debounce = "amount", burst = "count", every = "positive" }

---@class mesos.Demand
---@field suppressed boolean? nil: not known, since this version of the script has not said anything yet
---@field revives integer how many were sent
local Demand = {}
Demand.__index = Demand

-- A demand of its own; roles that are wanted at different times have one each.
---@param options mesos.demand.Options?
---@return mesos.Demand
function M.new(options)
    options = fields.check(options or {}, OPTIONS, "demand")
    return setmetatable({
        roles = options.roles, debounce = options.debounce or 0.1, burst = options.burst or 5,
        every = options.every or 5, tokens = options.burst or 5, revives = 0,
    }, Demand)
end

-- The seconds until there is a token; takes it if that is now.
local function take_token(self)
    local now = mesos.now()
    local passed = math.max(now - (self.filled or now), 0) -- a clock that is set back takes no tokens
    self.tokens = math.min(self.burst, self.tokens + passed / self.every)
    self.filled = now
    if self.tokens < 1 then
        return (1 - self.tokens) * self.every
    end
    self.tokens = self.tokens - 1
    return 0
end

local function cancel(self)
    if self.timer then
        self.timer:cancel()
        self.timer = nil
    end
end

local function revive_later(self, driver, seconds)
    self.timer = self.timer or mesos.after(seconds, function()
        self.timer = nil
        local wait = take_token(self)
        if wait > 0 then
            return revive_later(self, driver, wait)
        end
        self.revives = self.revives + 1
        self.suppressed = false
        driver:reviveOffers(self.roles)
    end)
end

-- Says whether there is work that waits for offers. Saying the same again does nothing.
---@param driver mesos.SchedulerDriver
---@param wanted boolean
function Demand:want(driver, wanted)
    if not wanted then
        cancel(self)
        if not self.suppressed then
            self.suppressed = true
            driver:suppressOffers(self.roles)
        end
    elseif self.suppressed ~= false then
        revive_later(self, driver, self.debounce)
    end
end

-- There is new work: filters that run now do not count for it.
---@param driver mesos.SchedulerDriver
function Demand:hurry(driver)
    revive_later(self, driver, self.debounce)
end

return M
