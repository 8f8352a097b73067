-- SPDX-License-Identifier: Apache-2.0
--
-- check: a resource whose amount is a text.
--
-- says:
--   SCRIPT:10: resources.cpus: a number, a list of {first, last}, or a list of strings expected, got the string 'one'

local mesos = require "mesos"

local need = mesos.resources { cpus = "one" }

return { framework = { name = #need .. "" } }
