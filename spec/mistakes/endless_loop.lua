-- SPDX-License-Identifier: Apache-2.0
--
-- stuck: a callback never returns.
--
-- says:
--   callback resourceOffers is slow: it has run for
--   is at SCRIPT:14, and no event is handled until it returns or waits (--callback-warn); ctl
--   interrupt stops it, and --callback-limit would
--   callback resourceOffers: SCRIPT:14: stopped after

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    while true do end
end

return scheduler
