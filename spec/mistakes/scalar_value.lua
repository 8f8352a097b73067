-- SPDX-License-Identifier: Apache-2.0
--
-- run: resources are looked at as in other languages.
--
-- says:
--   callback resourceOffers: SCRIPT:11: a number has no field 'value': ids, scalars and texts are plain values here, so leave .value out

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local cpus = offers[1].resources[1].scalar.value
    driver:declineOffer(offers[1].id, { refuse_seconds = cpus })
end

return scheduler
