-- SPDX-License-Identifier: Apache-2.0
--
-- run: an offer in place of its id.
--
-- says:
--   callback resourceOffers: SCRIPT:11: offerIds: an id or a list of ids expected, got a whole Offer: give its id

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers[1])
end

return scheduler
