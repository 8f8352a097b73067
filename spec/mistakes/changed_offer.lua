-- SPDX-License-Identifier: Apache-2.0
--
-- run: an offer is written to.
--
-- says:
--   callback resourceOffers: SCRIPT:12: Offer is read-only; use :table() for a copy

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        offer.seen = true
    end
end

return scheduler
