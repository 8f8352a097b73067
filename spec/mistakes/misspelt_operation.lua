-- SPDX-License-Identifier: Apache-2.0
--
-- found: an operation is misspelt.
--
-- says:
--   callback resourceOffers: SCRIPT:11: SchedulerDriver has no operation 'declineOffers' (did you mean 'declineOffer'?)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffers(offers[1].id)
end

return scheduler
