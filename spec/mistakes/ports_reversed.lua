-- SPDX-License-Identifier: Apache-2.0
--
-- run: a range of ports ends before it begins.
--
-- says:
--   callback resourceOffers: SCRIPT:13: resources.ports: range 1 is { 31005, 31000 }: { first, last } expected, with 0 <= first <= last

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    return mesos.resources { ports = { { 31005, 31000 } } }
end

return scheduler
