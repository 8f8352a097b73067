-- SPDX-License-Identifier: Apache-2.0
--
-- warned: a callback is written as the event is called.
--
-- says:
--   SCRIPT: no callback 'resource_offers'; did you mean 'resourceOffers'?

local scheduler = { framework = { name = "x" } }

function scheduler:resource_offers(driver, offers) end

return scheduler
