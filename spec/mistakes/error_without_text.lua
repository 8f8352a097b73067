-- SPDX-License-Identifier: Apache-2.0
--
-- run: an error that is a table.
--
-- says:
--   callback resourceOffers: SCRIPT:11: an error that is no text but a table: code = 7 (give error() a text, or the table a metatable with __tostring)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    error({ code = 7 })
end

return scheduler
