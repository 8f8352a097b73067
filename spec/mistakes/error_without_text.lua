-- SPDX-License-Identifier: Apache-2.0
--
-- run: an error that is a table.
--
-- says:
--   callback resourceOffers: (the error value is a table)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    error({ code = 7 })
end

return scheduler
