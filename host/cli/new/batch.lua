-- NAME: runs a list of commands, each until it succeeds, at most TRIES times, and ends.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local jobs = require "mesos.jobs"
local mesos = require "mesos"

local COMMANDS = { "echo one", "echo two", "echo three" }
local TRIES = 3

local queue = jobs.queue {
    name = "NAME", at_once = 10, retries = TRIES - 1,
    on_update = function(_, status)
        mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    end,
    on_end = function(job) mesos.log.info("%s has %s", job.id, job.state) end,
    on_empty = function(all) mesos.exit(all:counts().failed == 0 and 0 or 1) end,
}

for i, command in ipairs(COMMANDS) do
    queue:add { id = "NAME-" .. i, command = command, cpus = 0.1, mem = 32 }
end

return queue
