-- SPDX-License-Identifier: Apache-2.0
--
-- check: a resource has its everyday name, which Mesos does not know.
--
-- says:
--   SCRIPT:10: resources.memory: Mesos calls it 'mem'

local mesos = require "mesos"

local need = mesos.resources { cpus = 1, memory = 32 }

return { framework = { name = #need .. "" } }
