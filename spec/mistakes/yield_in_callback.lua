-- SPDX-License-Identifier: Apache-2.0
--
-- run: a callback yields.
--
-- says:
--   callback resourceOffers: SCRIPT:11: attempt to yield from outside a coroutine: a callback waits with mesos.sleep(seconds), and mesos.spawn(f) lets f run beside it

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    coroutine.yield()
end

return scheduler
