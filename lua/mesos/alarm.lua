-- SPDX-License-Identifier: Apache-2.0
--
-- One timer for many times: the earliest counts.
--
--     local alarm = require("mesos.alarm").new(function() look_what_is_due() end)
--     alarm:at(mesos.now() + 5)
--     alarm:at(mesos.now() + 2)     -- it calls once, in two seconds

local mesos = require "mesos"
local fields = require "mesos.fields"

---@class mesos.alarm
local M = {}

local LONGEST = 30 -- seconds until the clock is read again

---@class mesos.Alarm
---@field time number? when it will call
local Alarm = {}
Alarm.__index = Alarm

-- An alarm that is not set. The function, when it is called, sets it again for what is due later.
---@param fn fun()
---@return mesos.Alarm
function M.new(fn)
    fields.kind(fn, "function", "alarm")
    return setmetatable({ fn = fn }, Alarm)
end

-- Timers do not notice when the clock is set, so the wait is cut into pieces.
local function wait(self)
    self.timer = mesos.after(math.min(math.max(self.time - mesos.now(), 0), LONGEST), function()
        if self.time > mesos.now() then
            return wait(self)
        end
        self.time, self.timer = nil, nil
        self.fn()
    end)
end

-- Calls the function at that time, or earlier if it is set so; at once if the time is over; never for math.huge.
---@param time number seconds since the Unix epoch, by the clock of the loop
function Alarm:at(time)
    if time == math.huge or self.time and self.time <= time then
        return
    end
    self:stop()
    self.time = time
    wait(self)
end

-- Forgets the time.
function Alarm:stop()
    if self.timer then
        self.timer:cancel()
    end
    self.time, self.timer = nil, nil
end

return M
