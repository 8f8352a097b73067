-- SPDX-License-Identifier: Apache-2.0
--
-- run: a comparison waits.
--
-- says:
--   callback resourceOffers: SCRIPT:14: mesos.sleep cannot wait inside a function that is called from C, such as one given to table.sort or string.gsub, or a finalizer

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    table.sort({ 2, 1 }, function(a, b)
        mesos.sleep(0.1)
        return a < b
    end)
end

return scheduler
