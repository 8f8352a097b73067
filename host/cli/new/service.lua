-- NAME: keeps COUNT instances of a command alive, and starts others for those that end, not too soon. An edit of the
-- command replaces them one by one.
--
--   mesos-lua NAME.lua [COUNT]                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua [COUNT]     on a real one
--   mesos-lua test                              its tests, spec/NAME_spec.lua

local mesos = require "mesos"
local services = require "mesos.services"

local COUNT = math.tointeger(tonumber(arg[1] or 2)) or error("NAME.lua: COUNT is a whole number")

local keeper = services.keeper {
    name = "NAME", framework = { failover_timeout = 3600 },
    on_update = function(_, status)
        mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    end,
    on_ready = function(id) mesos.log.info("%s: all instances are ready", id) end,
}

keeper:service {
    id = "NAME", instances = COUNT, command = "while true; do date; sleep 10; done", cpus = 0.1, mem = 32,
}

return keeper
