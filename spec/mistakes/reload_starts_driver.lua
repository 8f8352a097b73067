-- SPDX-License-Identifier: Apache-2.0
--
-- reload: a new version runs a driver itself.
--
-- says:
--   SCRIPT was not reloaded (a file changed), the version that runs goes on: SCRIPT:12: a new version cannot run a driver itself, as the version before returned its scheduler: return it too, or start the program again

local mesos = require "mesos"

local driver = mesos.SchedulerDriver { scheduler = {}, framework = { name = "x" } }

driver:run()
