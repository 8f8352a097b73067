-- SPDX-License-Identifier: Apache-2.0
--
-- check: a block is not closed.
--
-- says:
--   SCRIPT:16: 'end' expected (to close 'function' at line 10) near <eof>

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver:declineOffer(offer.id)
end

return scheduler
