-- NAME: runs commands at times of cron (UTC), never one of them twice at a time.
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
}

queue:schedule { id = "often", cron = "*/5 * * * *", command = "date", cpus = 0.1, mem = 32 }
queue:schedule { id = "hourly", cron = "@hourly", command = "echo one more hour", cpus = 0.1, mem = 32 }

return queue
