-- SPDX-License-Identifier: Apache-2.0
--
-- check: the script returns what is no table.
--
-- says:
--   SCRIPT: it returned a function: a script returns its scheduler, a table with callbacks such as resourceOffers, or runs a mesos.SchedulerDriver itself

local mesos = require "mesos"

return mesos.SchedulerDriver
