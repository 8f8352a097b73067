-- SPDX-License-Identifier: Apache-2.0
--
-- check: the script does not return its scheduler.
--
-- says:
--   SCRIPT: it returned nothing: a script returns its scheduler, a table with callbacks such as resourceOffers, or runs a mesos.SchedulerDriver itself

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers) end
