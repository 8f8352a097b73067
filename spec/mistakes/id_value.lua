-- SPDX-License-Identifier: Apache-2.0
--
-- run: an id is looked at as in other languages.
--
-- says:
--   callback resourceOffers: SCRIPT:11: a string has no field 'value': ids, scalars and texts are plain values here, so leave .value out

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers[1].id.value)
end

return scheduler
