-- SPDX-License-Identifier: Apache-2.0
--
-- check: a port is a number.
--
-- says:
--   SCRIPT:10: resources.ports: a list of ranges expected, got a number: write ports = { { 8080, 8080 } }

local mesos = require "mesos"

local need = mesos.resources { cpus = 1, ports = 8080 }

return { framework = { name = #need .. "" } }
