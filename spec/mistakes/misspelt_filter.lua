-- SPDX-License-Identifier: Apache-2.0
--
-- found: the filters of a decline have a field that does not exist.
--
-- says:
--   unknown field 'refuse_sec' in Filters (did you mean 'refuse_seconds'?)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:declineOffer(offers:ids(), { refuse_sec = 60 })
end

return scheduler
