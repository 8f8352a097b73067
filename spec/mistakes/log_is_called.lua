-- SPDX-License-Identifier: Apache-2.0
--
-- run: the log is called.
--
-- says:
--   callback resourceOffers: SCRIPT:13: mesos.log is no function: write mesos.log.info(...), or debug, warning or error

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.log(#offers .. " offers")
end

return scheduler
