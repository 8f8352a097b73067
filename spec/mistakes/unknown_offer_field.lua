-- SPDX-License-Identifier: Apache-2.0
--
-- found: an offer has no such field.
--
-- says:
--   callback resourceOffers: SCRIPT:11: Offer has no field 'memory' (did you mean 'mem'?)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    if offers[1].memory > 32 then
        driver:declineOffer(offers[1].id)
    end
end

return scheduler
