-- SPDX-License-Identifier: Apache-2.0
--
-- checked: a callback uses a local function that comes behind it.
--
-- says:
--   SCRIPT:11: undeclared global 'decline' (the local 'decline' of line 14 is declared below: move its declaration up, in front of this function)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    decline(driver, offers)
end

local function decline(driver, offers)
    driver:declineOffer(offers[1].id)
end

return scheduler
