-- SPDX-License-Identifier: Apache-2.0
--
-- check: a time that is no number.
--
-- says:
--   SCRIPT:10: bad argument #1 to 'every' (a number of seconds above 0 expected, got the string '500ms')

local mesos = require "mesos"

mesos.every("500ms", function() end)

return { framework = { name = "x" } }
