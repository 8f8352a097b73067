-- NAME: runs steps, each when those that it comes after are done, and ends.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local jobs = require "mesos.jobs"
local mesos = require "mesos"

local queue = jobs.queue {
    name = "NAME",
    on_update = function(_, status)
        mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    end,
    on_end = function(step) mesos.log.info("%s has %s", step.id, step.state) end,
    on_empty = function(all) mesos.exit(all:counts().failed == 0 and 0 or 1) end,
}

queue:add { id = "fetch", command = "echo fetched", cpus = 0.1, mem = 32 }
queue:add { id = "count", command = "echo counted", cpus = 0.1, mem = 32, after = "fetch" }
queue:add { id = "sort", command = "echo sorted", cpus = 0.1, mem = 32, after = "fetch" }
queue:add { id = "report", command = "echo reported", cpus = 0.1, mem = 32, after = { "count", "sort" } }

return queue
