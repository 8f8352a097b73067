-- SPDX-License-Identifier: Apache-2.0
--
-- run: an id is looked at as in other languages.
--
-- says:
--   callback resourceOffers: SCRIPT:11: offerIds: an id or a list of ids expected, got nil (an id is a plain string, without .value)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers[1].id.value)
end

return scheduler
