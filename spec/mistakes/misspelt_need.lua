-- SPDX-License-Identifier: Apache-2.0
--
-- run: a misspelt resource in what a task needs.
--
-- says:
--   callback resourceOffers: SCRIPT:13: best_fit: memory: no offer has such a resource (did you mean 'mem'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local offer = offers:best_fit { cpus = 1, memory = 128 }
    mesos.log.info("%s", offer and offer.id)
end

return scheduler
