-- SPDX-License-Identifier: Apache-2.0
--
-- check: a field of the framework is misspelt.
--
-- says:
--   SCRIPT: framework: unknown field 'failoverTimeout' in FrameworkInfo (did you mean 'failover_timeout'?)

return { framework = { name = "x", failoverTimeout = 60 } }
