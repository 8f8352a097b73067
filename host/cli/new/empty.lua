-- NAME: a framework that does nothing yet: it gives all offers back, and logs what it is told.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local mesos = require "mesos"

---@type mesos.Scheduler
local scheduler = { framework = { name = "NAME" } }

function scheduler:registered(driver, framework_id)
    mesos.log.info("registered as %s", framework_id)
end

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers:ids(), { refuse_seconds = 60 })
end

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
end

return scheduler
