-- SPDX-License-Identifier: Apache-2.0
--
-- check: waiting where nothing can wait.
--
-- says:
--   SCRIPT:10: mesos.sleep cannot wait here, in a main chunk or a finalizer: call it in a callback, a timer or a function given to mesos.spawn

local mesos = require "mesos"

mesos.sleep(1)

return { framework = { name = "x" } }
