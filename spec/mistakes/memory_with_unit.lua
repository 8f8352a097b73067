-- SPDX-License-Identifier: Apache-2.0
--
-- run: an amount of memory has a unit.
--
-- says:
--   callback resourceOffers: SCRIPT:15: resources.mem: a number of megabytes expected, got the string '64M': write mem = 64
--   resources.disk: a number of megabytes expected, got the string '1.5G': write disk = 1536

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.log.info("%s", select(2, pcall(mesos.resources, { disk = "1.5G" })))
    return mesos.resources { mem = "64M" }
end

return scheduler
