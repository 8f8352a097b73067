-- SPDX-License-Identifier: Apache-2.0
--
-- checked: a function of a library is misspelt.
--
-- says:
--   SCRIPT:13: string.fromat is nil: no 'fromat' is there (did you mean 'format'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    mesos.log.info(string.fromat("%d offers", #offers))
end

return scheduler
