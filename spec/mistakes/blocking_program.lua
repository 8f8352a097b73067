-- SPDX-License-Identifier: Apache-2.0
--
-- run: a program is waited for where nothing else goes on.
--
-- says:
--   callback resourceOffers is slow: it has run for 1.
--   without a pause, was in os.execute, called at SCRIPT:13 (mesos.exec runs a program without holding up events)
--   callback resourceOffers: SCRIPT:14: nothing came of it

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    os.execute("sleep 1.2")
    error("nothing came of it")
end

return scheduler
