-- SPDX-License-Identifier: Apache-2.0
--
-- found: a global is made in a callback.
--
-- says:
--   callback resourceOffers: SCRIPT:11: assignment to the undeclared global 'count' in a function (write 'local count', or declare it by an assignment in a main chunk)

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    count = #offers
end

return scheduler
