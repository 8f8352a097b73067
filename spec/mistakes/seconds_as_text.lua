-- SPDX-License-Identifier: Apache-2.0
--
-- run: seconds are given as a text.
--
-- says:
--   callback resourceOffers: SCRIPT:13: bad argument #1 to 'after' (a number of seconds, 0 or more, expected, got the string '2': write it without quotes)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.after("2", function() end)
end

return scheduler
