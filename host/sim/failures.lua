-- SPDX-License-Identifier: Apache-2.0
--
-- The callbacks, timers and spawned functions of a policy that failed, in words. A result has them as its `failures`
-- (README.md); the problem of a run may tell them already.

local numbers = require "sim.numbers"

local M = {}

-- One of them in a sentence.
---@param failure table
---@return string
function M.text(failure)
    local times = failure.count == 1 and "once, at" or numbers.text(failure.count, "count") .. " times, first at"
    return ("%s failed %s %s: %s"):format(failure.what, times, numbers.text(failure.at, "time"), failure.first)
end

-- Those of a run that its problem does not tell.
---@param result table
---@return string[]
function M.untold(result)
    local list = {}
    for _, failure in ipairs(result.failures or {}) do
        local text = M.text(failure)
        if not (result.problem and result.problem:find(text, 1, true)) then
            list[#list + 1] = text
        end
    end
    return list
end

return M
