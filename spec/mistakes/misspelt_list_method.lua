-- SPDX-License-Identifier: Apache-2.0
--
-- found: a method of the list of offers is misspelt.
--
-- says:
--   callback resourceOffers: SCRIPT:11: a list of offers has no 'bestfit' (did you mean 'best_fit'?)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local offer = offers:bestfit({ cpus = 1, mem = 32 })
    driver:declineOffer(offer.id)
end

return scheduler
