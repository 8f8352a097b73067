-- SPDX-License-Identifier: Apache-2.0
--
-- Calls of what a scenario has written: its file and its functions. One that loops for ever is stopped after so many
-- instructions, which is the same on each machine, and the error names the line; pcall() does not keep it running.
-- The memory is limited by the Lua state that all this runs in.

local complaint = require "sim.complaint"

local M = { limit = 200000000 } -- instructions of Lua; some seconds

local STEP <const> = 1000000

-- The hook that raises in the scenario's code until none of it runs any more.
local function stop(what)
    local text = ("%s has run for %d instructions without an end: is this an endless loop?"):format(what, M.limit)
    return function()
        local place = complaint.place()
        if place then
            error(place .. ": " .. text, 0)
        end
        debug.sethook()
    end
end

local running = false

-- What f(...) returns, or raises what it raises.
local function finish(good, ...)
    running = false
    debug.sethook()
    if not good then
        error(..., 0)
    end
    return ...
end

-- Calls f, which errors call `what`.
function M.call(what, f, ...)
    if running then
        return f(...)
    end
    running = true
    local steps, step = 0, math.min(STEP, M.limit)
    debug.sethook(function()
        steps = steps + 1
        if steps * step >= M.limit then
            local hook = stop(what)
            debug.sethook(hook, "", 1)
            hook()
        end
    end, "", step)
    return finish(pcall(f, ...))
end

-- The function, guarded.
function M.wrap(what, f)
    return function(...)
        return M.call(what, f, ...)
    end
end

return M
