-- SPDX-License-Identifier: Apache-2.0
--
-- check: the module mesos is used without require.
--
-- says:
--   SCRIPT:8: undeclared global 'mesos' (it is a module: write local mesos = require "mesos" first)

return { framework = { name = "x" }, suppressedRoles = {}, resources = mesos.resources { cpus = 1 } }
