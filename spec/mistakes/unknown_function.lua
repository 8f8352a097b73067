-- SPDX-License-Identifier: Apache-2.0
--
-- check: a function of the module is misspelt.
--
-- says:
--   SCRIPT:10: the module mesos has no 'timer'

local mesos = require "mesos"

mesos.timer(1, function() end)

return { framework = { name = "x" } }
