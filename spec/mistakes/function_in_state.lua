-- SPDX-License-Identifier: Apache-2.0
--
-- state: mesos.state is given a function.
--
-- says:
--   mesos.state.tasks.first.on_end: a function cannot be kept

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.state.tasks = { first = { on_end = function() end } }
end

return scheduler
