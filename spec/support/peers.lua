-- SPDX-License-Identifier: Apache-2.0
--
-- The scheduler and the executor on mesos-go, spec/peers, which `sh spec/run.sh --peers` builds into build/peers.
--
--   local scheduler = peers.scheduler("127.0.0.1:5050")
--   scheduler:tell("launch a true")
--   scheduler:hears("update a TASK_FINISHED")     -- in the order in which they come

local program = require("support.program")

local M = {}

local BUILD = program.path:match("^(.*)/[^/]+$") .. "/peers/"

M.executor = BUILD .. "executor"

local Scheduler = {}
Scheduler.__index = Scheduler

-- Starts the scheduler at the cluster with that address. Options: id_file, timeout (s), quiet.
function M.scheduler(address, options)
    options = options or {}
    local scheduler = setmetatable({ at = 1 }, Scheduler)
    scheduler.id_file = options.id_file or program.directory() .. "/id"
    local args = {
        "-url", "http://" .. address .. "/api/v1/scheduler", "-id-file", scheduler.id_file,
        "-timeout", tostring(options.timeout or 60),
    }
    if options.quiet then
        args[#args + 1] = "-quiet"
    end
    scheduler.run = program.start { path = BUILD .. "scheduler", args = args, keep_stdin = true }
    return scheduler
end

function Scheduler:tell(line)
    self.run.input:write(line .. "\n")
end

-- Waits for a line that begins so, and passes over those before it. Returns it.
function Scheduler:hears(words)
    return self.run:wait_for(function()
        local at = self.at
        while true do
            local line, behind = self.run.stdout:match("([^\n]*)\n()", at)
            if not line then
                return nil
            elseif line:sub(1, #words) == words then
                self.at = behind
                return line
            end
            at = behind
        end
    end)
end

return M
