-- SPDX-License-Identifier: Apache-2.0
--
-- check: a timer is given the result of a function.
--
-- says:
--   SCRIPT:12: bad argument #2 to 'every' (function expected, got no value: give the function itself, without () behind it)

local mesos = require "mesos"

local function tick() end

mesos.every(1, tick())

return { framework = { name = "x" } }
