-- SPDX-License-Identifier: Apache-2.0
--
-- run: a method is called with a dot.
--
-- says:
--   callback resourceOffers: SCRIPT:12: declineOffer: a driver expected in front of it, got string: write driver:declineOffer(...), with a colon

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver.declineOffer(offer.id)
    end
end

return scheduler
