-- SPDX-License-Identifier: Apache-2.0
--
-- found: a timer as in other languages.
--
-- says:
--   callback resourceOffers: SCRIPT:13: the module mesos has no 'setTimeout' (did you mean 'after'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.setTimeout(function() driver:declineOffer(offers[1].id) end, 1000)
end

return scheduler
