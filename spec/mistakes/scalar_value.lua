-- SPDX-License-Identifier: Apache-2.0
--
-- run: resources are looked at as in other languages.
--
-- says:
--   callback resourceOffers: SCRIPT:11: attempt to index a number value (field 'scalar')

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local cpus = offers[1].resources[1].scalar.value
    driver:declineOffer(offers[1].id, { refuse_seconds = cpus })
end

return scheduler
