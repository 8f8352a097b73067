-- SPDX-License-Identifier: Apache-2.0
--
-- How long to wait before the next try: exponentially longer, with a limit, and with jitter, so that what failed
-- together does not come again together.
--
--     local backoff = require "mesos.backoff"
--     mesos.after(backoff.delay(failures, { first = 2, most = 60 }), try_again)

local fields = require "mesos.fields"

---@class mesos.backoff
local M = {}

---@class mesos.backoff.Options
---@field first number? seconds after the first failure; default: 1
---@field factor number? each time as much longer; default: 2
---@field most number? seconds; default: 300
---@field jitter number? the share of the time that is random, 0 to 1; default: 0.5

local OPTIONS = { first = "positive", factor = "positive", most = "positive", jitter = "amount" }

-- The options themselves, if they are right; raises otherwise.
---@param options mesos.backoff.Options?
---@param path string? what errors call them; default: "backoff"
---@return mesos.backoff.Options
function M.check(options, path)
    return fields.check(options or {}, OPTIONS, path or "backoff")
end

-- Seconds to wait after so many failures in a row: none after none.
---@param failures integer
---@param options mesos.backoff.Options?
---@return number
function M.delay(failures, options)
    if failures <= 0 then
        return 0
    end
    options = options or {}
    local most, jitter = options.most or 300, math.min(options.jitter or 0.5, 1)
    local delay = math.min((options.first or 1) * (options.factor or 2) ^ math.min(failures - 1, 64), most)
    return delay * (1 - jitter * math.random())
end

return M
