-- SPDX-License-Identifier: Apache-2.0
--
-- run: an offer is answered twice.
--
-- says:
--   callback resourceOffers: SCRIPT:13: offer '
--   cannot be used: it was declined already

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers[1].id)
    driver:declineOffer(offers[1].id)
end

return scheduler
