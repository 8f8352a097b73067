-- SPDX-License-Identifier: Apache-2.0
--
-- run: a range of ports lacks its own braces.
--
-- says:
--   callback resourceOffers: SCRIPT:13: resources.ports: a list of ranges expected, got a list of numbers: write ports = { { first, last } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    return mesos.resources { ports = { 31000, 31001 } }
end

return scheduler
