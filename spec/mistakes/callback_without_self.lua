-- SPDX-License-Identifier: Apache-2.0
--
-- run: a callback is written with a dot, so that its arguments are off by one.
--
-- says:
--   callback resourceOffers: SCRIPT:11: this is the driver, not a list: the first argument of a callback is its scheduler, so write function scheduler:resourceOffers(driver, offers), with a colon

local scheduler = { framework = { name = "x" } }

function scheduler.resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver:declineOffer(offer.id)
    end
end

return scheduler
