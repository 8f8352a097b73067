-- SPDX-License-Identifier: Apache-2.0
--
-- found: a field is called as in Mesos 0.x.
--
-- says:
--   callback statusUpdate: SCRIPT:13: TaskStatus has no field 'slave_id' (did you mean 'agent_id'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s", status.slave_id)
end

return scheduler
