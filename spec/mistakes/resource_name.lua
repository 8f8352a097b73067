-- SPDX-License-Identifier: Apache-2.0
--
-- check: a resource is called as nobody but people calls it.
--
-- says:
--   SCRIPT:10: resources.memory: Mesos calls it 'mem'

local mesos = require "mesos"

local need = mesos.resources { cpus = 1, memory = 32 }

return { framework = { name = #need .. "" } }
